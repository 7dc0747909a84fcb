// The figures of a month as contract "Usage" has them, and what stands behind them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "service/meter.hpp"

namespace api {

/// `month_start`: its first moment, UTC. `sessions`: for administrators only. Whole minutes are what the platform
/// counts; the free tier is held against the tenths that Chime bills.
std::string usage_answer(const service::Usage& usage, core::Time month_start, std::int64_t free_tier_minutes,
                         const std::optional<std::vector<service::SessionUsage>>& sessions);

}  // namespace api
