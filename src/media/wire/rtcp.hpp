// RTCP: walking over a compound packet, and the report, description and goodbye packets (RFC 3550 section 6).
// Feedback packets are in rtcp_feedback.hpp and transport_feedback.hpp, the writer in rtcp_writer.hpp.
//
// Views live as long as the buffer. Nothing here allocates. Any thread; a view belongs to whoever owns the buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/bytes.hpp"
#include "media/wire/byte_io.hpp"

namespace media::wire {

namespace rtcp_type {
inline constexpr std::uint8_t kSenderReport = 200;
inline constexpr std::uint8_t kReceiverReport = 201;
inline constexpr std::uint8_t kDescription = 202;
inline constexpr std::uint8_t kBye = 203;
inline constexpr std::uint8_t kApp = 204;
inline constexpr std::uint8_t kTransportFeedback = 205;  ///< RTPFB: NACK (1), transport-cc (15).
inline constexpr std::uint8_t kPayloadFeedback = 206;    ///< PSFB: PLI (1), FIR (4), REMB (15).
inline constexpr std::uint8_t kExtendedReport = 207;
}  // namespace rtcp_type

/// One packet of a compound.
struct RtcpView {
    std::uint8_t type = 0;
    std::uint8_t count = 0;  ///< Report count, source count, or feedback message type (FMT).
    core::BytesView body{};  ///< Behind the four-byte common header, without padding.
};

/// Walks over the packets of a compound (or of a reduced-size one, RFC 5506: any packet may be first).
class RtcpReader {
  public:
    explicit RtcpReader(core::BytesView compound) : rest_(compound) {}
    /// The next packet; null at the end or at the first malformed one.
    std::optional<RtcpView> next();
    /// After `next` gave null: whether bytes were left that are no RTCP packet.
    bool malformed() const { return malformed_; }

  private:
    core::BytesView rest_;
    bool malformed_ = false;
};

struct ReportBlock {
    std::uint32_t ssrc = 0;                 ///< The stream that is reported on.
    std::uint8_t fraction_lost = 0;         ///< Of 256, since the last report.
    std::int32_t cumulative_lost = 0;       ///< 24 bits, signed.
    std::uint32_t highest_sequence = 0;     ///< Extended: cycles in the upper half.
    std::uint32_t jitter = 0;               ///< In timestamp units.
    std::uint32_t last_sr = 0;              ///< Middle 32 bits of the NTP time of the last SR; 0: none yet.
    std::uint32_t delay_since_last_sr = 0;  ///< In 1/65536 s.
    friend bool operator==(const ReportBlock&, const ReportBlock&) = default;
};

struct SenderInfo {
    std::uint64_t ntp = 0;  ///< 32.32 fixed point, seconds since 1900.
    std::uint32_t rtp_timestamp = 0;
    std::uint32_t packets = 0;
    std::uint32_t octets = 0;
    friend bool operator==(const SenderInfo&, const SenderInfo&) = default;
};

/// SR or RR.
class RtcpReport {
  public:
    /// Null when it is neither, or too short for its count.
    static std::optional<RtcpReport> parse(const RtcpView& view);

    std::uint32_t sender_ssrc() const { return load_u32(body_.data()); }
    /// Null for a receiver report.
    std::optional<SenderInfo> sender_info() const;
    std::size_t block_count() const { return count_; }
    /// `index` < block_count().
    ReportBlock block(std::size_t index) const;

  private:
    core::BytesView body_;
    std::uint8_t count_ = 0;
    bool is_sender_report_ = false;
};

/// SDES; only CNAMEs are looked at.
struct RtcpCname {
    std::uint32_t ssrc = 0;
    std::string_view cname{};
};
/// The first CNAME item, or null.
std::optional<RtcpCname> find_cname(const RtcpView& view);

class RtcpBye {
  public:
    static std::optional<RtcpBye> parse(const RtcpView& view);
    std::size_t count() const { return count_; }
    /// `index` < count().
    std::uint32_t ssrc(std::size_t index) const { return load_u32(body_.data() + 4 * index); }

  private:
    core::BytesView body_;
    std::uint8_t count_ = 0;
};

/// The middle 32 bits of an NTP time, as `ReportBlock::last_sr` wants it.
constexpr std::uint32_t middle_of_ntp(std::uint64_t ntp) {
    return static_cast<std::uint32_t>(ntp >> 16);
}
/// NTP form of a time in microseconds since 1970.
std::uint64_t ntp_from_unix_us(std::int64_t us);

}  // namespace media::wire
