#include "media/congestion/delay_rate.hpp"

#include <algorithm>
#include <cmath>

namespace media::congestion {

namespace {
// Draft section 5.5.
constexpr double kBeta = 0.85;
constexpr double kGrowthPerSecond = 0.08;
constexpr double kMostOverDelivered = 1.5;
constexpr double kSlackBps = 10'000;
constexpr double kCapacitySmoothing = 0.05;
// Half a packet of 1,200 bytes for each response time, but so much at least.
constexpr double kHalfPacketBits = 4'800;
constexpr double kLeastGrowthBps = 4'000;
// The detector needs this long on top of a round trip to see the effect of a change.
constexpr double kDetectorSeconds = 0.1;
// Less is sent than this share of the estimate: the sender has no more to send.
constexpr double kUnused = 0.85;
constexpr double kAllDelivered = 0.92;

double seconds_of(Time::duration duration) {
    return std::chrono::duration<double>(duration).count();
}
}  // namespace

double DelayRate::Capacity::spread() const {
    return 3 * std::sqrt(deviation_ * kbps_);
}

double DelayRate::Capacity::above() const {
    return (kbps_ + spread()) * 1000;
}

double DelayRate::Capacity::below() const {
    return (kbps_ - spread()) * 1000;
}

void DelayRate::Capacity::take(double bps) {
    const double kbps = bps / 1000;
    if (known_ && bps < below()) known_ = false;
    if (!known_) {
        known_ = true;
        kbps_ = kbps;
        return;
    }
    kbps_ += kCapacitySmoothing * (kbps - kbps_);
    const double error = kbps_ - kbps;
    deviation_ += kCapacitySmoothing * (error * error / std::max(kbps_, 1.0) - deviation_);
    deviation_ = std::clamp(deviation_, kLeastDeviation, kMostDeviation);
}

std::uint64_t DelayRate::bounded(double bps) const {
    return std::clamp(static_cast<std::uint64_t>(std::max(bps, 0.0)), bounds_.floor, bounds_.cap);
}

void DelayRate::set(std::uint64_t bps, Time now) {
    bps_ = std::clamp(bps, bounds_.floor, bounds_.cap);
    updated_ = now;
    shrunk_ = now;
}

void DelayRate::update(const Seen& seen, Time now) {
    const double seconds = updated_ ? std::clamp(seconds_of(now - *updated_), 0.0, 1.0) : 0.0;
    updated_ = now;
    switch (seen.use) {
        case LinkUse::over:
            over_at_ = now;
            draining_ = true;
            shrink(seen, now);
            break;
        case LinkUse::under:
            // The queue empties: growing now would fill it again.
            draining_ = true;
            break;
        case LinkUse::normal:
            if (draining_) {
                draining_ = false;
            } else {
                grow(seen, seconds);
            }
            break;
    }
}

void DelayRate::grow(const Seen& seen, double seconds) {
    const double delivered = static_cast<double>(seen.delivered_bps);
    if (seen.delivered_bps == 0) return;
    if (capacity_.known() && delivered > capacity_.above()) capacity_.reset();
    const double rate = static_cast<double>(bps_);
    double step = rate * kGrowthPerSecond * seconds;
    if (capacity_.known()) {
        const double response = seconds_of(seen.round_trip) + kDetectorSeconds;
        step = std::max(kLeastGrowthBps, kHalfPacketBits / response) * seconds;
    }
    // A rate that nobody has tried is no estimate.
    const double limit = std::max(delivered * kMostOverDelivered + kSlackBps, rate);
    bps_ = bounded(std::min(rate + step, limit));
}

void DelayRate::shrink(const Seen& seen, Time now) {
    const double rate = static_cast<double>(bps_);
    // While the queue grows the link is full, so the last moment shows best what it carries.
    const double delivered = static_cast<double>(std::max(seen.delivered_bps, seen.latest_bps));
    // What was done must show first, unless it was by far too little.
    if (shrunk_ && delivered > rate / 2 && now - *shrunk_ < seen.round_trip + std::chrono::milliseconds(100)) return;
    shrunk_ = now;
    if (delivered <= 0) {
        bps_ = bounded(rate * kBeta);
        return;
    }
    const double sent = static_cast<double>(seen.sent_bps);
    if (sent < rate * kUnused && delivered > sent * kAllDelivered) {
        // Little is sent and all of it arrives: the delay is somebody else's doing, or a whim of the path. What arrives
        // says nothing about the capacity then.
        bps_ = bounded(rate * kBeta);
        return;
    }
    capacity_.take(delivered);
    bps_ = bounded(std::min(rate, delivered * kBeta));
}

}  // namespace media::congestion
