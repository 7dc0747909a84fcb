// What peers say about the streams: reports, repeats and key frames they ask for, what their links can take.
#include <algorithm>

#include "media/room/packet_router.hpp"
#include "media/room/packet_router_impl.hpp"
#include "media/wire/rtcp.hpp"
#include "media/wire/rtcp_feedback.hpp"
#include "media/wire/transport_feedback.hpp"

namespace media::room {

namespace {
// Looked at in one compound; an honest receiver asks for far less.
constexpr std::size_t kMaxNackedPerCompound = 512;
// Formats of RTPFB: RFC 4585 section 6.2.1, and transport-wide feedback.
constexpr std::uint8_t kNack = 1;
constexpr std::uint8_t kArrivals = 15;
constexpr auto kMostRoundTrip = std::chrono::seconds(5);

std::uint32_t middle_of(Time time) {
    return wire::middle_of_ntp(
        wire::ntp_from_unix_us(std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count()));
}
}  // namespace

void PacketRouter::on_rtcp(PeerId from, std::span<const std::uint8_t> compound, Time now) {
    RouterCounters& counters = impl_->counters;
    ++counters.rtcp_in;
    Peer* peer = impl_->find(from);
    if (peer == nullptr) {
        ++counters.dropped_unknown_peer;
        return;
    }
    impl_->clock = std::max(impl_->clock, now);
    peer->signal.heard(now);
    std::size_t allowance = kMaxNackedPerCompound;
    wire::RtcpReader reader(compound);
    while (const auto view = reader.next()) {
        switch (view->type) {
            case wire::rtcp_type::kSenderReport:
            case wire::rtcp_type::kReceiverReport:
                impl_->on_report(*peer, *view, now);
                break;
            case wire::rtcp_type::kTransportFeedback:
                if (view->count == kNack) {
                    impl_->on_nack(*peer, *view, allowance, now);
                } else if (view->count == kArrivals) {
                    impl_->on_arrivals(*peer, *view);
                }
                break;
            case wire::rtcp_type::kPayloadFeedback:
                impl_->on_payload_feedback(*peer, *view, now);
                break;
            default:
                break;
        }
    }
    if (reader.malformed()) ++counters.rtcp_malformed;
}

VideoSubscription* PacketRouter::Impl::subscription(Peer& peer, std::uint32_t ssrc) {
    const auto found = std::ranges::find_if(peer.subscriptions, [&](const auto& s) { return s->ssrc() == ssrc; });
    return found == peer.subscriptions.end() ? nullptr : found->get();
}

void PacketRouter::Impl::on_report(Peer& from, const wire::RtcpView& view, Time now) {
    const auto report = wire::RtcpReport::parse(view);
    if (!report) {
        ++counters.rtcp_malformed;
        return;
    }
    if (const auto info = report->sender_info()) {
        if (report->sender_ssrc() == from.audio_in.settings.ssrc) {
            from.audio_in.stats.on_sender_report(info->ntp, now);
        } else {
            for (const auto& source : from.videos) {
                if (report->sender_ssrc() != source->ssrc()) continue;
                source->stats.on_sender_report(info->ntp, now);
                source->clock.on_sender_report(info->ntp, info->rtp_timestamp);
            }
        }
    }
    for (std::size_t i = 0; i < report->block_count(); ++i) {
        const wire::ReportBlock block = report->block(i);
        if (block.ssrc == from.audio_out.settings.ssrc) from.audio_out.loss.take(block.fraction_lost);
        if (block.ssrc != from.audio_out.settings.ssrc && subscription(from, block.ssrc) == nullptr) continue;
        from.reported_loss = std::max(from.reported_loss, block.fraction_lost / 256.0);
        if (block.last_sr == 0) continue;
        // RFC 3550 section 6.4.1: in 1/65536 s, modulo 18 hours.
        const std::uint32_t units = middle_of(now) - block.last_sr - block.delay_since_last_sr;
        const auto measured = std::chrono::microseconds(std::uint64_t{units} * 1'000'000 / 65536);
        if (measured > kMostRoundTrip) continue;
        from.round_trip = from.round_trip_known ? (from.round_trip * 7 + measured) / 8 : measured;
        from.round_trip_known = true;
    }
}

void PacketRouter::Impl::on_arrivals(Peer& from, const wire::RtcpView& view) {
    const auto feedback = wire::TransportFeedback::parse(view);
    if (!feedback) {
        ++counters.rtcp_malformed;
        return;
    }
    congestion::SendSideEstimate* estimate = from.link.estimate();
    if (estimate == nullptr) return;
    estimate->on_feedback(*feedback, from.round_trip, clock);
    refresh_link(from);
}

void PacketRouter::Impl::on_nack(Peer& from, const wire::RtcpView& view, std::size_t& allowance, Time now) {
    const auto nack = wire::RtcpNack::parse(view);
    if (!nack) {
        ++counters.rtcp_malformed;
        return;
    }
    VideoSubscription* wanted = subscription(from, nack->media_ssrc());
    const OutgoingLine* line = from.link.find_line(nack->media_ssrc());
    nack->for_each_lost([&](std::uint16_t sequence) {
        ++counters.nacks_received;
        if (allowance == 0 || wanted == nullptr || hurried) {
            ++(wanted == nullptr ? counters.repeats_unknown : counters.repeats_limited);
            return;
        }
        --allowance;
        if (line != nullptr && line->gave_up(sequence)) {
            ++counters.repeats_unknown;
            return;
        }
        const std::size_t size =
            wanted->repeat(sequence, now, from.round_trip, from.repeat_budget, rtp_room(), counters);
        if (size != 0) send_again(from, size);
    });
}

void PacketRouter::Impl::request_key_frame(Peer& from, std::uint32_t media_ssrc) {
    ++counters.key_frame_requests_received;
    VideoSubscription* wanted = subscription(from, media_ssrc);
    if (wanted != nullptr) wanted->on_key_frame_request();
}

void PacketRouter::Impl::on_payload_feedback(Peer& from, const wire::RtcpView& view, Time now) {
    if (const auto pli = wire::parse_pli(view)) {
        request_key_frame(from, pli->media_ssrc);
    } else if (const auto fir = wire::RtcpFir::parse(view)) {
        for (std::size_t i = 0; i < fir->entry_count(); ++i) request_key_frame(from, fir->entry(i).ssrc);
    } else if (const auto remb = wire::RtcpRemb::parse(view)) {
        from.estimate.set(remb->bitrate_bps(), now);
        refresh_link(from);
    }
}

}  // namespace media::room
