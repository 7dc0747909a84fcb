// How long packets wait on the way: their delay above the least of the last half minute. The trend of the delay
// (delay_trend.hpp) sees a queue grow but not that it stands; a standing one ruins a conversation just as well.
//
// A queue that does not go when we send less is somebody else's, as behind a TCP download; then it is put up with, or
// that flow would take everything (the concern of draft-ietf-rmcat-gcc-02 section 5.4). Owned by one estimate; the
// meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "media/congestion/send_history.hpp"

namespace media::congestion {

class QueueDelay {
  public:
    /// More than this is worth sending less for.
    static constexpr std::int64_t kMostUs = 100'000;
    /// With more than this the rate does not grow, and losses are no accident.
    static constexpr std::int64_t kSomeUs = 50'000;

    /// One packet that arrived. Times in microseconds, each on its own clock.
    void take(std::int64_t sent_us, std::int64_t arrival_us) {
        const std::int64_t delay = arrival_us - sent_us;
        if (delay < latest_) latest_ = delay;
        if (delay > most_) most_ = delay;
    }
    /// After each feedback. `sent_bps`: how much is sent. True: send less now.
    bool turn(std::uint64_t sent_bps, Time now);

    bool grown() const { return queue_us_ > accepted_us_ + spread_us_ + kSomeUs; }
    std::int64_t queue_us() const { return queue_us_; }

  private:
    static constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max();
    static constexpr auto kSlot = std::chrono::seconds(5);

    std::array<std::int64_t, 6> least_{kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown};  ///< By slots.
    std::size_t slot_ = 0;
    std::optional<Time> slot_since_;
    std::int64_t latest_ = kUnknown;  ///< The least since the last turn: jitter does not count.
    std::int64_t most_ = std::numeric_limits<std::int64_t>::min();
    std::int64_t queue_us_ = 0;
    std::int64_t spread_us_ =
        0;  ///< How far delays differ in one feedback, smoothed: a path with jitter has no steady least.
    std::int64_t accepted_us_ = 0;  ///< What did not go away.
    std::optional<Time> high_since_;
    std::optional<Time> asked_;
    std::int64_t asked_at_us_ = 0;
    std::uint64_t asked_at_bps_ = 0;
    int in_vain_ = 0;
};

}  // namespace media::congestion
