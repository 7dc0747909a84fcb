// When a packet's picture was taken, from the sender's reports (RFC 3550 section 6.4.1): simulcast layers of one camera
// count their timestamps from different beginnings, but report them against one clock. Owned by one source; the
// meeting's thread only.
#pragma once

#include <cstdint>
#include <optional>

namespace media::layers {

class StreamClock {
  public:
    static constexpr std::int64_t kRate = 90'000;

    /// From a sender report: the same instant on the sender's clock (NTP format) and on the stream's.
    void on_sender_report(std::uint64_t ntp, std::uint32_t rtp_timestamp) {
        // Whole seconds and fractions apart: their product with a million would not fit.
        ntp_us_ = static_cast<std::int64_t>((ntp >> 32) * 1'000'000 + ((ntp & 0xFFFF'FFFF) * 1'000'000 >> 32));
        rtp_ = rtp_timestamp;
        known_ = true;
    }
    void restart() { known_ = false; }
    bool known() const { return known_; }

    /// What `timestamp` of another stream with the same sender's clock is on this stream's own.
    std::optional<std::uint32_t> translate(const StreamClock& other, std::uint32_t timestamp) const {
        if (!known_ || !other.known_) return std::nullopt;
        const std::int64_t apart = (other.ntp_us_ - ntp_us_) * (kRate / 1000) / 1000;
        return rtp_ + static_cast<std::uint32_t>(apart) + (timestamp - other.rtp_);
    }

  private:
    std::int64_t ntp_us_ = 0;
    std::uint32_t rtp_ = 0;
    bool known_ = false;
};

}  // namespace media::layers
