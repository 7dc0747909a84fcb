#include <gtest/gtest.h>

#include "app/config_test_reader.hpp"

namespace app {
namespace {

using Format = core::log::Format;

using test::complaint;

Config read(const Environment::Values& values) {
    auto config = test::read(values);
    EXPECT_TRUE(config) << config.error().detail;
    return config ? std::move(*config) : Config{};
}

TEST(ConfigObservability, WithoutAWordNothingIsExportedAndLogsAreText) {
    const auto config = read({});
    EXPECT_EQ(config.observability.metrics_token, "");
    EXPECT_EQ(config.observability.log_format, Format::text);
    EXPECT_EQ(config.observability.slow_request, std::chrono::milliseconds{1000});
    EXPECT_EQ(config.observability.traces.url, "");
}

TEST(ConfigObservability, ReadsWhatOpenTelemetryCallsItsSettings) {
    const auto traces = read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"},
                              {"OTEL_EXPORTER_OTLP_HEADERS", "x-key=a=b, x-other=c"},
                              {"OTEL_SERVICE_NAME", "video"},
                              {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
                              {"OTEL_TRACES_SAMPLER_ARG", "0.25"}})
                            .observability.traces;
    EXPECT_EQ(traces.url, "http://collector:4318/v1/traces");
    ASSERT_EQ(traces.headers.size(), 2U);
    EXPECT_EQ(traces.headers[0], (std::pair<std::string, std::string>{"x-key", "a=b"}));
    EXPECT_EQ(traces.service_name, "video");
    EXPECT_EQ(traces.ratio, 0.25);
}

TEST(ConfigObservability, TheAddressOfTracesIsTakenAsItIs) {
    const auto traces = read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"},
                              {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example.org/in"}})
                            .observability.traces;
    EXPECT_EQ(traces.url, "https://traces.example.org/in");
}

TEST(ConfigObservability, RefusesWhatCannotBeMeant) {
    for (const auto& [name, value] :
         {std::pair{"OTEL_TRACES_SAMPLER", "sometimes"}, std::pair{"OTEL_TRACES_SAMPLER_ARG", "1.5"},
          std::pair{"OTEL_TRACES_SAMPLER_ARG", "nan"}, std::pair{"OTEL_EXPORTER_OTLP_ENDPOINT", "gatherer"},
          std::pair{"OTEL_EXPORTER_OTLP_HEADERS", "secret"}, std::pair{"LOG_FORMAT", "xml"},
          std::pair{"SLOW_REQUEST_MS", "-1"}}) {
        const auto error = complaint({{name, value}});
        EXPECT_NE(error.find(name), std::string::npos) << error;
        EXPECT_EQ(error.find(value), std::string::npos) << "the value may be a secret: " << error;
    }
}

}  // namespace
}  // namespace app
