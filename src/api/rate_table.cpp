#include "api/rate_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace api {
namespace {

Micros owed_at(Micros full_at, Micros now) {
    return std::max(full_at - now, Micros{0});
}

}  // namespace

RateTable::RateTable(Settings settings)
    : shared_(settings.shared),
      sets_(std::bit_ceil(std::max(settings.slots, kShards * kWays)) / kWays),
      shift_(64U - static_cast<unsigned>(std::countr_zero(sets_))),
      table_(std::make_unique<Set[]>(sets_)) {}

RateTable::~RateTable() = default;

std::size_t RateTable::bytes() const {
    return sets_ * sizeof(Set) + sizeof(*this) + kShards * kMostWaiting * sizeof(std::uint64_t);
}

RateTable::Slot* RateTable::find(std::uint64_t key) {
    auto& set = table_[set_of(key)];
    const auto found = std::ranges::find(set, key, &Slot::key);
    return found == set.end() ? nullptr : &*found;
}

/// A shard whose list is full has enough to tell; this one comes with its next request.
void RateTable::note(Shard& shard, Slot& slot) {
    if (slot.waits || shard.waiting.size() >= kMostWaiting) return;
    slot.waits = true;
    shard.waiting.push_back(slot.key);
}

RateTable::Taken RateTable::take(const RatePolicy& policy, std::uint64_t key, Micros now) {
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    auto* slot = find(key);
    const bool is_known = slot != nullptr;
    if (!is_known) slot = &*std::ranges::min_element(table_[set_of(key)], {}, &Slot::full_at);
    const auto spending = spend(policy, slot->full_at, now);
    if (!spending.allowed) return {spending, false};
    // What a predecessor has spent is not the newcomer's to tell.
    if (!is_known) *slot = {key, slot->full_at, 0, false};
    const auto untold = std::min(Micros{slot->untold}, owed_at(slot->full_at, now)) + policy.cost();
    slot->untold = static_cast<std::uint32_t>(untold.count());
    slot->full_at = spending.full_at;
    const auto telling = policy.window / kShareAt;
    if (!shared_ || spending.full_at - now < telling) return {spending, false};
    note(shard, *slot);
    return {spending, untold >= telling};
}

std::vector<RateShare> RateTable::collect(std::size_t limit, Micros now) {
    std::vector<RateShare> shares;
    for (std::size_t i = 0; i < kShards && shares.size() < limit; ++i) {
        auto& shard = shards_[next_shard_++ % kShards];
        const std::lock_guard lock(shard.mutex);
        while (!shard.waiting.empty() && shares.size() < limit) {
            const auto key = shard.waiting.back();
            shard.waiting.pop_back();
            auto* slot = find(key);
            if (!slot) continue;
            slot->waits = false;
            const auto untold = std::min(Micros{std::exchange(slot->untold, 0)}, owed_at(slot->full_at, now));
            if (untold > Micros{0}) shares.push_back({key, untold});
        }
    }
    return shares;
}

void RateTable::settle(std::uint64_t key, Micros owed, Micros now) {
    const std::lock_guard lock(shard_of(key).mutex);
    if (auto* slot = find(key)) slot->full_at = std::max(slot->full_at, now + owed + Micros{slot->untold});
}

void RateTable::give_back(const RateShare& share, Micros now) {
    auto& shard = shard_of(share.key);
    const std::lock_guard lock(shard.mutex);
    auto* slot = find(share.key);
    if (!slot) return;
    const auto untold = std::min(Micros{slot->untold} + share.spent, owed_at(slot->full_at, now));
    slot->untold = static_cast<std::uint32_t>(untold.count());
    note(shard, *slot);
}

}  // namespace api
