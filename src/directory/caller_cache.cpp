#include "directory/caller_cache.hpp"

namespace directory {

CallerCache::CallerCache() : shards_(kShards) {}

std::optional<service::Caller> CallerCache::find(const core::Sha256& token, double now,
                                                 std::uint64_t generation) const {
    const auto& shard = shards_[shard_of(token)];
    const std::lock_guard lock(shard.mutex);
    const auto& entry = shard.entries[place_of(token)];
    if (entry.token != token || entry.generation != generation) return {};
    if (now < entry.validity.from || now >= entry.validity.until) return {};
    return entry.caller;
}

void CallerCache::put(const core::Sha256& token, const service::Caller& caller, Validity validity,
                      std::uint64_t generation) {
    auto& shard = shards_[shard_of(token)];
    const std::lock_guard lock(shard.mutex);
    shard.entries[place_of(token)] = {token, caller, validity, generation};
}

}  // namespace directory
