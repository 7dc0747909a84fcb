// Metrics on their way into Prometheus' text format. Inside this room only; each `metrics_*.cpp` gives the names of one
// subject to values that the parts keep themselves.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/vitals_answer.hpp"
#include "core/histogram.hpp"

namespace api {

using Labels = std::vector<prometheus::ClientMetric::Label>;

class Families {
  public:
    /// Opens a family; what is added next belongs to it. Every name gets the prefix `video_consultation_`.
    Families& counter(std::string_view name, std::string_view help) {
        return family(name, prometheus::MetricType::Counter, help);
    }
    Families& gauge(std::string_view name, std::string_view help) {
        return family(name, prometheus::MetricType::Gauge, help);
    }
    Families& histogram(std::string_view name, std::string_view help) {
        return family(name, prometheus::MetricType::Histogram, help);
    }

    template <class Number>
    Families& operator()(Labels labels, Number value) {
        prometheus::ClientMetric metric;
        metric.label = std::move(labels);
        const bool counts = list_.back().type == prometheus::MetricType::Counter;
        (counts ? metric.counter.value : metric.gauge.value) = static_cast<double>(value);
        list_.back().metric.push_back(std::move(metric));
        return *this;
    }
    Families& operator()(Labels labels, const core::LatencyHistogram::Sums& sums);

    /// A family of nothing is left out.
    std::string text() const;

  private:
    Families& family(std::string_view name, prometheus::MetricType type, std::string_view help) {
        list_.push_back({"video_consultation_" + std::string{name}, std::string{help}, type, {}});
        return *this;
    }

    std::vector<prometheus::MetricFamily> list_;
};

// metrics_requests.cpp
void add_requests(Families& out, const RequestWatch& requests);
void add_connections(Families& out, const service::Vitals& vitals);
// metrics_store.cpp
void add_database(Families& out, bool up, const service::Vitals::Database& database);
void add_census(Families& out, const service::Vitals::Census& census);
// metrics_media.cpp
void add_media(Families& out, const service::Vitals::Media& media);
// metrics_process.cpp
void add_build(Families& out, std::string_view api_version, const service::Vitals::Build& build);
void add_process(Families& out, const service::Vitals& vitals);

}  // namespace api
