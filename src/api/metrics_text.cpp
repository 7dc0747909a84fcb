#include "api/metrics_text.hpp"

#include <prometheus/text_serializer.h>

#include <limits>

namespace api {

Families& Families::operator()(Labels labels, const core::LatencyHistogram::Sums& sums) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    auto& histogram = metric.histogram;
    histogram.sample_sum = sums.seconds;
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < sums.buckets.size(); ++i) {
        so_far += sums.buckets[i];
        const bool last = i == core::LatencyHistogram::kBounds.size();
        const double bound = last ? std::numeric_limits<double>::infinity()
                                  : static_cast<double>(core::LatencyHistogram::kBounds[i].count()) / 1e6;
        histogram.bucket.push_back({so_far, bound});
    }
    histogram.sample_count = so_far;
    list_.back().metric.push_back(std::move(metric));
    return *this;
}

std::string Families::text() const {
    std::vector<prometheus::MetricFamily> filled;
    filled.reserve(list_.size());
    for (const auto& family : list_) {
        if (!family.metric.empty()) filled.push_back(family);
    }
    return prometheus::TextSerializer{}.Serialize(filled);
}

}  // namespace api
