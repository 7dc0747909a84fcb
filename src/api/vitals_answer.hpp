// How the parts are, for people (`/health`) and for Prometheus (`/metrics`). Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/request_watch.hpp"
#include "core/time.hpp"
#include "service/vitals.hpp"

namespace api {

/// Who answers, and what it found out at this moment.
struct SelfReport {
    std::string_view service, version;
    core::Time now;
    bool database = false;
    const service::Vitals& vitals;
    const RequestWatch* requests = nullptr;  ///< Null: not told.
};

std::string health_answer(const SelfReport& report);

/// Prometheus' text format, version 0.0.4; every name begins with `video_consultation_`.
std::string metrics_answer(const SelfReport& report);

}  // namespace api
