// How late the packets of one sender come, and how long a buffer has to hold them so that nearly all are in time.
//
// A packet's transit is its arrival minus its timestamp. The least transit of the last seconds is the sender's clock as
// seen from here, drift and routes included; what a packet takes longer is its delay. Delays go into a histogram that
// forgets, and the target is the delay that 98 of 100 packets stay below, plus one frame because a frame is played from
// its first sample on.
//
// Owned by one Source; the meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace media::mixing {

using Time = std::chrono::steady_clock::time_point;

class ArrivalDelay {
  public:
    /// Bounds of the target, in samples: 20 to 200 ms.
    static constexpr std::int64_t kLeast = 960;
    static constexpr std::int64_t kMost = 9600;

    /// False: this packet's timestamp has nothing to do with the ones before (a new clock, or an outage of a second);
    /// what was learnt is forgotten, and packets from before must be, too.
    bool take(std::int64_t timestamp, Time arrival);

    /// Samples.
    std::int64_t target() const { return target_; }
    /// The timestamp whose turn it is at `now` when everything is held for `target()`; null before the first packet.
    std::optional<std::int64_t> position(Time now) const;

  private:
    static constexpr std::int64_t kBucket = 240;  ///< 5 ms.
    static constexpr std::size_t kBuckets = 41;   ///< Up to 200 ms; the last one takes all that is more.
    static constexpr std::size_t kMinima = 8;
    static constexpr auto kMinimum = std::chrono::milliseconds(500);

    void restart(std::int64_t transit, Time arrival);
    void learn(std::int64_t transit, Time arrival);

    bool started_ = false;
    std::int64_t last_transit_ = 0;
    std::array<std::int64_t, kMinima> minima_{};  ///< Of half seconds; the one at `newest_` is growing.
    std::size_t newest_ = 0;
    Time next_minimum_{};
    std::int64_t least_ = 0;  ///< Of all `minima_`.
    std::array<float, kBuckets> histogram_{};
    std::int64_t target_ = 2 * kLeast;
};

}  // namespace media::mixing
