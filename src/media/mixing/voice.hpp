// One sender's packets, and one of the chosen few who turns them into sound: a frame of 20 ms at every beat, come what
// may.
//
// The buffer is adaptive: sound is held as long as the sender's jitter demands (ArrivalDelay) and made a pitch period
// shorter or longer now and then to stay there, which also takes up the difference between the sender's clock and ours.
// What is missing comes, in this order, from a redundant copy (RFC 2198), from the in-band FEC of the packet behind,
// from the decoder's concealment; after 120 ms the voice fades to silence until packets come again. When nothing has
// come at all yet, what was said last is drawn out and not counted as lost: the packets may only be late, and are then
// played with a little more delay, which is worked off afterwards.
//
// Owned by one Mixer; the meeting's thread only. Nothing is allocated after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/mixing/arrival_delay.hpp"
#include "media/mixing/counters.hpp"
#include "media/mixing/loudest_few.hpp"
#include "media/mixing/opus_codec.hpp"
#include "media/mixing/packet_buffer.hpp"

namespace media::mixing {

/// Sources of one person are never played to that person.
using PersonId = std::uint32_t;

class Voice;

/// One sender, chosen or not.
struct Source {
    SourceId id = 0;
    PersonId person = 0;
    bool content = false;
    PacketBuffer packets;
    ArrivalDelay delay;
    /// Its listeners heard it undecoded up to this timestamp; a voice that starts now goes on from there.
    std::optional<std::int64_t> heard_until;
    std::optional<Time> last_stereo;  ///< When a stereo packet came last.
    Voice* voice = nullptr;           ///< While it is one of the chosen few, or fades out.
};

class Voice {
  public:
    /// What it says in 20 ms.
    struct Frame {
        std::vector<float> samples;  ///< kFrame of each channel, interleaved.
        PersonId person = 0;
        bool sounds = false;  ///< False: silence, whatever is in `samples`.
        bool stereo = false;  ///< Worth a second channel.
    };

    /// `channels`: 1 for microphones, 2 for shares.
    explicit Voice(std::size_t channels);

    std::size_t channels() const { return decoder_.channels(); }
    bool taken() const { return taken_; }

    /// A new beat: what was this frame becomes the last one; a voice that has faded out is free again.
    void turn();
    /// Speaks for `source` from now on, fading in.
    void take(Source& source);
    /// Fades out within the next frame, unless it is to stay after all.
    void let_go() { leaving_ = true; }
    void stay() { leaving_ = false; }
    /// Fades out without its source, which is gone.
    void source_lost();
    /// Free at once: nobody listens.
    void drop();
    /// The source's timeline jumped: nothing that was known about positions holds.
    void lose_position();

    /// Makes the frame of this beat.
    void speak(Time beat, MixerCounters& counters);

    /// True when packets that end at `timestamp` come too late.
    bool past(std::int64_t end) const { return playing_ && end <= position_; }
    /// What comes next, for a listener who is to hear the packets themselves from now on; null while silent.
    std::optional<std::int64_t> position() const { return playing_ ? std::optional(position_) : std::nullopt; }

    const Frame& frame() const { return frames_[current_]; }
    const Frame& last_frame() const { return frames_[current_ ^ 1U]; }

  private:
    /// In front of the sound, for a period that is played twice.
    static constexpr std::size_t kFront = 480;
    /// So much is fetched where it is there already, to have something to shorten.
    static constexpr std::size_t kAhead = kFrame + 480;
    static constexpr std::size_t kCapacity = kFront + kAhead + kMaxPacketSamples;

    void release();
    void begin(Time beat);
    std::size_t prime(std::size_t before);
    void stop();
    /// Fetches one packet or makes something up: at least one sample more, or `playing_` ends.
    void obtain(MixerCounters& counters);
    void play(std::size_t index, MixerCounters& counters);
    void bridge(const PacketBuffer::Packet& next, std::int64_t gap, MixerCounters& counters);
    void conceal(std::size_t samples, MixerCounters& counters);
    bool borrow(std::size_t samples);
    void own_up(const PacketBuffer::Packet& next, MixerCounters& counters);
    void keep_pace(Time beat, MixerCounters& counters);
    void hand_out(Time beat);
    void ramp(std::span<float> sound, float from, float to, std::size_t samples) const;

    std::size_t ready() const { return end_ - begin_; }
    std::span<float> sound() { return std::span(buffer_).subspan(begin_ * channels(), ready() * channels()); }
    /// Room behind what is ready, for one packet at least.
    std::span<float> room();

    Decoder decoder_;
    Source* source_ = nullptr;
    PersonId person_ = 0;
    bool taken_ = false;
    bool leaving_ = false;
    bool playing_ = false;
    bool seek_ = false;  ///< Fades out, then begins anew where it should be.
    bool over_ = false;  ///< Has faded out.

    std::vector<float> buffer_;  ///< Decoded sound from `begin_` to `end_`, in samples of each channel.
    std::size_t begin_ = kFront;
    std::size_t end_ = kFront;
    std::int64_t position_ = 0;      ///< Timestamp of what is to be decoded next.
    std::int64_t borrowed_ = 0;      ///< Made up since then, with nothing known to be lost.
    bool repeated_ = false;          ///< Of that the first part, by repetition: the decoder knows nothing of it.
    std::size_t concealed_run_ = 0;  ///< Samples since the last real one.
    float conceal_gain_ = 1;
    float gain_ = 0;
    std::array<Frame, 2> frames_;
    std::size_t current_ = 0;
};

}  // namespace media::mixing
