// Port: how often whom the processes of an installation have let in together. PostgreSQL keeps it for all of them; a
// SQLite file has one process, which needs none. Nothing here must outlive a crash.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

/// A bucket of tokens under a key that says nothing about its owner. Times are those that a refill takes: what was
/// spent here since the last exchange, or what all together owe to a full bucket.
struct RateEntry {
    std::uint64_t key = 0;
    std::chrono::microseconds time{0};
};

/// All calls: as in SessionStore.
class RateLedger {
  public:
    virtual ~RateLedger() = default;

    /// Adds what was spent here, and answers for each of these keys what all have spent. Keys are there once.
    virtual Task<core::Result<std::vector<RateEntry>>> exchange_rates(std::vector<RateEntry> spent) = 0;
    /// Forgets buckets that are full again, at most `limit`.
    virtual Task<core::Result<void>> forget_rates(int limit) = 0;
};

}  // namespace service
