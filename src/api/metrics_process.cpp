// The process: what it is, what it takes, whether its loops turn, what it tells of itself.
#include "api/metrics_text.hpp"

namespace api {

void add_build(Families& out, std::string_view api_version, const service::Vitals::Build& build) {
    out.gauge("build_info", "What runs, as labels.");
    out({{"version", std::string{api_version}},
         {"program", std::string{build.program}},
         {"revision", std::string{build.revision}},
         {"compiler", std::string{build.compiler}}},
        1);
}

void add_process(Families& out, const service::Vitals& vitals) {
    const auto& process = vitals.process;
    out.gauge("process_resident_memory_bytes", "Memory that is really there.")({}, process.resident_bytes);
    out.counter("process_cpu_seconds_total", "Time on cores, user and system.")({}, process.cpu_seconds);
    out.gauge("process_open_fds", "Open descriptors.")({}, process.open_files);
    out.gauge("process_max_fds", "So many there may be.")({}, process.most_files);
    out.gauge("process_start_time_seconds", "When it began, in seconds since 1970.")({}, process.started_at);
    out.gauge("event_loops", "Threads that answer requests.")({}, vitals.loops.count);
    out.gauge("event_loops_hanging", "Those that have not moved for ten seconds.")({}, vitals.loops.hanging);
    out.gauge("event_loop_lag_seconds", "The longest that something waited for a loop in the last minute.")(
        {}, vitals.loops.lag_seconds);
    if (!vitals.traces.on) return;
    out.counter("trace_spans_total", "Spans, by what came of them.");
    out({{"outcome", "exported"}}, vitals.traces.exported);
    out({{"outcome", "dropped"}}, vitals.traces.dropped);
    out.counter("trace_export_failures_total", "Calls of the collector that came to nothing.")({},
                                                                                               vitals.traces.failed);
}

}  // namespace api
