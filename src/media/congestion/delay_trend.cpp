#include "media/congestion/delay_trend.hpp"

#include <algorithm>
#include <cmath>

namespace media::congestion {

namespace {
// Packets sent within this time are one group: pacers and frames send in bursts (draft section 5.2).
constexpr std::int64_t kBurstUs = 5'000;
// A link that was held up gives out what waited in one go; that counts as one group too, but not for longer than this.
constexpr std::int64_t kLongestBurstUs = 100'000;
// A clock that jumped, or a path that was away.
constexpr std::int64_t kBreakUs = 3'000'000;
constexpr int kMaxReordered = 3;

constexpr double kSmoothing = 0.9;
// The slope is per group; it is weighed by how many groups stand behind it, to be compared with a queue in ms.
constexpr double kGain = 4;
constexpr int kMostWeight = 60;
// MMSys 2016 section 4.3, table 1.
constexpr double kUp = 0.0087;
constexpr double kDown = 0.039;
constexpr double kLeastThreshold = 6;
constexpr double kMostThreshold = 600;
// A spike far above the threshold must not lift it.
constexpr double kSpike = 15;
constexpr double kOverTimeMs = 10;
}  // namespace

bool DelayTrend::belongs(std::int64_t sent_us, std::int64_t arrival_us) const {
    if (sent_us - current_.first_sent <= kBurstUs) return true;
    const std::int64_t arrived = arrival_us - current_.last_arrival;
    const bool closes_in = arrived < sent_us - current_.last_sent;
    return closes_in && arrived <= kBurstUs && arrival_us - current_.first_arrival < kLongestBurstUs;
}

void DelayTrend::restart() {
    const double threshold = threshold_;
    *this = DelayTrend{};
    threshold_ = threshold;
}

void DelayTrend::on_packet(std::int64_t sent_us, std::int64_t arrival_us) {
    if (has_current_ && std::abs(arrival_us - current_.last_arrival) > kBreakUs) restart();
    if (!has_current_) {
        current_ = {sent_us, sent_us, arrival_us, arrival_us};
        has_current_ = true;
        return;
    }
    if (sent_us < current_.first_sent) return;  // Of a group that is closed.
    if (belongs(sent_us, arrival_us)) {
        current_.last_sent = std::max(current_.last_sent, sent_us);
        current_.last_arrival = std::max(current_.last_arrival, arrival_us);
        return;
    }
    if (has_previous_) {
        const std::int64_t arrived = current_.last_arrival - previous_.last_arrival;
        const std::int64_t sent = current_.last_sent - previous_.last_sent;
        if (arrived < 0) {
            if (++reordered_ >= kMaxReordered) return restart();
        } else {
            reordered_ = 0;
            on_variation(static_cast<double>(sent) / 1000, static_cast<double>(arrived) / 1000, current_.last_arrival);
        }
    }
    previous_ = current_;
    has_previous_ = true;
    current_ = {sent_us, sent_us, arrival_us, arrival_us};
}

void DelayTrend::on_variation(double sent_ms, double arrival_ms, std::int64_t arrival_us) {
    if (variations_ == 0) first_arrival_us_ = arrival_us;
    variations_ = std::min(variations_ + 1, kMostWeight);
    delay_ += arrival_ms - sent_ms;
    smoothed_ = kSmoothing * smoothed_ + (1 - kSmoothing) * delay_;
    const double at = static_cast<double>(arrival_us - first_arrival_us_) / 1000;
    points_[next_] = {at, smoothed_};
    next_ = (next_ + 1) % kPoints;
    count_ = std::min(count_ + 1, kPoints);
    trend_ = count_ < kPoints ? 0 : slope() * variations_ * kGain;
    judge(sent_ms, at);
}

double DelayTrend::slope() const {
    double mean_at = 0;
    double mean_delay = 0;
    for (const Point& point : points_) {
        mean_at += point.at;
        mean_delay += point.delay;
    }
    mean_at /= kPoints;
    mean_delay /= kPoints;
    double above = 0;
    double below = 0;
    for (const Point& point : points_) {
        above += (point.at - mean_at) * (point.delay - mean_delay);
        below += (point.at - mean_at) * (point.at - mean_at);
    }
    return below > 0 ? above / below : 0;
}

void DelayTrend::judge(double sent_ms, double arrived_ms) {
    if (trend_ > threshold_) {
        // Section 4.3: only when it lasts, and not while the queue already drains.
        over_for_ms_ = over_for_ms_ < 0 ? sent_ms / 2 : over_for_ms_ + sent_ms;
        ++over_count_;
        if (over_for_ms_ > kOverTimeMs && over_count_ > 1 && trend_ >= previous_trend_) {
            over_for_ms_ = 0;
            over_count_ = 0;
            use_ = LinkUse::over;
        }
    } else {
        over_for_ms_ = -1;
        over_count_ = 0;
        use_ = trend_ < -threshold_ ? LinkUse::under : LinkUse::normal;
    }
    previous_trend_ = trend_;

    const double size = std::abs(trend_);
    const double passed = std::min(arrived_ms - judged_ms_, 100.0);
    judged_ms_ = arrived_ms;
    if (size > threshold_ + kSpike) return;
    threshold_ += (size < threshold_ ? kDown : kUp) * (size - threshold_) * passed;
    threshold_ = std::clamp(threshold_, kLeastThreshold, kMostThreshold);
}

}  // namespace media::congestion
