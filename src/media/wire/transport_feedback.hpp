// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1): which
// packets of one transport arrived, and when. Writing is in rtcp_writer.hpp.
//
// Views live as long as the buffer. Nothing here allocates. Any thread; a view belongs to whoever owns the buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "media/wire/rtcp.hpp"

namespace media::wire {

/// Arrival times wrap after this long: 24 bits of 64 ms.
inline constexpr std::int64_t kTransportFeedbackPeriodUs = (std::int64_t{1} << 24) * 64'000;

/// What the receiver says about one packet.
struct PacketStatus {
    std::uint16_t sequence = 0;
    bool received = false;
    std::int64_t arrival_us = 0;  ///< When received: on the receiver's clock, 250 µs steps, wraps (see above).
    friend bool operator==(const PacketStatus&, const PacketStatus&) = default;
};

class TransportFeedback {
  public:
    /// Null when it is another packet, or chunks and deltas do not fit its length.
    static std::optional<TransportFeedback> parse(const RtcpView& view);

    std::uint32_t sender_ssrc() const { return load_u32(body_.data()); }
    std::uint32_t media_ssrc() const { return load_u32(body_.data() + 4); }
    std::uint16_t base_sequence() const { return load_u16(body_.data() + 8); }
    std::uint16_t status_count() const { return load_u16(body_.data() + 10); }
    /// In steps of 64 ms.
    std::uint32_t reference_time() const { return load_u24(body_.data() + 12); }
    std::uint8_t feedback_count() const { return body_[15]; }

    /// Goes over the statuses in the order of their numbers, from the base sequence on.
    class Cursor {
      public:
        explicit Cursor(const TransportFeedback& feedback);
        /// The next status; null at the end.
        std::optional<PacketStatus> next();

      private:
        friend class TransportFeedback;
        bool load_chunk();

        core::BytesView body_;
        std::size_t chunk_ = 16;       ///< Where the next chunk stands.
        std::size_t delta_ = 0;        ///< Where the next delta stands.
        std::uint32_t remaining_ = 0;  ///< Statuses still to give.
        std::uint16_t sequence_ = 0;
        std::uint16_t in_chunk_ = 0;  ///< Statuses left in the current chunk.
        std::uint16_t symbols_ = 0;   ///< The current chunk.
        std::int64_t time_us_ = 0;
        bool failed_ = false;
    };
    Cursor statuses() const { return Cursor(*this); }

  private:
    core::BytesView body_;
    std::uint16_t delta_offset_ = 0;
};

}  // namespace media::wire
