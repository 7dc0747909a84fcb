// Decodes the loudest few of a meeting, mixes them and encodes what each listener is to hear: everybody but its own
// person. All who are not in the mix themselves share one encode; whoever is in it gets one without itself.
//
// At every beat (20 ms): mix(), then frame_for() for each listener. Packets may be pushed at any time; those of senders
// that are not chosen are only kept for a while. Sound that people share comes beside the loudest few, and in stereo
// when it is stereo.
//
// Owned by one meeting; its thread only. Memory is taken when sources are added, never by packets or beats. Everything
// is bounded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/bytes.hpp"
#include "media/mixing/counters.hpp"
#include "media/mixing/limiter.hpp"
#include "media/mixing/loudest_few.hpp"
#include "media/mixing/opus_codec.hpp"
#include "media/mixing/voice.hpp"

namespace media::mixing {

struct MixerSettings {
    std::size_t voices = 4;  ///< So many are mixed, 1 to LoudestFew::kMostVoices; shares come on top.
    EncoderSettings encoder{};
};

class Mixer {
  public:
    struct Packet {
        std::int64_t timestamp = 0;  ///< Unwrapped, 48 kHz.
        core::BytesView opus{};
        bool redundant = false;  ///< A copy of an earlier packet (RFC 2198): says nothing about delay.
    };

    /// `counters` must outlive the mixer.
    explicit Mixer(MixerCounters& counters, MixerSettings settings = {});
    ~Mixer();
    Mixer(const Mixer&) = delete;
    Mixer& operator=(const Mixer&) = delete;

    /// Known sources are left as they are. Allocates.
    void add(SourceId id, PersonId person, bool content);
    /// Its voice fades out.
    void remove(SourceId id);
    /// The source begins a new stream: what came before is forgotten.
    void restart(SourceId id);

    /// Unknown sources are ignored.
    void push(SourceId id, const Packet& packet, Time arrival);
    /// The listeners of this source have got its packets undecoded up to this timestamp: when it comes into the mix
    /// now, it goes on from there.
    void heard_until(SourceId id, std::int64_t timestamp);
    /// Calls `use(timestamp, payload)` for every packet that the mix has not played yet, in order: a listener who comes
    /// back to the packets themselves misses nothing.
    template <class Use>
    void each_waiting(SourceId id, Use&& use) const {
        const auto found = sources_.find(id);
        if (found == sources_.end() || found->second->voice == nullptr) return;
        const Source& source = *found->second;
        const auto position = source.voice->position();
        if (!position) return;
        for (std::size_t i = source.packets.find(*position); i < source.packets.count(); ++i) {
            use(source.packets[i].timestamp, source.packets.payload(source.packets[i]));
        }
    }

    /// One beat: chooses among all who may be heard, decodes, mixes.
    void mix(std::span<const Candidate> candidates, Time beat);

    /// What somebody of `person` hears in this beat: an Opus packet of 20 ms, valid until the next beat; empty for
    /// silence. `loss_percent`: of this listener, counts for the next beat.
    core::BytesView frame_for(PersonId person, int loss_percent);
    /// A listener starts to hear the mix at the next frame_for(): its decoder knows another stream until now.
    void newcomer() { newcomer_ = true; }

    /// Nobody listens for now.
    void rest();

    /// How many voices were decoded for the last beat.
    std::size_t voices() const;

  private:
    static constexpr std::size_t kSpare = 2;  ///< Voices that fade out while others fade in.
    static constexpr std::size_t kMostOutputs = 10;

    /// One mix with its encoder.
    struct Output {
        explicit Output(EncoderSettings settings) : encoder(settings) {}
        bool taken = false;
        std::optional<PersonId> without;  ///< Null: the mix of all.
        std::uint64_t beat = 0;           ///< When it was asked for last.
        bool running = false;             ///< The encoder was fed in the beat before.
        bool flushed = true;              ///< Silence has gone through the encoder since the last sound.
        int loss = 0;                     ///< Worst of the listeners in the beat before.
        int next_loss = 0;
        core::BytesView packet{};
        Limiter limiter;
        Encoder encoder;
    };

    void reserve();
    void choose(std::span<const Candidate> candidates, Time beat);
    void seat(Source& source);
    bool in_the_mix(PersonId person) const;
    Output* output_without(std::optional<PersonId> person);
    void encode(Output& output);
    /// Adds up what `without` hears, of this beat or the one before; returns the channels, 0 for silence.
    std::size_t add_up(std::optional<PersonId> without, bool last, std::size_t channels);
    std::size_t channels_for(std::optional<PersonId> without) const;

    MixerCounters& counters_;
    MixerSettings settings_;
    LoudestFew few_;
    std::unordered_map<SourceId, std::unique_ptr<Source>> sources_;
    std::vector<std::unique_ptr<Voice>> voices_;
    std::vector<std::unique_ptr<Output>> outputs_;
    std::uint64_t beat_ = 1;
    bool newcomer_ = false;
    bool independent_ = false;  ///< The mix of all has new listeners in this beat.
    std::array<float, 2 * kFrame> sum_{};
};

}  // namespace media::mixing
