// Tells pictures that waited in their sender while the way from there was away.
//
// A sender paces: what it could not send during an outage comes first when the way is back, seconds after it was taken.
// Passed on, it would show a receiver a way that has become seconds longer, and the receiver would hold back everything
// behind it for as long (its playout follows the latest arrivals). Nobody wants to see these pictures any more.
// Owned by one source; the meeting's thread only. Allocates nothing.
#pragma once

#include <chrono>
#include <cstdint>

#include "media/room/media_settings.hpp"

namespace media::room {

class StalePictures {
  public:
    /// Shorter silences are a matter of the jitter buffer.
    static constexpr auto kSilence = std::chrono::milliseconds(1000);
    /// After a silence of hours the two clocks have drifted apart, or timestamps gone round.
    static constexpr auto kLongestSilence = std::chrono::minutes(10);
    /// So late a picture may be: what a key frame takes on a thin line.
    static constexpr auto kLate = std::chrono::milliseconds(500);
    /// A way that stays longer than it was is how it is now.
    static constexpr auto kPatience = std::chrono::milliseconds(2000);

    enum class Verdict : std::uint8_t {
        fresh,
        first_stale,  ///< There was an outage; this is the first packet after it.
        stale,
    };

    /// Takes the packets with a payload, in the order of their numbers; repeats not. `timestamp`: of 90 kHz.
    Verdict take(std::uint32_t timestamp, Time arrival) {
        if (!known_) {
            remember(timestamp, arrival);
            known_ = true;
            return Verdict::fresh;
        }
        if (returning_) {
            if (arrival - returned_ <= kPatience && late(timestamp, arrival)) return Verdict::stale;
            returning_ = false;
            remember(timestamp, arrival);
            return Verdict::fresh;
        }
        const auto silence = arrival - heard_;
        if (silence >= kSilence && silence <= kLongestSilence && late(timestamp, arrival)) {
            returning_ = true;
            returned_ = arrival;
            return Verdict::first_stale;
        }
        remember(timestamp, arrival);
        return Verdict::fresh;
    }

    /// The timestamps began anew.
    void restart() { *this = {}; }

  private:
    void remember(std::uint32_t timestamp, Time arrival) {
        timestamp_ = timestamp;
        heard_ = arrival;
    }
    /// Taken during the silence, by the time between it and the last picture before. What is said to be older than that
    /// comes from a sender that counts otherwise.
    bool late(std::uint32_t timestamp, Time arrival) const {
        const auto ticks = static_cast<std::int32_t>(timestamp - timestamp_);
        const auto apart = std::chrono::microseconds(std::int64_t{ticks} * 100 / 9);
        const auto lateness = arrival - heard_ - apart;
        return lateness > kLate && ticks >= 0;
    }

    bool known_ = false;
    bool returning_ = false;
    std::uint32_t timestamp_ = 0;  ///< Of the last fresh packet …
    Time heard_{};                 ///< … and its arrival.
    Time returned_{};
};

}  // namespace media::room
