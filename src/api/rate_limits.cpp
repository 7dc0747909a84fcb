#include "api/rate_limits.hpp"

#include <utility>

namespace api {

std::string_view to_text(RateKind kind) {
    constexpr std::array<std::string_view, kRateKinds> kNames = {"read",    "write",     "join",  "refresh",
                                                                 "address", "anonymous", "failed"};
    return kNames[static_cast<std::size_t>(kind)];
}

RateLimits::RateLimits(const RateSettings& settings, std::string_view secret)
    : quotas_{settings.read,    settings.write,     settings.join,  settings.refresh,
              settings.address, settings.anonymous, settings.failed},
      shared_(settings.shared),
      keys_(secret),
      users_({.slots = settings.slots, .shared = settings.shared}),
      addresses_({.slots = settings.slots, .shared = settings.shared}) {}

std::optional<RateStanding> RateLimits::spend_user(RateKind kind, std::string_view user_id, Micros now) {
    if (quota(kind) == 0) return {};
    return spend_from(users_, kind, keys_.of_user(static_cast<std::uint8_t>(kind), user_id), now);
}

std::optional<RateStanding> RateLimits::spend_address(RateKind kind, std::string_view address, Micros now) {
    if (quota(kind) == 0) return {};
    return spend_from(addresses_, kind, keys_.of_address(static_cast<std::uint8_t>(kind), address), now);
}

std::optional<RateStanding> RateLimits::spend_from(RateTable& table, RateKind kind, std::uint64_t key, Micros now) {
    const RatePolicy policy{quota(kind)};
    const auto taken = table.take(policy, key, now);
    if (taken.urgent && wake_ && !woken_.exchange(true)) wake_();
    if (!taken.spending.allowed) refused_.add(static_cast<std::size_t>(kind));
    return RateStanding{kind, policy, taken.spending};
}

std::vector<RateShare> RateLimits::collect(std::size_t limit, Micros now) {
    woken_ = false;
    auto shares = users_.collect(limit, now);
    for (const auto& share : addresses_.collect(limit - shares.size(), now)) shares.push_back(share);
    return shares;
}

void RateLimits::settle(std::uint64_t key, Micros owed, Micros now) {
    users_.settle(key, owed, now);
    addresses_.settle(key, owed, now);
}

void RateLimits::give_back(const RateShare& share, Micros now) {
    users_.give_back(share, now);
    addresses_.give_back(share, now);
}

}  // namespace api
