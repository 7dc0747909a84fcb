// The command `reconcile`: checks the meter against the stays it was made from, and against what Chime told.
#pragma once

#include <string>

#include "app/config.hpp"
#include "core/result.hpp"

namespace app {

struct ReconcileReport {
    std::string text;    ///< For the terminal; ends with a newline.
    bool right = false;  ///< Every record is the sum of its stays.
};

/// `month` is `2026-11`, or empty for the present one. Opens the store by itself; a running service is not disturbed.
core::Result<ReconcileReport> reconcile(const Config& config, const std::string& month);

}  // namespace app
