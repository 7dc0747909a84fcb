// What time itself brings: audio slots, repairs to ask for, feedback and reports.
#include <algorithm>

#include "media/room/packet_router.hpp"
#include "media/room/packet_router_impl.hpp"

namespace media::room {

namespace {
constexpr auto kReportInterval = std::chrono::seconds(1);
// In one tick for one source; the rest waits for the next.
constexpr std::size_t kMaxNacksAtOnce = 64;

std::uint64_t ntp_of(Time time) {
    // Steady time instead of wall clock: allowed (RFC 3550 section 6.4.1), and only we read it again, to measure round
    // trips.
    return wire::ntp_from_unix_us(
        std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
}
}  // namespace

void PacketRouter::set_hurried(bool hurried) {
    impl_->hurried = hurried;
}

void PacketRouter::tick(Time now) {
    impl_->clock = std::max(impl_->clock, now);
    impl_->choose_speakers(now);
    impl_->mix(now);
    if (now >= impl_->next_layer_choice) impl_->choose_all_layers(now);
    for (const auto& [id, peer] : impl_->peers) {
        if (!peer->connected) continue;
        impl_->fill_silence(*peer, now);
        if (peer->link.refresh_due(now)) impl_->refresh_link(*peer);
        impl_->release(*peer);
        impl_->probe(*peer);
        impl_->repair(*peer, now);
        if (now >= peer->next_report) {
            peer->next_report = now + kReportInterval;
            impl_->report(*peer, now);
        }
        impl_->limit_uplink(*peer, now);
    }
}

void PacketRouter::Impl::repair(Peer& peer, Time now) {
    wire::RtcpWriter compound(rtcp_room());
    for (const auto& source : peer.videos) {
        if (source->ssrc() == 0) continue;
        std::array<std::uint16_t, kMaxNacksAtOnce> lost;
        const NackGenerator::Due due = hurried ? NackGenerator::Due{} : source->nacks.poll(now, peer.round_trip, lost);
        counters.nacks_sent += due.count;
        counters.given_up += due.given_up;
        if (due.given_up != 0) source->key_frames.request();
        if (due.count != 0) {
            append(peer, compound, [&](wire::RtcpWriter& out) {
                return out.nack(peer.own_ssrc(), source->ssrc(), std::span(lost).first(due.count));
            });
        }
        if (source->key_frame_due(now)) {
            ++counters.key_frame_requests_sent;
            append(peer, compound, [&](wire::RtcpWriter& out) { return out.pli(peer.own_ssrc(), source->ssrc()); });
        }
    }
    if (peer.arrivals.due(now)) {
        append(peer, compound, [&](wire::RtcpWriter& out) {
            return peer.arrivals.write(out, peer.own_ssrc(), peer.audio_in.settings.ssrc, now);
        });
    }
    flush(peer, compound);
}

void PacketRouter::Impl::report(Peer& peer, Time now) {
    std::array<wire::ReportBlock, 1 + kMaxVideosPerPeer> blocks;
    std::size_t count = 0;
    if (const auto block = peer.audio_in.stats.report(peer.audio_in.settings.ssrc, now)) blocks[count++] = *block;
    for (const auto& source : peer.videos) {
        source->rate.turn(now);
        if (const auto block = source->stats.report(source->ssrc(), now)) blocks[count++] = *block;
    }
    const auto known = std::span<const wire::ReportBlock>(blocks).first(count);
    judge_link(peer, known, now);

    wire::RtcpWriter compound(rtcp_room());
    const AudioOutput& audio = peer.audio_out;
    if (audio.slots && audio.packets != 0) {
        compound.sender_report(audio.settings.ssrc,
                               {.ntp = ntp_of(now),
                                .rtp_timestamp = audio.slots->timestamp_at(now),
                                .packets = audio.packets,
                                .octets = audio.octets},
                               known);
    } else {
        compound.receiver_report(peer.own_ssrc(), known);
    }
    for (const auto& subscription : peer.subscriptions) {
        if (!subscription->wants_packets() || !subscription->ever_sent()) continue;
        append(peer, compound, [&](wire::RtcpWriter& out) {
            return out.sender_report(subscription->ssrc(), subscription->sender_info(ntp_of(now), now));
        });
    }
    flush(peer, compound);
}

/// Once a second: what AUDIO_METADATA shows of the peer's link.
void PacketRouter::Impl::judge_link(Peer& peer, std::span<const wire::ReportBlock> arrived, Time now) {
    SignalStrength::Second second;
    for (const wire::ReportBlock& block : arrived)
        second.loss_up = std::max(second.loss_up, block.fraction_lost / 256.0);
    second.loss_down = peer.link.answers(now) ? peer.link.estimate()->loss() : peer.reported_loss;
    peer.reported_loss = 0;
    std::optional<std::uint64_t> smallest;
    for (const auto& subscription : peer.subscriptions) {
        if (subscription->held()) second.starved = true;
        if (!subscription->wants_packets() || subscription->layer_count() == 0) continue;
        const std::uint64_t lowest = subscription->layer(0)->rate.bps();
        if (lowest != 0) smallest = std::min(lowest, smallest.value_or(lowest));
    }
    if (peer.available_kbps != 0 && smallest && peer.video_budget_bps() * 5 < *smallest * 4) second.starved = true;
    peer.signal.update(second);
}

std::size_t PacketRouter::Impl::seen_videos(const Peer& receiver) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(receiver.subscriptions, [](const auto& s) { return s->wants_packets(); }));
}

void PacketRouter::Impl::limit_uplink(Peer& peer, Time now) {
    if (peer.videos.empty() || !peer.uplink_limit.may_tell(now)) return;
    std::array<std::uint32_t, kMaxVideosPerPeer> ssrcs;
    std::size_t count = 0;
    std::optional<std::uint64_t> total;
    const bool simulcast = std::ranges::count_if(peer.videos, [&](const auto& s) { return s->flowing(now); }) > 1;
    for (const auto& source : peer.videos) {
        if (source->ssrc() == 0) continue;
        ssrcs[count++] = source->ssrc();
        peer.uplink_limit.begin();
        // A receiver that cannot take all the layers gets fewer of them.
        const bool layered = simulcast || source->rate.layered();
        for (const VideoSubscription* subscription : source->watchers()) {
            const Peer& receiver = subscription->receiver();
            if (layered || !subscription->wants_packets()) continue;
            if (receiver.available_kbps == 0) continue;
            peer.uplink_limit.add(receiver.video_budget_bps() / std::max<std::size_t>(1, seen_videos(receiver)));
        }
        if (const auto allowed = peer.uplink_limit.allowed(settings.uplink_ceiling_bps, settings.uplink_floor_bps)) {
            total = total.value_or(0) + *allowed;
        }
    }
    if (count == 0) return;
    const auto tell = peer.uplink_limit.poll(total, now);
    if (!tell) return;
    wire::RtcpWriter compound(rtcp_room());
    compound.receiver_report(peer.own_ssrc());
    compound.remb(peer.own_ssrc(), *tell, std::span<const std::uint32_t>(ssrcs).first(count));
    flush(peer, compound);
}

}  // namespace media::room
