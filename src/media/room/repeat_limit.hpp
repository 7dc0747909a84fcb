// How often a receiver may be sent the same packet again, and how many bytes of repeats in all. Answering every NACK on
// a narrow link turns loss into collapse.
//
// Owned by one subscription (RepeatLimit) and one receiver (RepeatBudget); the meeting's thread only.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "media/room/media_settings.hpp"

namespace media::room {

/// At most one repeat of a packet in a round trip, and `kMaxRepeats` in all.
class RepeatLimit {
  public:
    static constexpr std::uint8_t kMaxRepeats = 5;
    static constexpr auto kShortest = std::chrono::milliseconds(30);
    static constexpr auto kLongest = std::chrono::milliseconds(1000);

    /// Whether the packet may be repeated now; remembers it as repeated when so.
    bool take(std::uint16_t sequence, Time now, std::chrono::microseconds round_trip);

  private:
    struct Entry {
        std::uint16_t sequence = 0;
        std::uint8_t count = 0;
        std::uint32_t last_ms = 0;  ///< Modulo 50 days.
    };
    // Direct-mapped: a newer number evicts an older one, whose limit then begins anew; the byte budget bounds that.
    std::array<Entry, 256> entries_{};
};

/// A token bucket for the bytes of repeats.
class RepeatBudget {
  public:
    static constexpr std::int64_t kBurstBytes = 48'000;
    static constexpr std::uint64_t kDefaultBps = 500'000;
    static constexpr std::uint64_t kLeastBps = 64'000;
    static constexpr std::uint64_t kMostBps = 1'500'000;

    /// A quarter of what the receiver can take; 0 = not known.
    void set_estimate(std::uint64_t receiver_bps);
    bool take(std::size_t bytes, Time now);

  private:
    std::uint64_t rate_bps_ = kDefaultBps;
    std::int64_t tokens_ = kBurstBytes;
    Time last_{};
};

}  // namespace media::room
