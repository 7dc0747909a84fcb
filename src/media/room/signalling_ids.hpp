// Numbers that a meeting hands out. Plain values; owned by a Meeting.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "core/time.hpp"

namespace media::room {

/// Stream, group and audio ids: never repeated within a meeting, and growing. They follow the clock (quarter seconds
/// since 2025), so a server that has lost its state does not hand out again what clients still remember.
class IdSource {
  public:
    std::uint32_t next(core::Time wall) {
        using namespace std::chrono;
        constexpr sys_days kEpoch = year{2025} / January / 1;
        const auto ticks = duration_cast<milliseconds>(wall - kEpoch).count() / 250;
        const auto clamped = static_cast<std::uint32_t>(std::clamp<std::int64_t>(ticks, 1, 0xf000'0000));
        last_ = std::max(last_ + 1, clamped);
        return last_;
    }

  private:
    std::uint32_t last_ = 0;
};

/// SSRCs of our own. A full-period sequence (a counter through a bijection), so one meeting never sees one twice.
class SsrcSource {
  public:
    explicit SsrcSource(std::uint64_t seed) : counter_(static_cast<std::uint32_t>(seed ^ (seed >> 32))) {}

    std::uint32_t next() {
        std::uint32_t mixed = 0;
        do {
            mixed = ++counter_;
            mixed = (mixed ^ (mixed >> 16)) * 0x7feb352dU;
            mixed = (mixed ^ (mixed >> 15)) * 0x846ca68bU;
            mixed ^= mixed >> 16;
        } while (mixed == 0);
        return mixed;
    }

  private:
    std::uint32_t counter_;
};

}  // namespace media::room
