#include "media/congestion/queue_delay.hpp"

#include <algorithm>

namespace media::congestion {

namespace {
constexpr auto kLasting = std::chrono::milliseconds(300);
constexpr auto kShows = std::chrono::seconds(1);
constexpr auto kForgotten = std::chrono::seconds(4);
constexpr int kMostInVain = 3;
constexpr std::int64_t kSpreadSmoothing = 8;
constexpr std::int64_t kMostSpreadUs = 40'000;
}  // namespace

bool QueueDelay::turn(std::uint64_t sent_bps, Time now) {
    if (latest_ == kUnknown) return false;
    if (!slot_since_) slot_since_ = now;
    if (now - *slot_since_ >= kSlot) {
        slot_since_ = now;
        slot_ = (slot_ + 1) % least_.size();
        least_[slot_] = kUnknown;
    }
    least_[slot_] = std::min(least_[slot_], latest_);
    queue_us_ = latest_ - *std::ranges::min_element(least_);
    // Not more: on a thin line a burst of our own spreads itself.
    spread_us_ += (std::min(most_ - latest_, kMostSpreadUs) - spread_us_) / kSpreadSmoothing;
    latest_ = kUnknown;
    most_ = std::numeric_limits<std::int64_t>::min();

    if (queue_us_ * 2 < accepted_us_) accepted_us_ = 0;
    if (queue_us_ <= accepted_us_ + spread_us_ + kMostUs) {
        high_since_.reset();
        return false;
    }
    if (!high_since_) high_since_ = now;
    if (now - *high_since_ < kLasting) return false;
    if (asked_ && now - *asked_ < kShows) return false;
    const bool recently = asked_ && now - *asked_ < kForgotten;
    const bool obeyed = sent_bps * 20 < asked_at_bps_ * 19;
    if (!recently || queue_us_ * 10 <= asked_at_us_ * 9) {
        in_vain_ = 0;
    } else if (obeyed) {
        ++in_vain_;
    }
    if (in_vain_ >= kMostInVain) {
        accepted_us_ = queue_us_;
        in_vain_ = 0;
        return false;
    }
    asked_ = now;
    if (in_vain_ == 0) {
        asked_at_us_ = queue_us_;
        asked_at_bps_ = sent_bps;
    }
    return true;
}

}  // namespace media::congestion
