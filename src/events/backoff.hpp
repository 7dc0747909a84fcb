// How long to wait before the next try: twice as long each time up to a limit, of which a random half is left out, so
// that several processes do not come back together. Plain.
#pragma once

#include <algorithm>
#include <chrono>

#include "core/bytes.hpp"

namespace events {

class Backoff {
  public:
    Backoff(std::chrono::milliseconds first, std::chrono::milliseconds most) : first_(first), most_(most) {}

    /// Between half and all of the present step.
    std::chrono::milliseconds next() {
        const auto step = step_;
        step_ = std::min(step_ * 2, most_);
        return step / 2 + std::chrono::milliseconds(core::random_u32() % (step.count() / 2 + 1));
    }
    /// It worked.
    void reset() { step_ = first_; }

  private:
    std::chrono::milliseconds first_, most_;
    std::chrono::milliseconds step_ = first_;
};

}  // namespace events
