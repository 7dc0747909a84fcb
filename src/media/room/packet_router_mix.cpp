// Sound for those who have more than one voice to hear, or one and a shared sound: a mix, one packet a beat. All others
// get packets as they come (packet_router_audio.cpp); a listener goes from one to the other with numbers that go on and
// nothing left out.
#include <algorithm>
#include <set>

#include "media/room/opus_packet.hpp"
#include "media/room/packet_router.hpp"
#include "media/room/packet_router_impl.hpp"

namespace media::room {

namespace {
/// Beats that are made up for when our thread stood still; older ones are left out.
constexpr auto kCatchUp = std::chrono::milliseconds(60);
}  // namespace

/// With two people who share nothing nothing is ever decoded, so nothing is taken for it.
void PacketRouter::Impl::arrange_mixer() {
    if (!mixer) {
        std::set<PersonId> people;
        bool shared = false;
        for (const auto& [id, peer] : peers) {
            people.insert(peer->settings.person);
            shared = shared || peer->settings.content;
        }
        if (people.size() < 3 && !shared) return;
    }
    make_mixer();
}

void PacketRouter::Impl::make_mixer() {
    if (!mixer) mixer = std::make_unique<mixing::Mixer>(counters.mixing);
    for (const auto& [id, peer] : peers) mixer->add(id, peer->settings.person, peer->settings.content);
}

bool PacketRouter::Impl::wants_mix(const Peer& listener, const Audible& audible) const {
    const AudioOutput& output = listener.audio_out;
    if (!mixer || !receives(listener.capabilities.audio) || !output.slots || !output.slots->running()) return false;
    const std::size_t others = audible.voices.others(listener.settings.person);
    return others > 1 || (others == 1 && audible.odd.others(listener.settings.person) != 0);
}

/// Whose packets the listener has got until now is to go on there in the mix.
void PacketRouter::Impl::hear_mix(Peer& listener) {
    mixer->newcomer();
    const Peer* speaker = listener.audio_out.speaker ? find(*listener.audio_out.speaker) : nullptr;
    if (speaker != nullptr) mixer->heard_until(speaker->id, speaker->audio_in.forwarded_until);
}

/// What the mix holds back for its jitter buffer goes out at once: the listener has one of its own.
void PacketRouter::Impl::hear_packets(Peer& listener, Time now) {
    AudioOutput& output = listener.audio_out;
    if (!mixer || !output.speaker || !output.slots || !output.slots->running()) return;
    mixer->each_waiting(*output.speaker, [&](std::int64_t timestamp, core::BytesView opus) {
        if (opus_duration(opus) != std::chrono::microseconds(AudioSlots::kSlot)) return;
        const AudioSlots::Placed placed = output.slots->place(timestamp / AudioSlots::kSamples, now);
        if (placed.place != AudioSlots::Place::send) return;
        counters.audio_open_slots += placed.opened;
        ++counters.audio_forwarded;
        send_audio(listener, placed.stamp, opus);
    });
}

void PacketRouter::Impl::mix(Time now) {
    if (!mixer) return;
    if (!any_mixed) {
        mixer->rest();
        return;
    }
    if (now - next_beat > kCatchUp) next_beat = now;
    for (; next_beat <= now; next_beat += AudioSlots::kSlot) beat(next_beat);
}

void PacketRouter::Impl::beat(Time at) {
    mix_candidates.clear();
    for (const auto& [id, peer] : peers) {
        if (!peer->connected || !peer->may_be_heard()) continue;
        if (const auto level = peer->audio_in.loudness.level(at)) {
            mix_candidates.push_back({id, *level, peer->settings.content});
        }
    }
    mixer->mix(mix_candidates, at);
    for (const auto& [id, peer] : peers) {
        AudioOutput& output = peer->audio_out;
        if (!output.mixed || !output.slots || !output.slots->running()) continue;
        while (const auto stamp = output.slots->overdue(at, counters.audio_open_slots)) {
            ++counters.audio_silence;
            send_audio(*peer, *stamp, kOpusSilence);
        }
        const auto stamp = output.slots->beat(at);
        if (!stamp) continue;
        const core::BytesView opus = mixer->frame_for(peer->settings.person, output.loss.percent());
        ++(opus.empty() ? counters.audio_silence : counters.audio_mixed);
        send_audio(*peer, *stamp, opus.empty() ? core::BytesView(kOpusSilence) : opus);
    }
}

}  // namespace media::room
