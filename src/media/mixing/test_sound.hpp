// For tests: people who speak in tones and are coded with real Opus, and ears that tell the tones apart. Not
// thread-safe; one test.
#pragma once

#include <opus/opus.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "media/mixing/opus_codec.hpp"

namespace media::mixing::testing {

using namespace std::chrono_literals;
using core::Bytes;

/// A speaker's codec. Frames of 10 to 60 ms.
class Talker {
  public:
    struct Settings {
        double hz = 400;
        double right_hz = 0;  ///< Not 0: stereo, and this in the right channel.
        double amplitude = 0.2;
        std::size_t samples = kFrame;  ///< Of a packet.
        bool speech = false;           ///< With overtones and syllables: what Opus takes for a voice.
        int bps = 32'000;
        int expected_loss = 0;  ///< In percent: above 0 in-band FEC is put in.
    };
    explicit Talker(Settings settings) : settings_(settings) {
        int error = 0;
        encoder_.reset(opus_encoder_create(kSampleRate, channels(), OPUS_APPLICATION_VOIP, &error));
        opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(settings.bps));
        opus_encoder_ctl(encoder_.get(), OPUS_SET_COMPLEXITY(1));
        opus_encoder_ctl(encoder_.get(), OPUS_SET_INBAND_FEC(1));
        opus_encoder_ctl(encoder_.get(), OPUS_SET_PACKET_LOSS_PERC(settings.expected_loss));
        if (channels() == 2) opus_encoder_ctl(encoder_.get(), OPUS_SET_FORCE_CHANNELS(2));
    }
    Bytes next() {
        std::vector<float> sound(settings_.samples * static_cast<std::size_t>(channels()));
        for (std::size_t i = 0; i < settings_.samples; ++i, ++at_) {
            const auto tone = [&](double hz) {
                const double phase = 2 * std::numbers::pi * hz * static_cast<double>(at_) / kSampleRate;
                if (!settings_.speech) return static_cast<float>(settings_.amplitude * std::sin(phase));
                return static_cast<float>(settings_.amplitude * syllable(at_) *
                                          (std::sin(phase) + std::sin(2 * phase) / 2 + std::sin(3 * phase) / 3));
            };
            if (channels() == 1) {
                sound[i] = tone(settings_.hz);
            } else {
                sound[2 * i] = tone(settings_.hz);
                sound[2 * i + 1] = tone(settings_.right_hz);
            }
        }
        Bytes packet(1400);
        const int size = opus_encode_float(encoder_.get(), sound.data(), static_cast<int>(settings_.samples),
                                           packet.data(), static_cast<opus_int32>(packet.size()));
        packet.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return packet;
    }
    /// Four a second, from 0 to 1.
    static double syllable(std::uint64_t at) {
        const double half = std::sin(std::numbers::pi * 4 * static_cast<double>(at) / kSampleRate);
        return half * half;
    }

  private:
    struct Free {
        void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
    };
    int channels() const { return settings_.right_hz != 0 ? 2 : 1; }

    Settings settings_;
    std::unique_ptr<OpusEncoder, Free> encoder_;
    std::uint64_t at_ = 0;
};

/// How strong a tone is in the sound: its amplitude (Goertzel's algorithm with a Hann window).
inline double amplitude_of(std::span<const float> sound, double hz) {
    const double turn = 2 * std::numbers::pi * hz / kSampleRate;
    double one = 0;
    double two = 0;
    double weights = 0;
    for (std::size_t i = 0; i < sound.size(); ++i) {
        const double window =
            0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(sound.size()));
        weights += window;
        const double value = window * static_cast<double>(sound[i]) + 2 * std::cos(turn) * one - two;
        two = one;
        one = value;
    }
    const double power = one * one + two * two - 2 * std::cos(turn) * one * two;
    return 2 * std::sqrt(std::max(power, 0.0)) / weights;
}

/// A listener: decodes what comes, one packet for each 20 ms.
class Ear {
  public:
    explicit Ear(std::size_t channels = 1) : decoder_(channels) {}
    /// Empty: silence.
    void take(core::BytesView packet) {
        static constexpr std::uint8_t kSilence[] = {0xF8, 0xFF, 0xFE};
        std::vector<float> out(kMaxPacketSamples * decoder_.channels());
        const std::size_t made = decoder_.decode(packet.empty() ? core::BytesView(kSilence) : packet, out);
        for (std::size_t i = 0; i < made; ++i) {
            left.push_back(out[i * decoder_.channels()]);
            if (decoder_.channels() == 2) right.push_back(out[2 * i + 1]);
        }
    }
    /// The last `time`.
    std::span<const float> last(std::chrono::milliseconds time) const {
        return std::span(left).last(std::min(left.size(), static_cast<std::size_t>(time.count()) * 48));
    }
    double hears(double hz, std::chrono::milliseconds time = 400ms) const { return amplitude_of(last(time), hz); }

    std::vector<float> left;
    std::vector<float> right;

  private:
    Decoder decoder_;
};

/// The strongest sudden step in the sound: what remains of it when everything below some kilohertz is taken away, as
/// the third difference does. A click is a peak; a tone is small and even.
inline double strongest_click(std::span<const float> sound) {
    double strongest = 0;
    for (std::size_t i = 3; i < sound.size(); ++i) {
        const double third = static_cast<double>(sound[i]) - 3.0 * static_cast<double>(sound[i - 1]) +
                             3.0 * static_cast<double>(sound[i - 2]) - static_cast<double>(sound[i - 3]);
        strongest = std::max(strongest, std::abs(third));
    }
    return strongest;
}

/// The quietest stretch of 10 ms, as root mean square: a hole is near 0.
inline double quietest(std::span<const float> sound) {
    double least = 1;
    for (std::size_t at = 0; at + 480 <= sound.size(); at += 240) {
        double sum = 0;
        for (const float value : sound.subspan(at, 480)) sum += static_cast<double>(value) * static_cast<double>(value);
        least = std::min(least, std::sqrt(sum / 480));
    }
    return least;
}

}  // namespace media::mixing::testing
