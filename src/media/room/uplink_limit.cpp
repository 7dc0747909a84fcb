#include "media/room/uplink_limit.hpp"

#include <algorithm>

namespace media::room {

void ReceiverEstimate::set(std::uint64_t bps, Time now) {
    bps_ = bps;
    at_ = now;
}

std::optional<std::uint64_t> ReceiverEstimate::bps(Time now) const {
    if (!at_ || now - *at_ > kFresh) return std::nullopt;
    return bps_;
}

void UplinkLimit::add(std::optional<std::uint64_t> share) {
    if (share) weakest_ = std::min(*share, weakest_.value_or(*share));
}

std::optional<std::uint64_t> UplinkLimit::allowed(std::uint64_t ceiling_bps, std::uint64_t floor_bps) const {
    std::optional<std::uint64_t> limit;
    if (weakest_) limit = std::max(*weakest_, floor_bps);
    if (ceiling_bps != 0) limit = std::min(limit.value_or(ceiling_bps), ceiling_bps);
    return limit;
}

std::optional<std::uint64_t> UplinkLimit::poll(std::optional<std::uint64_t> limit_bps, Time now) {
    if (!limit_bps) return std::nullopt;
    const bool lower = *limit_bps * 100 < told_bps_ * 97;
    if (told_ && now - *told_ < (lower ? Time::duration(kShortest) : Time::duration(kInterval))) return std::nullopt;
    told_ = now;
    told_bps_ = *limit_bps;
    return limit_bps;
}

}  // namespace media::room
