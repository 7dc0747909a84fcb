#include "events/lease.hpp"

#include <utility>

#include "core/bytes.hpp"

namespace events {

using std::chrono::steady_clock;

Lease::Lease(service::Outbox& outbox, std::string name, std::chrono::milliseconds life)
    : outbox_(outbox), name_(std::move(name)), holder_(core::uuid4()), life_(life) {}

service::Task<core::Result<bool>> Lease::hold() {
    const auto asked = steady_clock::now();
    if (held_until_ - asked > life_ * 2 / 3) co_return true;
    const auto held = co_await outbox_.hold_lease(name_, holder_, life_);
    if (!held) co_return held;
    held_until_ = *held ? asked + life_ : steady_clock::time_point{};
    co_return held;
}

service::Task<void> Lease::release() {
    if (std::exchange(held_until_, {}) <= steady_clock::now()) co_return;
    co_await outbox_.release_lease(name_, holder_);
}

}  // namespace events
