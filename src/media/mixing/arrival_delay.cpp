#include "media/mixing/arrival_delay.hpp"

#include <algorithm>
#include <cstdlib>

namespace media::mixing {

namespace {
constexpr std::int64_t kJump = 48'000;
constexpr float kForget = 0.996F;  // A packet counts half after three and a half seconds.
constexpr float kInTime = 0.98F;
// Before anything is known: some jitter, as most links have.
constexpr std::size_t kExpected = 3;

std::int64_t in_samples(Time time) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
    return us * 48 / 1000;
}
}  // namespace

void ArrivalDelay::restart(std::int64_t transit, Time arrival) {
    started_ = true;
    last_transit_ = least_ = transit;
    minima_.fill(transit);
    newest_ = 0;
    next_minimum_ = arrival + kMinimum;
    histogram_.fill(0);
    histogram_[kExpected] = 1;
    target_ = static_cast<std::int64_t>(kExpected + 1) * kBucket + kLeast;
}

bool ArrivalDelay::take(std::int64_t timestamp, Time arrival) {
    const std::int64_t transit = in_samples(arrival) - timestamp;
    const bool jumped = started_ && std::abs(transit - last_transit_) > kJump;
    if (!started_ || jumped) restart(transit, arrival);
    last_transit_ = transit;
    learn(transit, arrival);
    return !jumped;
}

void ArrivalDelay::learn(std::int64_t transit, Time arrival) {
    for (std::size_t i = 0; arrival >= next_minimum_; ++i) {
        // After a long pause all of them are old.
        if (i == kMinima) next_minimum_ = arrival;
        newest_ = (newest_ + 1) % kMinima;
        minima_[newest_] = transit;
        next_minimum_ += kMinimum;
    }
    minima_[newest_] = std::min(minima_[newest_], transit);
    least_ = *std::ranges::min_element(minima_);

    const std::int64_t delay = transit - least_;
    const auto bucket = static_cast<std::size_t>(std::min<std::int64_t>(delay / kBucket, kBuckets - 1));
    for (float& share : histogram_) share *= kForget;
    histogram_[bucket] += 1 - kForget;
    float sum = 0;
    std::size_t reached = 0;
    while (reached + 1 < kBuckets && (sum += histogram_[reached]) < kInTime) ++reached;
    target_ = std::clamp(static_cast<std::int64_t>(reached + 1) * kBucket + kLeast, kLeast, kMost);
}

std::optional<std::int64_t> ArrivalDelay::position(Time now) const {
    if (!started_) return std::nullopt;
    return in_samples(now) - least_ - target_;
}

}  // namespace media::mixing
