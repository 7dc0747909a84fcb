// Who is there and who gets what. The packets themselves: packet_router_rtp.cpp, _rtcp.cpp and _tick.cpp.
#include "media/room/packet_router.hpp"

#include <algorithm>
#include <utility>

#include "media/room/packet_router_impl.hpp"

namespace media::room {

PacketRouter::PacketRouter(Sink& sink, RouterSettings settings) : impl_(std::make_unique<Impl>(sink, settings)) {
    impl_->candidates.reserve(kMaxPeers);
    impl_->mix_candidates.reserve(kMaxPeers);
    impl_->level_list.reserve(kMaxPeers);
    impl_->random_state = settings.seed;
}

PacketRouter::~PacketRouter() = default;

// SplitMix64: spreads first numbers; nothing secret depends on it.
std::uint64_t PacketRouter::Impl::random(std::uint64_t salt) {
    std::uint64_t z = random_state += 0x9E3779B97F4A7C15 ^ salt;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

VideoSource* PacketRouter::Impl::find_source(StreamId stream) const {
    const auto found = sources.find(stream);
    return found == sources.end() ? nullptr : found->second;
}

/// Connects every subscription with its source and the other layers of it, after anything was published, subscribed to
/// or removed.
void PacketRouter::Impl::link_all(Time now) {
    for (const auto& [stream, source] : sources) source->clear_watchers();
    std::size_t subscriptions = 0;
    for (const auto& [id, peer] : peers) {
        for (const auto& wanted : peer->subscriptions) {
            const VideoSource* source = wanted->stream_id() == 0 ? nullptr : find_source(wanted->stream_id());
            const Peer* owner = source == nullptr || source->owner() == id ? nullptr : find(source->owner());
            if (owner == nullptr) {
                wanted->link({}, nullptr);
            } else {
                wanted->link(owner->videos, source);
                ++subscriptions;
            }
        }
    }
    // Watchers change with the layers that are served, in the middle of a packet: nothing may be allocated then.
    for (const auto& [stream, source] : sources) source->expect_watchers(subscriptions);
    for (const auto& [id, peer] : peers) {
        for (const auto& wanted : peer->subscriptions) {
            wanted->watch();
            wanted->ask_for_key_frame();
        }
    }
    choose_all_layers(now);
}

bool PacketRouter::add_peer(PeerId peer, PeerSettings settings, Time now) {
    if (impl_->peers.size() >= kMaxPeers || impl_->peers.contains(peer)) return false;
    auto added = std::make_unique<Peer>();
    added->id = peer;
    added->settings = settings;
    added->next_report = now;
    added->signal.begin(now);
    impl_->peers.emplace(peer, std::move(added));
    impl_->arrange_mixer();
    return true;
}

void PacketRouter::remove_peer(PeerId peer, Time now) {
    const auto found = impl_->peers.find(peer);
    if (found == impl_->peers.end()) return;
    for (const auto& source : found->second->videos) impl_->sources.erase(source->stream_id());
    // The sources must outlive the moment in which their subscribers let go of them.
    const std::unique_ptr<Peer> removed = std::move(found->second);
    impl_->close_link(*removed);
    impl_->peers.erase(found);
    if (impl_->mixer) impl_->mixer->remove(peer);
    impl_->link_all(now);
    impl_->choose_speakers(now);
}

void PacketRouter::set_uplink(PeerId id, const Uplink& uplink, Time now) {
    Peer* peer = impl_->find(id);
    if (peer == nullptr) return;

    AudioInput& audio = peer->audio_in;
    const bool same_stream =
        audio.settings.payload_type == uplink.audio.payload_type &&
        (audio.settings.ssrc == uplink.audio.ssrc || (audio.ssrc_learnt && uplink.audio.ssrc == 0));
    if (same_stream) {
        audio.settings.extensions = uplink.audio.extensions;
        audio.settings.red_payload_type = uplink.audio.red_payload_type;
    } else {
        audio = AudioInput{};
        audio.settings = uplink.audio;
        audio.ssrc_learnt = uplink.audio.ssrc == 0;
        if (impl_->mixer) impl_->mixer->restart(id);
    }
    peer->transport_cc_extension = uplink.audio.extensions.transport_cc;

    std::vector<std::unique_ptr<VideoSource>> before = std::move(peer->videos);
    for (const auto& source : before) impl_->sources.erase(source->stream_id());
    peer->videos.clear();
    for (const VideoUplink& video : uplink.videos) {
        if (peer->videos.size() >= kMaxVideosPerPeer) break;
        // A stream id that somebody else publishes already is the caller's mistake; the first one keeps it.
        if (video.stream_id == 0 || impl_->sources.contains(video.stream_id)) continue;
        if (video.extensions.transport_cc != 0) peer->transport_cc_extension = video.extensions.transport_cc;
        VideoUplink bounded = video;
        if (bounded.codecs.size() > kMaxCodecsPerLine) bounded.codecs.resize(kMaxCodecsPerLine);
        const auto kept = std::ranges::find_if(before, [&](const auto& s) { return s && s->renegotiate(bounded); });
        peer->videos.push_back(kept != before.end() ? std::move(*kept)
                                                    : std::make_unique<VideoSource>(id, std::move(bounded)));
        impl_->sources.emplace(video.stream_id, peer->videos.back().get());
    }
    impl_->link_all(now);
    impl_->choose_speakers(now);
}

void PacketRouter::set_downlink(PeerId id, const Downlink& downlink, Time now) {
    Peer* peer = impl_->find(id);
    if (peer == nullptr) return;

    AudioOutput& audio = peer->audio_out;
    if (audio.slots && audio.settings.ssrc != downlink.audio.ssrc) audio.slots.reset();
    audio.settings = downlink.audio;
    impl_->negotiate_link(*peer, downlink);
    impl_->listen(*peer, now);

    peer->adaptation = downlink.adaptation;
    std::vector<std::unique_ptr<VideoSubscription>> before = std::move(peer->subscriptions);
    peer->subscriptions.clear();
    for (const Subscription& wanted : downlink.subscriptions) {
        if (peer->subscriptions.size() >= kMaxSubscriptionsPerPeer) break;
        Subscription bounded = wanted;
        if (bounded.codecs.size() > kMaxCodecsPerLine) bounded.codecs.resize(kMaxCodecsPerLine);
        const auto kept = std::ranges::find_if(
            before, [&](const auto& s) { return s && s->mid() == bounded.mid && s->ssrc() == bounded.ssrc; });
        if (kept != before.end()) {
            (*kept)->renegotiate(bounded);
            peer->subscriptions.push_back(std::move(*kept));
            continue;
        }
        const std::uint64_t start = impl_->random(bounded.ssrc);
        peer->subscriptions.push_back(std::make_unique<VideoSubscription>(
            *peer, std::move(bounded), static_cast<std::uint16_t>(start), static_cast<std::uint16_t>(start >> 48),
            static_cast<std::uint32_t>(start >> 16)));
        peer->subscriptions.back()->set_open(peer->connected);
    }
    impl_->link_all(now);
}

void PacketRouter::set_connected(PeerId id, bool connected, Time now) {
    Peer* peer = impl_->find(id);
    if (peer == nullptr || peer->connected == connected) return;
    peer->connected = connected;
    if (connected) {
        peer->next_report = now + std::chrono::seconds(1);
        peer->signal.begin(now);
    } else {
        impl_->close_link(*peer);
    }
    impl_->listen(*peer, now);
    for (const auto& subscription : peer->subscriptions) {
        subscription->set_open(connected);
        subscription->ask_for_key_frame();
    }
    impl_->choose_layers(*peer, now);
    impl_->choose_speakers(now);
}

void PacketRouter::set_paused(PeerId id, StreamId stream, bool paused, Time now) {
    Peer* peer = impl_->find(id);
    if (peer == nullptr) return;
    for (const auto& subscription : peer->subscriptions) {
        if (subscription->stream_id() != stream) continue;
        subscription->set_paused(paused);
        if (paused) impl_->drop_waiting(*peer, *subscription);
        subscription->ask_for_key_frame();
    }
    impl_->choose_layers(*peer, now);
}

void PacketRouter::set_muted(PeerId id, bool muted, Time now) {
    Peer* peer = impl_->find(id);
    if (peer == nullptr) return;
    peer->muted = muted;
    peer->audio_in.loudness.reset();
    impl_->choose_speakers(now);
}

void PacketRouter::set_capabilities(PeerId id, core::Capabilities capabilities, Time now) {
    Peer* peer = impl_->find(id);
    if (peer == nullptr || peer->capabilities == capabilities) return;
    peer->capabilities = capabilities;
    peer->audio_in.loudness.reset();
    impl_->choose_speakers(now);
}

MediaReport PacketRouter::report(Time now) {
    impl_->level_list.clear();
    impl_->link_list.clear();
    impl_->stream_list.clear();
    impl_->pause_list.swap(impl_->pauses_to_report);
    impl_->pauses_to_report.clear();
    for (const auto& [id, peer] : impl_->peers) {
        if (!peer->connected) continue;
        impl_->link_list.push_back({id, peer->available_kbps, peer->signal.value(now)});
        for (const auto& source : peer->videos) {
            impl_->stream_list.push_back({source->stream_id(), source->rate.bps(), source->flowing(now)});
        }
        if (!peer->may_be_heard()) continue;
        if (const auto level = peer->audio_in.loudness.level(now)) impl_->level_list.push_back({id, *level});
    }
    return {impl_->level_list, impl_->link_list, impl_->stream_list, impl_->pause_list};
}

const RouterCounters& PacketRouter::counters() const {
    return impl_->counters;
}

}  // namespace media::room
