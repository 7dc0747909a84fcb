#include "media/congestion/prober.hpp"

#include <algorithm>

namespace media::congestion {

namespace {
constexpr int kBursts = 7;
// Packets sent closer together than this left in one burst.
constexpr std::int64_t kGroupUs = 2'500;
constexpr std::int64_t kLeastSpanUs = 15'000;
constexpr auto kShortestPause = std::chrono::seconds(5);
constexpr auto kLongestPause = std::chrono::seconds(40);
// After the link was full: it is not full any more only because the queue is gone.
constexpr auto kCalm = std::chrono::seconds(4);
constexpr auto kMostElapsed = std::chrono::milliseconds(10);
constexpr auto kLongestAnswer = std::chrono::seconds(1);
// Growing this little is not worth a burst.
constexpr double kWorthwhile = 1.1;
constexpr double kStep = 2;
constexpr double kAboveWanted = 1.25;
// Less would be too few packets to measure anything by.
constexpr double kLeastTargetBps = 400'000;
// The path spreads the burst: it was faster than the link, and what arrived is all of it.
constexpr double kSpread = 0.9;
constexpr double kBelowMeasured = 0.95;
}  // namespace

bool Prober::may_begin(const Link& link, Time now) const {
    if (waiting_ || static_cast<double>(link.wanted_bps) < static_cast<double>(link.estimate_bps) * kWorthwhile) {
        return false;
    }
    if (next_at_ && now < *next_at_) return false;
    return !link.over_at || now - *link.over_at >= kCalm;
}

void Prober::begin(const Link& link, Time now) {
    number_ = number_ == 255 ? 1 : number_ + 1;
    bursts_left_ = kBursts;
    waiting_ = true;
    const double target =
        std::min(static_cast<double>(link.estimate_bps) * kStep, static_cast<double>(link.wanted_bps) * kAboveWanted);
    target_bps_ = static_cast<std::uint64_t>(std::max(target, kLeastTargetBps));
    packets_sent_ = 0;
    answers_ = {};
    // The first burst is of the length of a tick, as the others.
    last_ = now - std::chrono::milliseconds(5);
    owed_ = 0;
    give_up_at_ = now + link.round_trip + kLongestAnswer;
}

std::size_t Prober::due(const Link& link, Time now) {
    if (bursts_left_ == 0) {
        if (!may_begin(link, now)) return 0;
        begin(link, now);
    } else if (--bursts_left_ == 0) {
        return 0;
    }
    const auto elapsed = std::clamp<Time::duration>(now - last_, Time::duration::zero(), kMostElapsed);
    last_ = now;
    owed_ += static_cast<std::int64_t>(target_bps_) *
             std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count() / 8'000'000;
    return static_cast<std::size_t>(std::max<std::int64_t>(owed_, 0));
}

void Prober::on_sent(std::size_t bytes) {
    ++packets_sent_;
    owed_ -= static_cast<std::int64_t>(bytes);
}

void Prober::on_answer(const SendHistory::Packet& packet, bool received, std::int64_t arrival_us) {
    if (!waiting_ || packet.probe != number_) return;
    Answers& a = answers_;
    if (++a.packets == 1) {
        a.first_sent = packet.sent_us;
        a.group_sent = packet.sent_us;
    }
    if (packet.sent_us - a.group_sent > kGroupUs) a.group_sent = packet.sent_us;
    if (!received) return;
    ++a.received;
    a.last_arrival = std::max(a.last_arrival, arrival_us);
    if (a.group_sent == a.first_sent) {
        a.first_arrival = a.last_arrival;
    } else {
        a.bytes += packet.bytes;
    }
}

std::optional<Prober::Found> Prober::measured() const {
    const Answers& a = answers_;
    if (a.received < 4 || a.received * 5 < packets_sent_ * 4 || a.first_arrival == 0) return std::nullopt;
    const std::int64_t sent_us = a.group_sent - a.first_sent;
    const std::int64_t arrived_us = a.last_arrival - a.first_arrival;
    if (sent_us < kLeastSpanUs || arrived_us <= 0) return std::nullopt;
    // The same bytes, by the time they took to leave and to arrive.
    const double bits = static_cast<double>(a.bytes) * 8e6;
    const double sent_bps = bits / static_cast<double>(sent_us);
    const double arrived_bps = bits / static_cast<double>(arrived_us);
    const bool limited = arrived_bps < kSpread * sent_bps;
    const double bps = limited ? kBelowMeasured * arrived_bps : std::min(sent_bps, arrived_bps);
    return Found{static_cast<std::uint64_t>(bps), limited};
}

std::optional<Prober::Found> Prober::result(Time now) {
    if (!waiting_ || bursts_left_ != 0) return std::nullopt;
    const bool complete = packets_sent_ != 0 && answers_.packets >= packets_sent_;
    if (!complete && now < give_up_at_) return std::nullopt;
    waiting_ = false;
    const auto found = measured();
    if (found && !found->limited) {
        pause_ = kShortestPause;
        next_at_ = now;
    } else {
        next_at_ = now + pause_;
        pause_ = std::min(2 * pause_, std::chrono::seconds(kLongestPause));
    }
    return found;
}

}  // namespace media::congestion
