// Sound: who is heard by whom, and the 50 packets a second that everybody gets.
#include <algorithm>

#include "media/room/opus_packet.hpp"
#include "media/room/packet_router.hpp"
#include "media/room/packet_router_impl.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace media::room {

namespace {
/// So long after its last packet a person still counts as somebody who can be heard: a mix does not come and go with
/// losses.
constexpr auto kAudible = std::chrono::seconds(2);
/// So long after a packet of another length than 20 ms its sender is not passed on as it is.
constexpr auto kOdd = std::chrono::seconds(2);
}  // namespace

/// Starts or stops what the peer hears.
void PacketRouter::Impl::listen(Peer& peer, Time now) {
    AudioOutput& audio = peer.audio_out;
    const bool hears = peer.connected && !peer.settings.content && audio.settings.payload_type != 0;
    if (!audio.slots) {
        if (!hears) return;
        const std::uint64_t start = random(audio.settings.ssrc);
        audio.slots.emplace(static_cast<std::uint16_t>(start), static_cast<std::uint32_t>(start >> 16));
    }
    if (hears && !audio.slots->running()) audio.slots->start(now);
    if (!hears) audio.slots->stop();
}

void PacketRouter::Impl::on_audio(Peer& from, const wire::RtpView& packet, Time arrival) {
    AudioInput& audio = from.audio_in;
    if (!audio.settings.takes(packet.payload_type())) {
        ++counters.dropped_unknown_stream;
        return;
    }
    const SequenceWindow::Verdict verdict = audio.window.take(packet.sequence());
    if (!verdict.fresh()) {
        ++(verdict.kind == SequenceWindow::Kind::duplicate ? counters.dropped_duplicate : counters.dropped_too_old);
        return;
    }
    if (verdict.kind == SequenceWindow::Kind::restarted) {
        audio.stats.restart();
        audio.timestamps = {};
        if (mixer) mixer->restart(from.id);
    }
    const std::int64_t timestamp = audio.timestamps.unwrap(packet.timestamp());
    audio.stats.on_packet(verdict.sequence, packet.timestamp(), false, arrival);
    if (!from.may_be_heard() || !from.connected) {
        ++counters.dropped_audio_muted;
        return;
    }
    if (packet.padding_only()) {
        ++counters.dropped_padding;
        return;
    }
    std::optional<wire::RedPacket> red;
    core::BytesView opus = packet.payload();
    if (packet.payload_type() != audio.settings.payload_type) {
        red = wire::RedPacket::parse(opus);
        if (!red || red->primary().payload_type != audio.settings.payload_type) {
            ++counters.dropped_malformed;
            return;
        }
        opus = red->primary().data;
    }
    const auto duration = opus_duration(opus);
    const bool odd = duration != std::chrono::microseconds(AudioSlots::kSlot);
    if (!duration) {
        ++counters.dropped_malformed;
        return;
    }
    if (odd && !mixer) make_mixer();  // It does not fit the slots, so it has to be decoded.

    const auto value = audio.settings.extensions.audio_level != 0
                           ? packet.extension(audio.settings.extensions.audio_level)
                           : std::nullopt;
    const auto level = value ? wire::parse_audio_level(*value) : std::nullopt;
    const bool was_silent = !audio.loudness.level(arrival);
    audio.loudness.take(level ? level->level : LoudnessMeter::kUnmeasured, arrival);
    audio.last_sound = arrival;
    if (odd) audio.last_odd = arrival;
    if (was_silent) choose_speakers(arrival);  // Its first packet is not to wait for the next tick.

    if (red) on_red(from, *red, timestamp, arrival);
    pass_on(from, {.timestamp = timestamp, .opus = opus}, arrival);
}

