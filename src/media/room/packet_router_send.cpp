// The way down: what is sent goes through the receiver's pacer, is numbered or stamped at the last moment, and what is
// known of the way is brought up to date. Audio passes everything.
#include <algorithm>

#include "media/room/packet_router.hpp"
#include "media/room/packet_router_impl.hpp"
#include "media/wire/byte_io.hpp"
#include "media/wire/rtp.hpp"

namespace media::room {

using congestion::Pacer;
using congestion::WaitingPacket;

static_assert(kMaxPacketSize <= WaitingPacket::kMaxPacket && kTrailerRoom <= WaitingPacket::kTailRoom);

namespace {
// Padding is counted by one byte. What is shorter than that is not worth a packet.
constexpr std::uint8_t kMostPadding = 255;
constexpr std::size_t kLeastProbe = 100;
constexpr int kMostProbePackets = 48;
// A stream that does not say how much it may become, and all of them together.
constexpr std::uint64_t kAnyStreamBps = 2'500'000;
constexpr std::uint64_t kMostWantedBps = 10'000'000;

std::uint16_t sequence_of(const std::uint8_t* packet) {
    return wire::load_u16(packet + 2);
}
std::uint32_t ssrc_of(const std::uint8_t* packet) {
    return wire::load_u32(packet + 8);
}
}  // namespace

void PacketRouter::Impl::negotiate_link(Peer& peer, const Downlink& downlink) {
    peer.link.negotiate(downlink, [this](std::uint32_t salt) { return random(salt); });
}

void PacketRouter::Impl::close_link(Peer& peer) {
    peer.link.pacer.clear(waiting);
}

void PacketRouter::Impl::depart(Peer& to, OutgoingLine& line, std::span<std::uint8_t> room, std::size_t size) {
    ++counters.rtp_out;
    sink.send_rtp(to.id, to.link.depart(line, room, size, clock));
}

void PacketRouter::Impl::send_rtp(Peer& to, std::size_t size) {
    const std::span<std::uint8_t> packet = std::span(rtp_buffer).subspan(congestion::kHeadRoom, size);
    OutgoingLine* line = to.link.find_line(ssrc_of(packet.data()));
    if (line == nullptr) {
        ++counters.rtp_out;
        sink.send_rtp(to.id, packet);
        return;
    }
    if (!line->is_audio) {
        const bool repair = ssrc_of(packet.data()) != line->ssrc;
        const Pacer::Lane lane = repair ? Pacer::Lane::repair : Pacer::Lane::video;
        if (!to.link.pacer.may_send(lane, clock)) {
            wait(to, *line, lane, packet);
            return;
        }
        to.link.pacer.spend(size);
    }
    depart(to, *line, rtp_buffer, size);
}

void PacketRouter::Impl::send_again(Peer& to, std::size_t size) {
    const std::uint8_t* packet = rtp_buffer.data() + congestion::kHeadRoom;
    OutgoingLine* line = to.link.find_line(ssrc_of(packet));
    if (line == nullptr || ssrc_of(packet) != line->ssrc) return send_rtp(to, size);
    // It must not wait: the receiver asks again if it has to.
    if (!to.link.pacer.may_send(Pacer::Lane::repair, clock)) {
        ++counters.repeats_over_budget;
        return;
    }
    const auto same = to.link.depart_again(*line, rtp_buffer, size);
    if (same.empty()) {
        ++counters.repeats_unknown;
        return;
    }
    to.link.pacer.spend(size);
    ++counters.rtp_out;
    sink.send_rtp(to.id, same);
}

/// Puts a packet behind those that wait, or gives its frame up.
void PacketRouter::Impl::wait(Peer& to, OutgoingLine& line, Pacer::Lane lane, std::span<const std::uint8_t> packet) {
    if (to.link.pacer.queue(waiting, lane, packet, clock)) {
        ++counters.paced;
        return;
    }
    if (lane == Pacer::Lane::repair) {
        ++counters.dropped_repair_queue;
        return;
    }
    const std::uint32_t timestamp = wire::load_u32(packet.data() + 4);
    const std::size_t dropped = 1 + to.link.pacer.drop_frame(waiting, line.ssrc, timestamp);
    counters.dropped_pacer_full += dropped;
    const std::uint16_t last = sequence_of(packet.data());
    cut(to, line, {static_cast<std::uint16_t>(last - (dropped - 1)), last});
}

/// Nothing more of a stream that stops.
void PacketRouter::Impl::drop_waiting(Peer& to, const VideoSubscription& stopped) {
    OutgoingLine* line = to.link.find_line(stopped.ssrc());
    const WaitingPacket* first = line != nullptr ? to.link.pacer.first_of(line->ssrc) : nullptr;
    if (first == nullptr) return;
    const std::uint16_t number = sequence_of(first->room.data() + congestion::kHeadRoom);
    const std::size_t dropped = to.link.pacer.drop_stream(waiting, line->ssrc);
    (stopped.paused() ? counters.dropped_paused : counters.dropped_held) += dropped;
    line->given_up = {number, static_cast<std::uint16_t>(number + dropped - 1)};
}

/// What was thrown away makes the frames behind it useless: the stream starts again at the next key frame.
void PacketRouter::Impl::cut(Peer& to, OutgoingLine& line, OutgoingLine::Range dropped) {
    line.given_up = dropped;
    VideoSubscription* wanted = subscription(to, line.ssrc);
    if (wanted == nullptr) return;
    wanted->set_open(false);
    wanted->set_open(to.connected);
    wanted->ask_for_key_frame();
}

void PacketRouter::Impl::release(Peer& peer) {
    Pacer& pacer = peer.link.pacer;
    if (pacer.idle()) return;
    while (const WaitingPacket* late = pacer.overdue(clock)) {
        const std::uint8_t* packet = late->room.data() + congestion::kHeadRoom;
        const std::uint32_t ssrc = ssrc_of(packet);
        const std::uint16_t first = sequence_of(packet);
        const std::size_t dropped = pacer.drop_stream(waiting, ssrc);
        counters.dropped_pacer_late += dropped;
        if (OutgoingLine* line = peer.link.find_line(ssrc)) {
            cut(peer, *line, {first, static_cast<std::uint16_t>(first + dropped - 1)});
        }
    }
    pacer.release(waiting, clock, [&](WaitingPacket& packet) {
        OutgoingLine* line = peer.link.find_line(ssrc_of(packet.packet().data()));
        if (line != nullptr) depart(peer, *line, packet.room, packet.size);
    });
}

std::uint64_t PacketRouter::Impl::wanted_bps(const Peer& peer) const {
    std::uint64_t wanted = 0;
    for (const auto& subscription : peer.subscriptions) {
        if (subscription->paused() || subscription->layer_count() == 0) continue;
        const std::uint64_t announced = subscription->layer(subscription->layer_count() - 1)->announced_bps();
        wanted += announced != 0 ? announced : kAnyStreamBps;
    }
    return wanted == 0 ? 0 : std::min(wanted + wanted / 8 + ReceiverEstimate::kAudioBps, kMostWantedBps);
}

void PacketRouter::Impl::probe(Peer& peer) {
    congestion::SendSideEstimate* estimate = peer.link.estimate();
    if (estimate == nullptr) return;
    OutgoingLine* line = peer.link.padding_line();
    std::size_t due = estimate->tick(line != nullptr ? peer.wanted_bps : 0, clock);
    for (int i = 0; due >= kLeastProbe && line != nullptr && i < kMostProbePackets; ++i) {
        const std::size_t size = wire::kRtpHeaderSize + kMostPadding;
        const auto room = rtp_room();
        wire::write_rtp(room,
                        {.payload_type = line->rtx_payload_type,
                         .marker = false,
                         .sequence = 0,  // The line gives the next one.
                         .timestamp = line->last_timestamp,
                         .ssrc = line->rtx_ssrc},
                        {}, {});
        room[0] |= 0x20;
        std::fill_n(room.begin() + wire::kRtpHeaderSize, kMostPadding - 1, std::uint8_t{0});
        room[size - 1] = kMostPadding;
        ++counters.probes_sent;
        depart(peer, *line, rtp_buffer, size);
        due -= std::min(due, size + ReceiverLink::kOverhead);
    }
}

void PacketRouter::Impl::refresh_link(Peer& peer) {
    peer.link.refresh(peer.estimate, clock);
    const std::uint64_t bps = peer.link.available_bps();
    peer.available_kbps = bps == 0 ? 0 : static_cast<std::uint32_t>(std::max<std::uint64_t>(1, bps / 1000));
    peer.repeat_budget.set_estimate(peer.link.available_bps());
    peer.wanted_bps = wanted_bps(peer);
}

void PacketRouter::Impl::flush(Peer& to, wire::RtcpWriter& compound) {
    if (compound.size() == 0) return;
    ++counters.rtcp_out;
    sink.send_rtcp(to.id, std::span(rtcp_buffer).first(compound.size()));
    compound = wire::RtcpWriter(rtcp_room());
}

}  // namespace media::room
