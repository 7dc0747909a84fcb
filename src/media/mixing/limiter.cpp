#include "media/mixing/limiter.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace media::mixing {

namespace {
constexpr std::size_t kParts = 8;   // Of a frame: 2.5 ms each.
constexpr float kRelease = 1.006F;  // A part: 20 dB a second.
constexpr float kKnee = 0.95F;      // From here on values are bent.

float bend(float value) {
    const float size = std::abs(value);
    if (!(size > kKnee)) return std::isfinite(value) ? value : 0;
    constexpr float kRoom = 1 - kKnee;
    const float over = (size - kKnee) / kRoom;
    return std::copysign(kKnee + kRoom * over / (1 + over), value);
}
}  // namespace

void Limiter::process(std::span<float> frame, std::size_t channels) {
    const std::size_t part = frame.size() / kParts;
    std::array<float, kParts + 1> allowed{};
    for (std::size_t p = 0; p < kParts; ++p) {
        float peak = 0;
        for (const float value : frame.subspan(p * part, part)) peak = std::max(peak, std::abs(value));
        allowed[p] = peak > kCeiling ? kCeiling / peak : 1;
    }
    allowed[kParts] = allowed[kParts - 1];
    const bool nothing_to_do = gain_ >= 1 && std::ranges::all_of(allowed, [](float gain) { return gain >= 1; });
    if (nothing_to_do) return;

    const std::size_t steps = part / channels;
    for (std::size_t p = 0; p < kParts; ++p) {
        // Down in time for the part behind this one.
        const float wanted = std::min(allowed[p], allowed[p + 1]);
        const float next = std::min({wanted, gain_ * kRelease, 1.0F});
        for (std::size_t i = 0; i < steps; ++i) {
            const float at = gain_ + (next - gain_) * static_cast<float>(i + 1) / static_cast<float>(steps);
            for (std::size_t c = 0; c < channels; ++c) {
                float& value = frame[p * part + i * channels + c];
                value = bend(value * at);
            }
        }
        gain_ = next;
    }
}

}  // namespace media::mixing
