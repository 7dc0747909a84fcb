// Keeps a mix from clipping: turns it down before the loud moment comes and up again slowly afterwards; what is still
// too much is bent smoothly.
//
// Owned by one mix; the meeting's thread only. Allocates nothing.
#pragma once

#include <cstddef>
#include <span>

namespace media::mixing {

class Limiter {
  public:
    /// Louder than this does not leave: −1 dB.
    static constexpr float kCeiling = 0.89F;

    /// One frame (kFrame samples of each channel), changed in place; every value is within ±1 afterwards.
    void process(std::span<float> frame, std::size_t channels);
    void reset() { gain_ = 1; }
    float gain() const { return gain_; }

  private:
    float gain_ = 1;
};

}  // namespace media::mixing
