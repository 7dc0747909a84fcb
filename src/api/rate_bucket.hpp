// A token bucket, kept as one number: the time at which it is full again. Spending moves that time on; a bucket whose
// time is more than a window ahead is empty. (The generic cell rate algorithm, ITU-T I.371 annex A, as a virtual
// scheduler.) Pure; times are microseconds since any fixed moment.
#pragma once

#include <chrono>
#include <cstdint>

namespace api {

using Micros = std::chrono::microseconds;

/// So many requests fit into a window; at first at once, then as time refills the bucket.
struct RatePolicy {
    int quota = 1;  ///< 1 to 1,000,000.
    Micros window = std::chrono::minutes{1};

    /// How long one request takes to be refilled.
    Micros cost() const { return window / quota; }
};

struct Spending {
    bool allowed = false;
    Micros full_at{0};  ///< What to keep.
    int remaining = 0;  ///< How many more would be allowed now.
    Micros wait{0};     ///< Until one is allowed again, when this one was not.
};

/// One request at `now` from a bucket that is full again at `full_at`.
Spending spend(const RatePolicy& policy, Micros full_at, Micros now);

}  // namespace api
