// Composes a compound RTCP packet in a caller's buffer, packet by packet (RFC 3550, 4585, 5104; REMB and transport-cc
// drafts as named beside the readers).
//
// Owned by one thread for one compound. Allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/bytes.hpp"
#include "media/wire/rtcp.hpp"

namespace media::wire {

/// A packet that arrived, for transport-wide feedback.
struct PacketArrival {
    std::int64_t sequence = 0;    ///< Transport-wide number, unwrapped.
    std::int64_t arrival_us = 0;  ///< On any clock that never jumps, not negative.
};

/// Each function appends one packet and returns true, or returns false and leaves the compound as it was when there is
/// no room or an argument is impossible. A proper compound begins with a report; browsers also accept reduced size.
class RtcpWriter {
  public:
    explicit RtcpWriter(std::span<std::uint8_t> out) : out_(out) {}

    /// What is written so far.
    core::BytesView written() const { return out_.first(size_); }
    std::size_t size() const { return size_; }

    /// At most 31 blocks each.
    bool sender_report(std::uint32_t sender_ssrc, const SenderInfo& info, std::span<const ReportBlock> blocks = {});
    bool receiver_report(std::uint32_t sender_ssrc, std::span<const ReportBlock> blocks = {});
    /// At most 255 bytes.
    bool description(std::uint32_t ssrc, std::string_view cname);
    bool bye(std::uint32_t ssrc);
    /// Sequence numbers in rising order (wrap allowed) pack best: 17 consecutive ones take four bytes. Not empty.
    bool nack(std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::span<const std::uint16_t> lost);
    bool pli(std::uint32_t sender_ssrc, std::uint32_t media_ssrc);
    bool fir(std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::uint8_t sequence);
    /// At most 255 ssrcs.
    bool remb(std::uint32_t sender_ssrc, std::uint64_t bitrate_bps, std::span<const std::uint32_t> ssrcs);

    /// Reports on all numbers from `begin_sequence` up to the last arrival taken; numbers without an arrival are lost.
    /// `arrivals` is sorted by sequence without repeats and starts at or behind `begin_sequence`. Returns how many
    /// arrivals were taken: fewer than given when they do not fit one packet (room, a pause of more than 8 s, more than
    /// `kMaxFeedbackStatuses` numbers); then report the rest in another one, beginning behind the last taken. 0:
    /// nothing was written.
    std::size_t transport_feedback(std::uint32_t sender_ssrc, std::uint32_t media_ssrc, std::uint8_t feedback_count,
                                   std::int64_t begin_sequence, std::span<const PacketArrival> arrivals);

  private:
    /// Makes room for a packet with a body of that many bytes (a multiple of four) and writes the common header;
    /// returns the body, or null.
    std::uint8_t* begin(std::uint8_t type, std::uint8_t count, std::size_t body_size);

    std::span<std::uint8_t> out_;
    std::size_t size_ = 0;
};

/// More numbers than this are never put into one feedback packet (about a second of the fastest transport here).
inline constexpr std::size_t kMaxFeedbackStatuses = 2048;

}  // namespace media::wire
