#include "media/mixing/voice.hpp"

#include <algorithm>
#include <cmath>

#include "media/mixing/time_stretch.hpp"

namespace media::mixing {

namespace {
constexpr std::size_t kPrimed = 3;             // Packets decoded beforehand so that the decoder knows the voice.
constexpr std::size_t kFullyConcealed = 2880;  // 60 ms; then it fades …
constexpr std::size_t kMostConcealed = 5760;   // … until here.
constexpr std::int64_t kPause = 24'000;        // A longer gap is the sender's own pause.
constexpr std::int64_t kTooLong = 720;         // 15 ms more than wanted: a period is left out.
constexpr std::int64_t kTooShort = 120;        // 2.5 ms less: one is played twice.
constexpr std::int64_t kFarOff = 2400;         // 50 ms: rather a rough seam.
constexpr std::int64_t kHopeless = 14'400;     // 300 ms: go to where it should be.
constexpr float kAlike = 0.7F;
constexpr float kAlikeFarOff = 0.2F;
constexpr std::size_t kFadeIn = 480;
constexpr std::size_t kRecovery = 240;
constexpr float kNothing = 0.000'1F;  // −80 dB.
constexpr auto kStereoLately = std::chrono::seconds(2);

/// What libopus conceals: multiples of 2.5 ms.
std::size_t in_steps(std::int64_t samples) {
    const auto least = static_cast<std::size_t>(std::max<std::int64_t>(samples, 1));
    return (least + kOpusStep - 1) / kOpusStep * kOpusStep;
}
}  // namespace

Voice::Voice(std::size_t channels) : decoder_(channels), buffer_(kCapacity * channels) {
    for (Frame& frame : frames_) frame.samples.resize(kFrame * channels);
}

void Voice::release() {
    taken_ = leaving_ = over_ = false;
    if (source_ != nullptr) source_->voice = nullptr;
    source_ = nullptr;
    stop();
}

void Voice::turn() {
    if (over_) release();
    current_ ^= 1U;
    Frame& frame = frames_[current_];
    frame.person = person_;
    frame.sounds = frame.stereo = false;
}

void Voice::drop() {
    if (taken_) release();
    for (Frame& frame : frames_) frame.sounds = frame.stereo = false;
}

void Voice::take(Source& source) {
    source_ = &source;
    source.voice = this;
    person_ = source.person;
    frames_[current_].person = person_;
    taken_ = true;
    leaving_ = over_ = false;
    stop();
}

void Voice::source_lost() {
    source_ = nullptr;
    leaving_ = true;
}

void Voice::lose_position() {
    if (playing_) seek_ = true;
}

void Voice::stop() {
    playing_ = seek_ = false;
    begin_ = end_ = kFront;
    borrowed_ = 0;
    repeated_ = false;
    concealed_run_ = 0;
    conceal_gain_ = 1;
    gain_ = 0;
}

std::span<float> Voice::room() {
    if (begin_ > kFront) {
        std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_ * channels()), ready() * channels(),
                    buffer_.begin() + static_cast<std::ptrdiff_t>(kFront * channels()));
        end_ -= begin_ - kFront;
        begin_ = kFront;
    }
    return std::span(buffer_).subspan(end_ * channels());
}

void Voice::begin(Time beat) {
    if (source_ == nullptr || leaving_) return;
    const auto wanted = source_->delay.position(beat);
    if (!wanted) return;
    const PacketBuffer& packets = source_->packets;
    const auto heard = source_->heard_until;
    source_->heard_until.reset();
    if (heard && *heard > *wanted - static_cast<std::int64_t>(kFrame) &&
        *heard < *wanted + ArrivalDelay::kMost + ArrivalDelay::kMost) {
        // It was heard in the beat before: it does not fade in, and an encoder begins with what it said then.
        position_ = *heard;
        const std::size_t said = prime(packets.find(position_));
        Frame& last = frames_[current_ ^ 1U];
        if (said >= kFrame) {
            const auto tail = room().first(said * channels()).last(kFrame * channels());
            std::ranges::copy(tail, last.samples.begin());
            last.person = person_;
            last.sounds = true;
            last.stereo = false;
        }
        playing_ = true;
        gain_ = 1;
        return;
    }
    const std::size_t first = packets.find(*wanted);
    if (first == packets.count()) return;
    if (packets[first].timestamp >= *wanted + static_cast<std::int64_t>(kFrame)) return;  // Its time has not come.
    position_ = packets[first].timestamp;
    prime(first);
    playing_ = true;
}

