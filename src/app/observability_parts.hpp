// How the running service is watched: what it knows of its requests, a look at the store now and then, and the export
// of traces. Owned by ServiceProcess; main thread, unless something else is said.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "api/request_watch.hpp"
#include "app/config.hpp"
#include "core/time.hpp"
#include "net/executors.hpp"
#include "net/http_client.hpp"
#include "net/task_group.hpp"
#include "net/trace_exporter.hpp"
#include "service/store_insight.hpp"
#include "service/task.hpp"
#include "service/vitals.hpp"

namespace app {

class ObservabilityParts {
  public:
    static constexpr std::chrono::seconds kCensusEvery{15};

    /// All references must outlive it.
    ObservabilityParts(const Config& config, service::StoreInsight& store, net::HttpClient& client,
                       const core::Clock& clock);

    api::RequestWatch& requests() { return requests_; }

    /// Asks the store what there is; every kCensusEvery. Any event loop.
    service::Task<core::Result<void>> look();

    /// Traces leave from now on; `tasks` must be stopped before this goes.
    void start(net::TaskGroup& tasks);
    /// What has not left yet does, in at most so long. While the loop of `executor` runs.
    void stop(const boost::asio::any_io_executor& executor, std::chrono::milliseconds limit);

    /// What it knows. Any thread.
    void add_to(service::Vitals& vitals) const;

  private:
    service::StoreInsight& store_;
    const core::Clock& clock_;
    const double started_at_;
    api::RequestWatch requests_;
    std::unique_ptr<net::TraceExporter> exporter_;  ///< Null: nobody wants traces.
    mutable std::mutex mutex_;
    service::Vitals::Census census_;  ///< Guarded by the mutex.
};

}  // namespace app
