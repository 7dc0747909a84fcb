#include "media/congestion/delivery_rate.hpp"

#include <algorithm>

namespace media::congestion {

void DeliveryRate::advance(std::int64_t slot) {
    if (slot - newest_ > 4 * kSlots) restart();
    if (newest_ < 0) {
        newest_ = slot;
        first_ = slot;
        return;
    }
    while (newest_ < slot) {
        ++newest_;
        std::uint32_t& oldest = bytes_[static_cast<std::size_t>(newest_ % kSlots)];
        sum_ -= oldest;
        oldest = 0;
    }
}

void DeliveryRate::take(std::int64_t at_us, std::size_t bytes) {
    if (at_us < 0) return;
    const std::int64_t slot = at_us / kSlotUs;
    if (slot > newest_) advance(slot);
    if (newest_ - slot >= kSlots) return;
    bytes_[static_cast<std::size_t>(slot % kSlots)] += static_cast<std::uint32_t>(bytes);
    sum_ += bytes;
    last_us_ = std::max(last_us_, at_us);
}

std::uint64_t DeliveryRate::rate(std::uint64_t bytes, std::int64_t from_slot) const {
    // The newest slot is full up to the last arrival.
    const std::int64_t span = last_us_ - from_slot * kSlotUs;
    return span <= 0 ? 0 : bytes * 8'000'000 / static_cast<std::uint64_t>(span);
}

std::uint64_t DeliveryRate::bps() const {
    if (newest_ < 0 || newest_ - first_ < kSlots / 2) return 0;
    return rate(sum_, std::max(first_, newest_ - kSlots + 1));
}

std::uint64_t DeliveryRate::latest_bps() const {
    if (newest_ < 0 || newest_ - first_ < kLatest) return 0;
    std::uint64_t bytes = 0;
    for (std::int64_t slot = newest_ - kLatest + 1; slot <= newest_; ++slot) {
        bytes += bytes_[static_cast<std::size_t>(slot % kSlots)];
    }
    return rate(bytes, newest_ - kLatest + 1);
}

}  // namespace media::congestion
