#include "app/observability_parts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <utility>

#include "api/site.hpp"
#include "app/process_vitals.hpp"

namespace app {
namespace {

net::TraceExporterSettings exporter_settings(const TracesConfig& traces) {
    net::TraceExporterSettings settings;
    settings.url = traces.url;
    settings.headers = traces.headers;
    settings.source = {traces.service_name, std::string{build_vitals().program}};
    settings.ratio = traces.ratio;
    return settings;
}

double since_1970(core::Time time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

ObservabilityParts::ObservabilityParts(const Config& config, service::StoreInsight& store, net::HttpClient& client,
                                       const core::Clock& clock)
    : store_(store),
      clock_(clock),
      started_at_(since_1970(clock.now())),
      requests_(api::route_patterns(), config.observability.slow_request) {
    const auto& traces = config.observability.traces;
    if (!traces.url.empty()) exporter_ = std::make_unique<net::TraceExporter>(exporter_settings(traces), client);
}

service::Task<core::Result<void>> ObservabilityParts::look() {
    const auto now = clock_.now();
    const auto seen = co_await store_.census(now - std::chrono::days{1}, now);
    if (!seen) co_return std::unexpected(seen.error());
    const std::scoped_lock lock(mutex_);
    census_ = *seen;
    co_return core::Result<void>{};
}

void ObservabilityParts::start(net::TaskGroup& tasks) {
    if (exporter_) tasks.spawn("traces", exporter_->run());
}

void ObservabilityParts::stop(const boost::asio::any_io_executor& executor, std::chrono::milliseconds limit) {
    if (!exporter_) return;
    // What is still under way at the end of the limit is dropped with the loop.
    boost::asio::co_spawn(executor, exporter_->flush(), boost::asio::use_future).wait_for(limit);
    core::trace::set_sink(nullptr);
}

void ObservabilityParts::add_to(service::Vitals& vitals) const {
    vitals.build = build_vitals();
    vitals.process = process_vitals(started_at_);
    vitals.database = store_.database_vitals();
    {
        const std::scoped_lock lock(mutex_);
        vitals.census = census_;
    }
    if (!exporter_) return;
    vitals.traces = {true, exporter_->exported(), exporter_->dropped(), exporter_->failed()};
}

}  // namespace app
