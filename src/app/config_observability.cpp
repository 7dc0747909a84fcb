#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>

#include "app/config_reader.hpp"

namespace app {
namespace {

constexpr std::string_view kTracesPath = "/v1/traces";

/// A number from 0 to 1, as text.
std::optional<double> ratio_from(const std::string& text) {
    double ratio = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, ratio);
    if (failed != std::errc{} || stop != end || !(ratio >= 0) || ratio > 1) return {};
    return ratio;
}

/// `name=value` pairs. False: one is none.
bool read_headers(Reader& reader, TracesConfig& traces) {
    for (const auto& pair : reader.list("OTEL_EXPORTER_OTLP_HEADERS")) {
        const auto equals = pair.find('=');
        if (equals == 0 || equals == std::string::npos) return false;
        traces.headers.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    }
    return true;
}

void read_sampler(Reader& reader, TracesConfig& traces) {
    enum class Sampler { by_ratio, always, never } sampler = Sampler::by_ratio;
    reader.choice("OTEL_TRACES_SAMPLER", sampler,
                  {{"parentbased_traceidratio", Sampler::by_ratio},
                   {"parentbased_always_on", Sampler::always},
                   {"parentbased_always_off", Sampler::never}});
    if (const auto text = reader.find("OTEL_TRACES_SAMPLER_ARG")) {
        const auto ratio = ratio_from(*text);
        if (!ratio) return reader.complain("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1 such as 0.1");
        traces.ratio = *ratio;
    }
    if (sampler == Sampler::always) traces.ratio = 1;
    if (sampler == Sampler::never) traces.ratio = 0;
}

void read_traces(Reader& reader, TracesConfig& traces) {
    constexpr std::string_view kWanted = "a URL such as http://collector:4318";
    if (const auto base = reader.find("OTEL_EXPORTER_OTLP_ENDPOINT")) {
        const auto place = parse_place(*base);
        if (!place || place->scheme.empty()) return reader.complain("OTEL_EXPORTER_OTLP_ENDPOINT", kWanted);
        traces.url = place->url + std::string{kTracesPath};
    }
    if (const auto own = reader.find("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")) {
        const auto place = parse_place(*own);
        if (!place || place->scheme.empty()) return reader.complain("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", kWanted);
        traces.url = place->url;
    }
    if (!read_headers(reader, traces)) {
        return reader.complain("OTEL_EXPORTER_OTLP_HEADERS", "name=value, several with commas between");
    }
    reader.text("OTEL_SERVICE_NAME", traces.service_name);
    read_sampler(reader, traces);
}

}  // namespace

void read_observability(Reader& reader, Config& config) {
    auto& observability = config.observability;
    reader.text("METRICS_TOKEN", observability.metrics_token);
    reader.choice("LOG_FORMAT", observability.log_format,
                  {{"text", core::log::Format::text}, {"json", core::log::Format::json}});
    reader.duration("SLOW_REQUEST_MS", observability.slow_request, 0, 600'000);
    read_traces(reader, observability.traces);
}

}  // namespace app
