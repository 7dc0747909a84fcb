#include "media/mixing/mixer.hpp"

#include <algorithm>
#include <set>

namespace media::mixing {

namespace {
/// A few encodes may take their time; a lively meeting must not take everybody else's.
int complexity(std::size_t voices) {
    constexpr int kCalm = 4;
    constexpr int kLively = 1;
    return voices <= 2 ? kCalm : kLively;
}
}  // namespace

Mixer::Mixer(MixerCounters& counters, MixerSettings settings)
    : counters_(counters), settings_(settings), few_(settings.voices) {
    settings_.voices = std::clamp<std::size_t>(settings.voices, 1, LoudestFew::kMostVoices);
}

Mixer::~Mixer() = default;

void Mixer::add(SourceId id, PersonId person, bool content) {
    if (sources_.contains(id)) return;
    auto source = std::make_unique<Source>();
    source->id = id;
    source->person = person;
    source->content = content;
    sources_.emplace(id, std::move(source));
    reserve();
}

/// Voices and encoders for as many as can be heard at a time.
void Mixer::reserve() {
    std::size_t microphones = 0;
    std::size_t shares = 0;
    std::set<PersonId> people;
    for (const auto& [id, source] : sources_) {
        ++(source->content ? shares : microphones);
        people.insert(source->person);
    }
    const auto provide = [&](std::size_t channels, std::size_t wanted) {
        auto there = static_cast<std::size_t>(
            std::ranges::count(voices_, channels, [](const auto& v) { return v->channels(); }));
        for (; there < wanted; ++there) voices_.push_back(std::make_unique<Voice>(channels));
    };
    provide(1, std::min(microphones, settings_.voices + kSpare));
    provide(2, std::min(shares, LoudestFew::kMostShares + 1));
    const std::size_t mixes = std::min(people.size() + 1, kMostOutputs);
    while (outputs_.size() < mixes) outputs_.push_back(std::make_unique<Output>(settings_.encoder));
}

void Mixer::remove(SourceId id) {
    const auto found = sources_.find(id);
    if (found == sources_.end()) return;
    if (found->second->voice != nullptr) found->second->voice->source_lost();
    sources_.erase(found);
}

void Mixer::restart(SourceId id) {
    const auto found = sources_.find(id);
    if (found == sources_.end()) return;
    Source& source = *found->second;
    if (source.voice != nullptr) source.voice->lose_position();
    source.packets.clear();
    source.delay = {};
    source.heard_until.reset();
    source.last_stereo.reset();
}

void Mixer::push(SourceId id, const Packet& packet, Time arrival) {
    const auto found = sources_.find(id);
    if (found == sources_.end()) return;
    Source& source = *found->second;
    const std::size_t samples = opus_samples(packet.opus);
    if (samples == 0) {
        ++counters_.malformed;
        return;
    }
    if (!packet.redundant && !source.delay.take(packet.timestamp, arrival)) {
        ++counters_.restarted;
        source.packets.clear();
        source.heard_until.reset();
        if (source.voice != nullptr) source.voice->lose_position();
    }
    if (source.voice != nullptr && source.voice->past(packet.timestamp + static_cast<std::int64_t>(samples))) {
        if (!packet.redundant) ++counters_.late;
        return;
    }
    // What nobody decodes is not missed.
    std::uint64_t unheard = 0;
    std::uint64_t& unused = source.voice != nullptr ? counters_.overflowed : unheard;
    if (!source.packets.insert(packet.timestamp, samples, packet.opus, packet.redundant, unused)) {
        if (!packet.redundant) ++counters_.duplicate;
        return;
    }
    if (opus_is_stereo(packet.opus)) source.last_stereo = arrival;
}

void Mixer::heard_until(SourceId id, std::int64_t timestamp) {
    const auto found = sources_.find(id);
    if (found != sources_.end()) found->second->heard_until = timestamp;
}

void Mixer::seat(Source& source) {
    if (source.voice != nullptr) {
        source.voice->stay();
        return;
    }
    const std::size_t channels = source.content ? 2 : 1;
    const auto free = std::ranges::find_if(
        voices_, [&](const auto& voice) { return !voice->taken() && voice->channels() == channels; });
    if (free == voices_.end()) {
        ++counters_.out_of_room;
        return;
    }
    (*free)->take(source);
}

void Mixer::choose(std::span<const Candidate> candidates, Time beat) {
    for (const auto& voice : voices_) {
        voice->turn();
        if (voice->taken()) voice->let_go();
    }
    for (const SourceId id : few_.update(candidates, beat)) {
        if (const auto found = sources_.find(id); found != sources_.end()) seat(*found->second);
    }
}

bool Mixer::in_the_mix(PersonId person) const {
    return std::ranges::any_of(voices_,
                               [&](const auto& voice) { return voice->taken() && voice->frame().person == person; });
}

void Mixer::mix(std::span<const Candidate> candidates, Time beat) {
    ++beat_;
    choose(candidates, beat);
    for (const auto& voice : voices_) voice->speak(beat, counters_);

    independent_ = newcomer_;
    newcomer_ = false;
    for (const auto& output : outputs_) {
        output->loss = output->next_loss;
        output->next_loss = 0;
        // Whoever has left the mix hears what all hear from now on.
        if (output->taken && output->without && !in_the_mix(*output->without)) {
            output->taken = false;
            independent_ = true;
        }
        if (output->taken && output->beat + 1 < beat_) output->taken = false;
    }
}

std::size_t Mixer::channels_for(std::optional<PersonId> without) const {
    const bool stereo = std::ranges::any_of(
        voices_, [&](const auto& voice) { return voice->frame().stereo && voice->frame().person != without; });
    return stereo ? 2 : 1;
}

std::size_t Mixer::add_up(std::optional<PersonId> without, bool last, std::size_t channels) {
    const std::span<float> sum = std::span(sum_).first(kFrame * channels);
    std::ranges::fill(sum, 0.0F);
    bool sounds = false;
    for (const auto& voice : voices_) {
        const Voice::Frame& frame = last ? voice->last_frame() : voice->frame();
        if (!frame.sounds || frame.person == without) continue;
        sounds = true;
        const float* in = frame.samples.data();
        if (voice->channels() == channels) {
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += in[i];
        } else if (channels == 2) {
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += in[i / 2];
        } else {
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += (in[2 * i] + in[2 * i + 1]) / 2;
        }
    }
    return sounds ? channels : 0;
}

Mixer::Output* Mixer::output_without(std::optional<PersonId> person) {
    Output* free = nullptr;
    for (const auto& output : outputs_) {
        if (output->taken && output->without == person) return output.get();
        if (!output->taken && free == nullptr) free = output.get();
    }
    if (free == nullptr) return nullptr;
    free->taken = true;
    free->without = person;
    free->beat = 0;
    free->running = false;
    free->flushed = true;
    free->loss = free->next_loss = 0;
    free->limiter.reset();
    return free;
}

void Mixer::encode(Output& output) {
    output.packet = {};
    const std::size_t channels = channels_for(output.without);
    if (output.running && output.encoder.channels() != channels) output.running = false;
    bool independent = independent_;
    if (!output.running) {
        output.encoder.start(channels);
        // An encoder looks ahead a few milliseconds: it begins in the beat before.
        if (add_up(output.without, true, channels) != 0) {
            const auto before = std::span(sum_).first(kFrame * channels);
            output.limiter.process(before, channels);
            output.encoder.set_complexity(complexity(voices()));
            output.encoder.encode(before, false);
            independent = true;
            output.flushed = false;
        }
    }
    const bool sounds = add_up(output.without, false, channels) != 0;
    // One frame of silence goes through the encoder, to get the end of the sound out of it.
    output.running = sounds || !output.flushed;
    output.flushed = !sounds;
    if (!output.running) return;
    const auto sound = std::span(sum_).first(kFrame * channels);
    output.limiter.process(sound, channels);
    output.encoder.set_complexity(complexity(voices()));
    output.encoder.set_expected_loss(output.loss);
    output.packet = output.encoder.encode(sound, independent);
    ++counters_.encoded;
}

core::BytesView Mixer::frame_for(PersonId person, int loss_percent) {
    Output* output = output_without(in_the_mix(person) ? std::optional(person) : std::nullopt);
    if (output == nullptr) {
        ++counters_.out_of_room;
        return {};
    }
    output->next_loss = std::max(output->next_loss, loss_percent);
    if (output->beat != beat_) {
        if (output->beat + 1 != beat_) output->running = false;
        output->beat = beat_;
        encode(*output);
    }
    return output->packet;
}

void Mixer::rest() {
    for (const auto& voice : voices_) voice->drop();
    for (const auto& output : outputs_) output->taken = false;
}

std::size_t Mixer::voices() const {
    return static_cast<std::size_t>(std::ranges::count_if(voices_, [](const auto& v) { return v->frame().sounds; }));
}

}  // namespace media::mixing
