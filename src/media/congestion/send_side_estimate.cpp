#include "media/congestion/send_side_estimate.hpp"

#include <algorithm>

namespace media::congestion {

namespace {
// A burst may lift the estimate by no more than it was to try.
constexpr std::uint64_t kMostLift = 2;
}  // namespace

SendSideEstimate::SendSideEstimate(RateBounds bounds) : bounds_(bounds), delay_(bounds), loss_(bounds.floor) {}

std::uint64_t SendSideEstimate::bps() const {
    return std::max(bounds_.floor, std::min(delay_.bps(), loss_.bps()));
}

std::uint16_t SendSideEstimate::on_sent(std::size_t bytes, Time now) {
    const std::uint8_t probe = prober_.running();
    if (probe != 0) prober_.on_sent(bytes);
    if (!waiting_since_) waiting_since_ = now;
    return history_.add(now, bytes, probe);
}

std::int64_t SendSideEstimate::unwrap_arrival(std::int64_t arrival_us) {
    if (!last_arrival_us_) {
        last_arrival_us_ = arrival_us;
        return arrival_us;
    }
    constexpr std::int64_t kPeriod = wire::kTransportFeedbackPeriodUs;
    std::int64_t step = (arrival_us - *last_arrival_us_) % kPeriod;
    if (step > kPeriod / 2) step -= kPeriod;
    if (step < -kPeriod / 2) step += kPeriod;
    const std::int64_t wide = *last_arrival_us_ + step;
    last_arrival_us_ = std::max(*last_arrival_us_, wide);
    return wide;
}

void SendSideEstimate::on_feedback(const wire::TransportFeedback& feedback, std::chrono::microseconds round_trip,
                                   Time now) {
    round_trip_ = round_trip;
    bool any = false;
    bool over = false;
    auto cursor = feedback.statuses();
    while (const auto status = cursor.next()) {
        const SendHistory::Answer answer = history_.answer(status->sequence, status->received);
        if (answer.news == SendHistory::News::none) continue;
        any = true;
        const SendHistory::Packet& packet = answer.packet;
        if (answer.news == SendHistory::News::lost) {
            loss_.lost(packet.sent_us);
            sent_.take(packet.sent_us, packet.bytes);
            prober_.on_answer(packet, false, 0);
            continue;
        }
        const std::int64_t arrival_us = unwrap_arrival(status->arrival_us);
        delivered_.take(arrival_us, packet.bytes);
        if (answer.news == SendHistory::News::late) {
            loss_.late();
            continue;
        }
        loss_.received(packet.sent_us);
        sent_.take(packet.sent_us, packet.bytes);
        prober_.on_answer(packet, true, arrival_us);
        trend_.on_packet(packet.sent_us, arrival_us);
        queue_.take(packet.sent_us, arrival_us);
        over = over || trend_.use() == LinkUse::over;
    }
    if (!any) return;
    if (!first_feedback_) first_feedback_ = now;
    last_feedback_ = now;
    waiting_since_.reset();

    take_probe(now);
    const std::uint64_t before = bps();
    over = queue_.turn(sent_.bps(), now) || over;
    LinkUse use = over ? LinkUse::over : trend_.use();
    if (use == LinkUse::normal && queue_.grown()) use = LinkUse::under;
    // The queue that a probe makes is its own: it says how fast the link is, not that the media is too much for it.
    if (use == LinkUse::over && prober_.waiting()) use = LinkUse::under;
    delay_.update({.use = use,
                   .delivered_bps = delivered_.bps(),
                   .latest_bps = delivered_.latest_bps(),
                   .sent_bps = sent_.bps(),
                   .round_trip = round_trip},
                  now);
    loss_.update({.allowed_bps = std::min(before, bps()),
                  .delay_bps = delay_.bps(),
                  .sent_bps = sent_.bps(),
                  .queued = queue_.grown()},
                 round_trip, now);
    // Not far above what the losses allow: else the day they are gone comes as a flood.
    if (loss_.bps() != LossLimit::kNone && delay_.bps() > 2 * loss_.bps()) delay_.set(2 * loss_.bps(), now);
}

void SendSideEstimate::take_probe(Time now) {
    const auto found = prober_.result(now);
    if (!found) return;
    if (found->bps > bps()) {
        const std::uint64_t lifted = std::min(found->bps, kMostLift * bps());
        loss_.lift(lifted);
        delay_.set(std::max(lifted, delay_.bps()), now);
    } else if (trend_.use() == LinkUse::over) {
        delay_.set(found->bps, now);
    }
}

void SendSideEstimate::on_silence(Time now) {
    delay_.set(bps() * 4 / 5, now);
    waiting_since_ = now - kSilence + std::chrono::seconds(1);
}

std::size_t SendSideEstimate::tick(std::uint64_t wanted_bps, Time now) {
    if (!first_feedback_) return 0;
    if (waiting_since_ && now - *waiting_since_ > kSilence + round_trip_) on_silence(now);
    take_probe(now);
    return prober_.due({.estimate_bps = bps(),
                        .wanted_bps = fresh(now) ? std::min(wanted_bps, bounds_.cap) : 0,
                        .over_at = delay_.over_at(),
                        .round_trip = round_trip_},
                       now);
}

}  // namespace media::congestion