/// Lets the decoder hear what was said just before, without handing it out: the last packet's samples, as many as this
/// returns, stand in `room()`.
std::size_t Voice::prime(std::size_t before) {
    const PacketBuffer& packets = source_->packets;
    std::int64_t joint = position_;
    std::size_t from = before;
    while (from > 0 && before - from < kPrimed && packets[from - 1].end() == joint) joint = packets[--from].timestamp;
    decoder_.reset();
    std::size_t said = 0;
    for (std::size_t i = from; i < before; ++i) said = decoder_.decode(packets.payload(packets[i]), room());
    return said;
}

void Voice::ramp(std::span<float> sound, float from, float to, std::size_t samples) const {
    const std::size_t length = sound.size() / channels();
    for (std::size_t i = 0; i < length; ++i) {
        float gain = to;
        if (i < samples) {
            const float at = (static_cast<float>(i) + 0.5F) / static_cast<float>(samples);
            gain = from + (to - from) * at * at * (3 - 2 * at);
        }
        for (std::size_t c = 0; c < channels(); ++c) sound[i * channels() + c] *= gain;
    }
}

void Voice::conceal(std::size_t samples, MixerCounters& counters) {
    const std::span<float> out = room();
    const std::size_t made = decoder_.conceal(samples, out);
    if (made < samples) {
        std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(made * channels()), (samples - made) * channels(), 0.0F);
    }
    ++counters.concealed;
    concealed_run_ += samples;
    if (concealed_run_ > kFullyConcealed) {
        const std::size_t left = concealed_run_ < kMostConcealed ? kMostConcealed - concealed_run_ : 0;
        const float next = static_cast<float>(left) / static_cast<float>(kMostConcealed - kFullyConcealed);
        ramp(out.first(samples * channels()), conceal_gain_, next, samples);
        conceal_gain_ = next;
    }
    end_ += samples;
}

void Voice::play(std::size_t index, MixerCounters& counters) {
    const PacketBuffer::Packet packet = source_->packets[index];
    const std::span<float> out = room();
    const std::size_t made = decoder_.decode(source_->packets.payload(packet), out);
    source_->packets.mark_used(index);
    position_ = packet.end();
    borrowed_ = 0;
    repeated_ = false;
    if (made == 0) {
        ++counters.malformed;
        conceal(in_steps(std::min<std::int64_t>(packet.samples, kFrame)), counters);
        return;
    }
    ++counters.decoded;
    if (packet.redundant) ++counters.redundant;
    if (conceal_gain_ < 1) ramp(out.first(made * channels()), conceal_gain_, 1, std::min(kRecovery, made));
    conceal_gain_ = 1;
    concealed_run_ = 0;
    end_ += made;
}

/// `gap` samples are missing and `next` stands behind them.
void Voice::bridge(const PacketBuffer::Packet& next, std::int64_t gap, MixerCounters& counters) {
    const core::BytesView payload = source_->packets.payload(next);
    position_ += borrowed_;
    borrowed_ = 0;
    if (opus_carries_fec(payload)) {
        const auto covered = static_cast<std::int64_t>(opus_frame_samples(payload));
        if (gap == covered) {
            const std::size_t made = decoder_.restore(payload, static_cast<std::size_t>(gap), room());
            if (made != 0) {
                counters.restored += (made + kFrame - 1) / kFrame;
                position_ += gap;
                end_ += made;
                return;
            }
        } else if (gap > covered) {
            gap -= covered;
        }
    }
    const std::size_t samples = in_steps(std::min<std::int64_t>(gap, kFrame));
    position_ += static_cast<std::int64_t>(samples);
    conceal(samples, counters);
}

void Voice::obtain(MixerCounters& counters) {
    if (source_ != nullptr && !seek_) {
        const PacketBuffer& packets = source_->packets;
        const std::size_t index = packets.find(position_);
        if (index < packets.count()) {
            const PacketBuffer::Packet& next = packets[index];
            if (next.timestamp <= position_) return play(index, counters);
            const std::int64_t gap = next.timestamp - position_ - borrowed_;
            if (borrowed_ != 0) own_up(next, counters);
            if (gap <= 0) {
                position_ = next.timestamp;
                return play(index, counters);
            }
            if (gap <= kPause && concealed_run_ < kMostConcealed) return bridge(next, gap, counters);
        }
    }
    if (concealed_run_ >= kMostConcealed) {
        ++counters.silenced;
        playing_ = false;
        return;
    }
    const std::size_t missing = kFrame - ready();
    if (borrow(missing)) return;
    borrowed_ += static_cast<std::int64_t>(in_steps(static_cast<std::int64_t>(missing)));
    conceal(in_steps(static_cast<std::int64_t>(missing)), counters);
}

