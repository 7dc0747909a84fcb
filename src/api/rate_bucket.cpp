#include "api/rate_bucket.hpp"

#include <algorithm>

namespace api {

Spending spend(const RatePolicy& policy, Micros full_at, Micros now) {
    const auto cost = policy.cost();
    const auto before = std::max(full_at, now);
    const auto after = before + cost;
    if (const auto excess = after - now - policy.window; excess > Micros{0}) return {false, before, 0, excess};
    return {true, after, static_cast<int>((policy.window - (after - now)) / cost), Micros{0}};
}

}  // namespace api
