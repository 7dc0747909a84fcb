// How fast packets went past a point: bits per second over the last half second of that point's clock.
// Owned by one estimate; the meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace media::congestion {

class DeliveryRate {
  public:
    /// At any time on one clock, also a little out of order.
    void take(std::int64_t at_us, std::size_t bytes);
    /// 0: not known yet, or nothing for a window.
    std::uint64_t bps() const;
    /// Of the last fifth of a second only: noisy, but new.
    std::uint64_t latest_bps() const;
    void restart() { *this = DeliveryRate{}; }

  private:
    static constexpr std::int64_t kSlotUs = 50'000;
    static constexpr std::int64_t kSlots = 10;
    static constexpr std::int64_t kLatest = 4;
    void advance(std::int64_t slot);
    std::uint64_t rate(std::uint64_t bytes, std::int64_t from_slot) const;

    std::array<std::uint32_t, kSlots> bytes_{};
    std::uint64_t sum_ = 0;
    std::int64_t newest_ = -1;  ///< Number of the newest slot.
    std::int64_t first_ = -1;   ///< Of the first slot of this run.
    std::int64_t last_us_ = 0;
};

}  // namespace media::congestion
