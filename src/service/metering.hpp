// The meter: figures of the month, the budget they are held against, and the alarms on the way there.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "consultation/access.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "service/meter.hpp"

namespace service {

using consultation::Caller;
using core::Result;

struct MeteringSettings {
    std::int64_t free_tier_minutes = 1000;  ///< `AWS_FREE_TIER_ATTENDEE_MINUTES`, a month.
};

/// What `reconcile` found.
struct Reconciliation {
    std::int64_t unknown = 0;           ///< Records of an earlier service, which kept no stays: not compared.
    std::int64_t rows = 0;              ///< Records and stays compared: one for each person, session and provider.
    std::int64_t attendee_minutes = 0;  ///< As recorded.
    std::int64_t billed_tenths = 0;
    std::vector<MeterRow> wrong;     ///< Whose record is not the sum of its stays; at most kMostShown.
    std::vector<MeterRow> drifting;  ///< Whose stays differ from Chime's events by more than a tenth of a minute.
    std::int64_t wrong_count = 0, drifting_count = 0;

    static constexpr std::size_t kMostShown = 100;
};

/// Owns references only. Any control-plane thread.
class Metering {
  public:
    Metering(MeteringSettings settings, MeterStore& store, const core::Clock& clock)
        : settings_(settings), store_(store), clock_(clock) {}

    /// Figures of the month [from, to): doctors and admins.
    Task<Result<Usage>> usage(Caller caller, Time from, Time to);
    /// The sessions behind them: admins; others get an empty list.
    Task<Result<std::vector<SessionUsage>>> sessions(Caller caller, Time from, Time to, int limit);

    /// Chime's minutes of this month, running stays included, have reached the free tier. At most a second old.
    Task<Result<bool>> budget_used_up();

    /// Announces 50, 80 and 100 % of the month, once each, whoever of several processes comes first. Call often, from
    /// one task.
    Task<Result<void>> announce_thresholds();

    /// Compares every record of [from, to) with its stays, and with what Chime told.
    Task<Result<Reconciliation>> reconcile(Time from, Time to);

    std::int64_t free_tier_minutes() const { return settings_.free_tier_minutes; }
    /// Chime's minutes of this month, as `announce_thresholds` has last seen them; negative: not yet. Any thread.
    double used_minutes() const { return static_cast<double>(seen_tenths_.load(std::memory_order_relaxed)) / 10; }

  private:
    MeteringSettings settings_;
    MeterStore& store_;
    const core::Clock& clock_;
    struct Budget {
        bool used_up = false;
        Time asked_at;
    };
    std::atomic<std::int64_t> seen_tenths_{-1};
    std::mutex mutex_;
    std::optional<Budget> budget_;  ///< Guarded by the mutex.
    std::set<std::string> noted_;   ///< Thresholds known to be announced: spares the question.
};

}  // namespace service
