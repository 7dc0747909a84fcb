// Media in, media out.
#include <algorithm>

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
    impl_->clock = std::max(impl_->clock, arrival);
    peer->signal.heard(arrival);
    // Before anything is dropped: feedback is about the path, not about what is of use.
    if (peer->transport_cc_extension != 0) {
        const auto value = view->extension(peer->transport_cc_extension);
        const auto number = value ? wire::parse_transport_sequence(*value) : std::nullopt;
        if (number) peer->arrivals.on_packet(*number, arrival);
    }

    AudioInput& audio = peer->audio_in;
    const std::uint32_t ssrc = view->ssrc();
    if (audio.settings.ssrc == 0 && audio.settings.takes(view->payload_type())) audio.settings.ssrc = ssrc;
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
    for (const auto& source : peer->videos) {
        const VideoSource::Part part = source->learn(*view);
        if (part == VideoSource::Part::none) continue;
        impl_->on_video(*peer, *source, part, *view, arrival);
        return;
    }
    ++counters.dropped_unknown_stream;
}

void PacketRouter::Impl::on_video(Peer& from, VideoSource& source, VideoSource::Part part, const wire::RtpView& packet,
                                  Time arrival) {
    if (!from.connected) {
        ++counters.dropped_unknown_peer;
        return;
    }
    const auto video = source.take(packet, part, arrival, counters);
    if (!video) return;
    for (VideoSubscription* subscription : source.watchers()) {
        std::size_t size = subscription->forward(source, *video, arrival, rtp_room(), counters);
        for (; size != 0; size = subscription->catch_up(arrival, rtp_room(), counters)) {
            send_rtp(subscription->receiver(), size);
        }
    }
}

}  // namespace media::room
