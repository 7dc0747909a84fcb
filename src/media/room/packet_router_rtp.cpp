// Media in, media out.
#include <algorithm>

#include "media/room/opus_packet.hpp"
#include "media/room/packet_router.hpp"
#include "media/room/packet_router_impl.hpp"
#include "media/wire/rtp_extensions.hpp"

namespace media::room {

void PacketRouter::on_rtp(PeerId from, std::span<std::uint8_t> packet, Time arrival) {
    RouterCounters& counters = impl_->counters;
    ++counters.rtp_in;
    Peer* peer = impl_->find(from);
    if (peer == nullptr) {
        ++counters.dropped_unknown_peer;
        return;
    }
    const auto view = packet.size() <= kMaxPacketSize ? wire::RtpView::parse(packet) : std::nullopt;
    if (!view) {
        ++counters.dropped_malformed;
        return;
    }
    // Before anything is dropped: feedback is about the path, not about what is of use.
    if (peer->transport_cc_extension != 0) {
        const auto value = view->extension(peer->transport_cc_extension);
        const auto number = value ? wire::parse_transport_sequence(*value) : std::nullopt;
        if (number) peer->arrivals.on_packet(*number, arrival);
    }

    AudioInput& audio = peer->audio_in;
    const std::uint32_t ssrc = view->ssrc();
    if (audio.settings.ssrc == 0 && audio.settings.payload_type != 0 &&
        view->payload_type() == audio.settings.payload_type) {
        audio.settings.ssrc = ssrc;
    }
    if (ssrc == audio.settings.ssrc && ssrc != 0) {
        impl_->on_audio(*peer, *view, arrival);
        return;
    }
    for (const auto& source : peer->videos) {
        const VideoSource::Part part = source->part_of(ssrc, view->payload_type());
        if (part == VideoSource::Part::none) continue;
        impl_->on_video(*peer, *source, part, *view, arrival);
        return;
    }
    ++counters.dropped_unknown_stream;
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
    if (from.muted || !from.connected) {
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

void PacketRouter::Impl::send_rtp(PeerId to, std::size_t size) {
    ++counters.rtp_out;
    sink.send_rtp(to, std::span(rtp_buffer).first(size));
}

void PacketRouter::Impl::on_video(Peer& from, VideoSource& source, VideoSource::Part part, const wire::RtpView& packet,
                                  Time arrival) {
    if (!from.connected) {
        ++counters.dropped_unknown_peer;
        return;
    }
    const auto video = source.take(packet, part, arrival, counters);
    if (!video) return;
    const auto found = subscribers.find(&source);
    if (found == subscribers.end()) return;
    for (VideoSubscription* subscription : found->second) {
        const std::size_t size = subscription->forward(*video, arrival, rtp_room(), counters);
        if (size != 0) send_rtp(subscription->receiver(), size);
    }
}

}  // namespace media::room
