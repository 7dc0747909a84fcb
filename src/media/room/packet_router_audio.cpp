// Sound: who is heard by whom, and the 50 packets a second that everybody gets.
#include <algorithm>

#include "media/room/opus_packet.hpp"
#include "media/room/packet_router.hpp"
#include "media/room/packet_router_impl.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace media::room {

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
    if (packet.payload_type() != audio.settings.payload_type) {
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
    }
    const std::int64_t position = audio.timestamps.unwrap(packet.timestamp()) / AudioSlots::kSamples;
    audio.stats.on_packet(verdict.sequence, packet.timestamp(), false, arrival);
    if (!from.may_be_heard() || !from.connected) {
        ++counters.dropped_audio_muted;
        return;
    }
    if (packet.padding_only()) {
        ++counters.dropped_padding;
        return;
    }
    if (opus_duration(packet.payload()) != std::chrono::microseconds(AudioSlots::kSlot)) {
        ++counters.dropped_audio_not_20ms;
        return;
    }

    const auto value = audio.settings.extensions.audio_level != 0
                           ? packet.extension(audio.settings.extensions.audio_level)
                           : std::nullopt;
    const auto level = value ? wire::parse_audio_level(*value) : std::nullopt;
    const bool was_silent = !audio.loudness.level(arrival);
    audio.loudness.take(level ? level->level : LoudnessMeter::kUnmeasured, arrival);
    if (was_silent) choose_speakers(arrival);  // Its first packet is not to wait for the next tick.

    for (const auto& [id, listener] : peers) {
        AudioOutput& output = listener->audio_out;
        if (output.speaker != from.id || !output.slots || !output.slots->running()) continue;
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
                ++counters.audio_forwarded;
                send_audio(*listener, placed.stamp, packet.payload());
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
    send_rtp(to.id, size);
}

void PacketRouter::Impl::choose_speakers(Time now) {
    candidates.clear();
    for (const auto& [id, peer] : peers) {
        if (!peer->connected || !peer->may_be_heard()) continue;
        if (const auto level = peer->audio_in.loudness.level(now)) {
            candidates.push_back({id, peer->settings.person, *level});
        }
    }
    speakers.update(candidates, now);
    for (const auto& [id, peer] : peers) {
        AudioOutput& output = peer->audio_out;
        const auto speaker =
            receives(peer->capabilities.audio) ? speakers.for_listener(peer->settings.person) : std::nullopt;
        if (speaker == output.speaker) continue;
        output.speaker = speaker;
        if (output.slots) output.slots->release();
    }
}

void PacketRouter::Impl::fill_silence(Peer& peer, Time now) {
    if (!peer.audio_out.slots) return;
    while (const auto stamp = peer.audio_out.slots->silence(now, counters.audio_open_slots)) {
        ++counters.audio_silence;
        send_audio(peer, *stamp, kOpusSilence);
    }
}

}  // namespace media::room
