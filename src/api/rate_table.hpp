// Buckets by key, in memory that never grows. A key has its place in one set of eight. When a set is full, a new key
// takes over the bucket that is fullest, *with what was spent from it* (as counters are taken over in Space-Saving,
// Metwally, Agrawal and El Abbadi 2005). So whoever is pushed out and comes back never finds more in the bucket than
// was left there: no flood of keys resets a bucket, its own or another's. All that a flood can do is to let newcomers
// begin with a bucket that somebody has drunk from, and for that it has to spend from every set.
//
// Any thread. A call holds one of 64 locks, for some tens of nanoseconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "api/rate_bucket.hpp"

namespace api {

/// What was spent from a bucket, as the time that it takes to refill.
struct RateShare {
    std::uint64_t key = 0;
    Micros spent{0};
};

class RateTable {
  public:
    struct Settings {
        std::size_t slots = std::size_t{1} << 16;  ///< Rounded up to a power of two, at least 512; 24 bytes each.
        bool shared = false;                       ///< Somebody collects.
    };

    explicit RateTable(Settings settings);
    ~RateTable();
    RateTable(const RateTable&) = delete;
    RateTable& operator=(const RateTable&) = delete;

    struct Taken {
        Spending spending;
        bool urgent = false;  ///< The others should hear of it soon.
    };
    /// One request. The keys of one policy must not be used with another one.
    Taken take(const RatePolicy& policy, std::uint64_t key, Micros now);

    /// What others have to know: all that was spent since the last time from buckets that are not nearly full. At most
    /// `limit`; the rest next time.
    std::vector<RateShare> collect(std::size_t limit, Micros now);
    /// What all together have spent from a bucket, as the time that it takes to refill. A key that was forgotten
    /// meanwhile is left alone.
    void settle(std::uint64_t key, Micros owed, Micros now);
    /// Nobody could be told; it is collected again.
    void give_back(const RateShare& share, Micros now);

    std::size_t bytes() const;

    /// Others hear of a bucket once such a part of it has been spent.
    static constexpr int kShareAt = 8;

  private:
    struct Slot {
        std::uint64_t key = 0;
        Micros full_at{0};
        std::uint32_t untold = 0;  ///< Microseconds of refill.
        bool waits = false;        ///< For `collect`.
    };
    static constexpr std::size_t kWays = 8;
    using Set = std::array<Slot, kWays>;
    static constexpr std::size_t kShards = 64;
    static constexpr std::size_t kMostWaiting = 256;
    struct alignas(64) Shard {
        std::mutex mutex;
        std::vector<std::uint64_t> waiting;
    };

    std::size_t set_of(std::uint64_t key) const { return static_cast<std::size_t>(key >> shift_); }
    Shard& shard_of(std::uint64_t key) { return shards_[set_of(key) % kShards]; }
    Slot* find(std::uint64_t key);
    void note(Shard& shard, Slot& slot);

    const bool shared_;
    std::size_t sets_;
    unsigned shift_;
    std::unique_ptr<Set[]> table_;
    std::array<Shard, kShards> shards_;
    std::size_t next_shard_ = 0;  ///< Of the collector.
};

}  // namespace api