/// Draws out what was said last, where that is possible.
bool Voice::borrow(std::size_t samples) {
    const Frame& said = last_frame();
    if (source_ == nullptr || seek_ || borrowed_ != 0 || concealed_run_ != 0 || gain_ != 1 || !said.sounds)
        return false;
    const auto out = room();
    std::array<float, 2 * kStretchWindow> past{};
    const std::size_t handed_out = (kStretchWindow - ready()) * channels();
    std::ranges::copy(std::span(said.samples).last(handed_out), past.begin());
    std::ranges::copy(sound(), past.begin() + static_cast<std::ptrdiff_t>(handed_out));
    const std::size_t made = repeat(std::span(past).first(kStretchWindow * channels()), channels(), samples, out);
    if (made == 0) return false;
    end_ += made;
    borrowed_ = static_cast<std::int64_t>(made);
    repeated_ = true;
    return true;
}

/// What was drawn out stands for packets that are lost indeed, as `next` shows: the decoder has to know, too.
void Voice::own_up(const PacketBuffer::Packet& next, MixerCounters& counters) {
    if (!repeated_) return;
    repeated_ = false;
    ++counters.concealed;
    const core::BytesView payload = source_->packets.payload(next);
    const auto gap = static_cast<std::size_t>(next.timestamp - position_);
    if (gap == opus_frame_samples(payload)) {
        decoder_.restore(payload, gap, room());
    } else {
        decoder_.conceal(in_steps(static_cast<std::int64_t>(std::min(gap, kFrame))), room());
    }
}

/// Moves the delay towards what it should be, by one period at most.
void Voice::keep_pace(Time beat, MixerCounters& counters) {
    if (source_ == nullptr || seek_ || leaving_ || concealed_run_ != 0 || ready() < kFrame) return;
    const auto wanted = source_->delay.position(beat);
    if (!wanted) return;
    const std::int64_t behind = *wanted - (position_ - static_cast<std::int64_t>(ready()));
    const float alike = std::abs(behind) > kFarOff ? kAlikeFarOff : kAlike;
    if (std::abs(behind) > kHopeless) {
        ++counters.skipped;
        seek_ = true;
    } else if (behind > kTooLong) {
        while (ready() < kAhead) {
            const std::size_t next = source_->packets.find(position_);
            if (next == source_->packets.count() || source_->packets[next].timestamp > position_) return;
            play(next, counters);
        }
        const Period period = find_period(sound(), channels());
        if (period.likeness < alike) return;
        shorten(sound(), channels(), period.samples);
        begin_ += period.samples;
        ++counters.shortened;
    } else if (behind < -kTooShort) {
        const Period period = find_period(sound(), channels());
        if (period.likeness < alike || period.samples > begin_) return;
        begin_ -= period.samples;
        lengthen(sound(), channels(), period.samples);
        ++counters.lengthened;
    }
}

void Voice::hand_out(Time beat) {
    Frame& frame = frames_[current_];
    const std::size_t samples = std::min(ready(), kFrame);
    const auto out = std::span(frame.samples);
    std::ranges::copy(sound().first(samples * channels()), out.begin());
    std::ranges::fill(out.subspan(samples * channels()), 0.0F);
    begin_ += samples;

    const float target = leaving_ || seek_ ? 0 : 1;
    if (gain_ != 1 || target != 1) ramp(out, gain_, target, target > gain_ ? kFadeIn : kFrame);
    gain_ = target;
    frame.sounds = std::ranges::any_of(out, [](float value) { return std::abs(value) > kNothing; });
    frame.stereo =
        channels() == 2 && source_ != nullptr && source_->last_stereo && beat - *source_->last_stereo < kStereoLately;
}

void Voice::speak(Time beat, MixerCounters& counters) {
    if (!taken_) return;
    if (!playing_) begin(beat);
    if (playing_) {
        while (playing_ && ready() < kFrame) obtain(counters);
        if (playing_) keep_pace(beat, counters);
        hand_out(beat);
    }
    if (!playing_ || seek_) stop();
    over_ = leaving_;
}

}  // namespace media::mixing
