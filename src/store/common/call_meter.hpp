// How long the database takes, and whether it answers, as those feel it who ask. Any thread, no locks.
#pragma once

#include <atomic>
#include <chrono>

#include "core/histogram.hpp"
#include "core/result.hpp"
#include "service/vitals.hpp"

namespace store {

class CallMeter {
  public:
    /// A call is over. `error`: what came of it; null: it went well.
    void over(bool write, std::chrono::steady_clock::time_point begun, const core::Error* error) {
        (write ? writes_ : reads_).add(std::chrono::steady_clock::now() - begun);
        const bool away = error && error->kind == core::ErrorKind::unavailable;
        if (error) failures_.add(write ? 1 : 0);
        if (!write || (error && !away)) return;
        // Mostly it stays what it is, and is not written.
        if (writes_refused_.load(std::memory_order_relaxed) != away) {
            writes_refused_.store(away, std::memory_order_relaxed);
        }
    }

    void add_to(service::Vitals::Database& vitals) const {
        vitals.reads = reads_.sums();
        vitals.writes = writes_.sums();
        vitals.failed_reads = failures_.sum(0);
        vitals.failed_writes = failures_.sum(1);
        vitals.writes_refused = writes_refused_.load(std::memory_order_relaxed);
    }

  private:
    core::LatencyHistogram reads_, writes_;
    core::PiecedCounts<2> failures_;
    std::atomic<bool> writes_refused_{false};
};

}  // namespace store