/// Copies of packets that may have been lost; older than the packet they come in.
void PacketRouter::Impl::on_red(Peer& from, const wire::RedPacket& red, std::int64_t timestamp, Time arrival) {
    for (const wire::RedBlock& block : red.redundant()) {
        if (block.payload_type != from.audio_in.settings.payload_type || block.timestamp_offset == 0) continue;
        if (!opus_duration(block.data)) continue;
        pass_on(from, {.timestamp = timestamp - block.timestamp_offset, .opus = block.data, .redundant = true},
                arrival);
    }
}

void PacketRouter::Impl::pass_on(Peer& from, const mixing::Mixer::Packet& packet, Time arrival) {
    if (mixer) mixer->push(from.id, packet, arrival);
    if (opus_duration(packet.opus) != std::chrono::microseconds(AudioSlots::kSlot)) return;
    const std::int64_t position = packet.timestamp / AudioSlots::kSamples;
    for (const auto& [id, listener] : peers) {
        AudioOutput& output = listener->audio_out;
        if (output.speaker != from.id || !output.slots || !output.slots->running()) continue;
        if (packet.redundant && !output.slots->misses(position)) continue;
        const AudioSlots::Placed placed = output.slots->place(position, arrival);
        switch (placed.place) {
            case AudioSlots::Place::late:
                ++counters.dropped_audio_late;
                break;
            case AudioSlots::Place::too_fast:
                ++counters.dropped_audio_too_fast;
                break;
            case AudioSlots::Place::send:
                counters.audio_open_slots += placed.opened;
                ++(packet.redundant ? counters.audio_recovered : counters.audio_forwarded);
                from.audio_in.forwarded_until =
                    std::max(from.audio_in.forwarded_until, packet.timestamp + AudioSlots::kSamples);
                send_audio(*listener, placed.stamp, packet.opus);
        }
    }
}

void PacketRouter::Impl::send_audio(Peer& to, AudioSlots::Stamp stamp, core::BytesView payload) {
    AudioOutput& audio = to.audio_out;
    const std::size_t size = wire::write_rtp(rtp_room(),
                                             {.payload_type = audio.settings.payload_type,
                                              .marker = false,
                                              .sequence = stamp.sequence,
                                              .timestamp = stamp.timestamp,
                                              .ssrc = audio.settings.ssrc},
                                             {}, payload);
    if (size == 0) return;
    ++audio.packets;
    audio.octets += static_cast<std::uint32_t>(payload.size());
    send_rtp(to, size);
}

void PacketRouter::Impl::choose_speakers(Time now) {
    candidates.clear();
    Audible audible;
    for (const auto& [id, peer] : peers) {
        if (!peer->connected || !peer->may_be_heard()) continue;
        const AudioInput& input = peer->audio_in;
        if (input.last_sound && now - *input.last_sound < kAudible) audible.voices.add(peer->settings.person);
        if (input.last_odd && now - *input.last_odd < kOdd) audible.odd.add(peer->settings.person);
        if (const auto level = input.loudness.level(now)) {
            candidates.push_back({id, peer->settings.person, *level});
        }
    }
    speakers.update(candidates, now);
    any_mixed = false;
    for (const auto& [id, peer] : peers) {
        AudioOutput& output = peer->audio_out;
        const bool mixed = wants_mix(*peer, audible);
        any_mixed = any_mixed || mixed;
        const auto speaker =
            receives(peer->capabilities.audio) && !mixed ? speakers.for_listener(peer->settings.person) : std::nullopt;
        if (mixed && !output.mixed) hear_mix(*peer);
        if (speaker == output.speaker && mixed == output.mixed) continue;
        const bool returns = output.mixed && !mixed;
        output.speaker = speaker;
        output.mixed = mixed;
        if (output.slots) output.slots->release();
        if (returns) hear_packets(*peer, now);
    }
}

void PacketRouter::Impl::fill_silence(Peer& peer, Time now) {
    if (!peer.audio_out.slots || peer.audio_out.mixed) return;
    while (const auto stamp = peer.audio_out.slots->silence(now, counters.audio_open_slots)) {
        ++counters.audio_silence;
        send_audio(peer, *stamp, kOpusSilence);
    }
}

}  // namespace media::room
