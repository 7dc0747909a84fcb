#include "media/mixing/time_stretch.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace media::mixing {

namespace {
constexpr std::size_t kStep = 4;             // Looked at roughly at 12 kHz first.
constexpr float kNextToNothing = 0.000'01F;  // Mean square: −50 dB.

/// Normalised correlation of the first `length` values with those `lag` behind.
float likeness(const float* sound, std::size_t length, std::size_t lag) {
    float cross = 0;
    float here = 0;
    float there = 0;
    for (std::size_t i = 0; i < length; ++i) {
        cross += sound[i] * sound[i + lag];
        here += sound[i] * sound[i];
        there += sound[i + lag] * sound[i + lag];
    }
    const float energy = std::sqrt(here * there);
    return energy > 0 ? cross / energy : 0;
}

/// From 0 to 1 in `length` steps.
float rise(std::size_t at, std::size_t length) {
    return (static_cast<float>(at) + 0.5F) / static_cast<float>(length);
}
}  // namespace

Period find_period(std::span<const float> sound, std::size_t channels) {
    std::array<float, kStretchWindow> mono{};
    std::array<float, kStretchWindow / kStep> rough{};
    float energy = 0;
    for (std::size_t i = 0; i < kStretchWindow; ++i) {
        for (std::size_t c = 0; c < channels; ++c) mono[i] += sound[i * channels + c];
        rough[i / kStep] += mono[i];
        energy += mono[i] * mono[i];
    }
    if (energy < kNextToNothing * kStretchWindow) return {kMostPeriod, 1};

    Period best{kLeastPeriod, -1};
    for (std::size_t lag = kLeastPeriod / kStep; lag <= kMostPeriod / kStep; ++lag) {
        const float value = likeness(rough.data(), kMostPeriod / kStep, lag);
        if (value > best.likeness) best = {lag * kStep, value};
    }
    const std::size_t from = std::max(kLeastPeriod, best.samples - kStep);
    const std::size_t to = std::min(kMostPeriod, best.samples + kStep);
    best.likeness = -1;
    for (std::size_t lag = from; lag <= to; ++lag) {
        const float value = likeness(mono.data(), kMostPeriod, lag);
        if (value > best.likeness) best = {lag, value};
    }
    return best;
}

void shorten(std::span<float> sound, std::size_t channels, std::size_t period) {
    const std::size_t shift = period * channels;
    for (std::size_t i = 0; i < shift; ++i) {
        const float in = rise(i / channels, period);
        sound[i + shift] = sound[i] * (1 - in) + sound[i + shift] * in;
    }
}

void lengthen(std::span<float> sound, std::size_t channels, std::size_t period) {
    const std::size_t shift = period * channels;
    std::copy_n(sound.begin() + static_cast<std::ptrdiff_t>(shift), shift, sound.begin());
    for (std::size_t i = 0; i < shift; ++i) {
        const float in = rise(i / channels, period);
        sound[i + shift] = sound[i + 2 * shift] * (1 - in) + sound[i + shift] * in;
    }
}

std::size_t repeat(std::span<const float> past, std::size_t channels, std::size_t wanted, std::span<float> out) {
    constexpr float kClear = 0.8F;
    std::array<float, kStretchWindow> backwards{};
    for (std::size_t i = 0; i < kStretchWindow; ++i) {
        for (std::size_t c = 0; c < channels; ++c) backwards[kStretchWindow - 1 - i] += past[i * channels + c];
    }
    const Period period = find_period(backwards, 1);
    const std::size_t length = (wanted + period.samples - 1) / period.samples * period.samples;
    if (period.likeness < kClear || length * channels > out.size()) return 0;

    const auto from = past.subspan((kStretchWindow - period.samples) * channels);
    const auto before = past.subspan((kStretchWindow - period.samples - 1) * channels, channels);
    const auto end = past.last(channels);
    const std::size_t seam = period.samples / 2;
    for (std::size_t i = 0; i < length * channels; ++i) {
        const std::size_t at = i / channels % period.samples;
        // What the end of the period lies off its beginning fades away.
        const float off = at < seam ? (end[i % channels] - before[i % channels]) * (1 - rise(at, seam)) : 0;
        out[i] = from[i % (period.samples * channels)] + off;
    }
    return length;
}

}  // namespace media::mixing
