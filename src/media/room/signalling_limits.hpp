// How much one signalling connection may ask for. Plain values; time is an argument.
#pragma once

#include <algorithm>
#include <chrono>

#include "media/room/media_settings.hpp"

namespace media::room {

/// A token bucket: `rate` per second on average, `burst` at once.
class TokenBucket {
  public:
    TokenBucket(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}

    /// Takes one token; false when there is none.
    bool take(Time now) {
        if (now > refilled_) {
            const std::chrono::duration<double> passed = now - refilled_;
            tokens_ = refilled_ == Time{} ? burst_ : std::min(burst_, tokens_ + passed.count() * rate_);
            refilled_ = now;
        }
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        return true;
    }

  private:
    double rate_;
    double burst_;
    double tokens_;
    Time refilled_{};
};

}  // namespace media::room
