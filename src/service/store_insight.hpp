// Port: how the store itself is, and what it holds, for /metrics.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "service/task.hpp"
#include "service/vitals.hpp"

namespace service {

class StoreInsight {
  public:
    virtual ~StoreInsight() = default;

    /// Must not block; any thread.
    virtual Vitals::Database database_vitals() const = 0;
    /// One question that indexes answer; ask it every 15 s or so. Closed sessions are those that were closed, or last
    /// changed, since `closed_since`.
    virtual Task<core::Result<Vitals::Census>> census(core::Time closed_since, core::Time now) = 0;
};

}  // namespace service
