// The commands `audit verify` and `audit checkpoint`. They open the store by themselves; a running service is not
// disturbed.
#pragma once

#include <string>

#include "app/config.hpp"
#include "core/result.hpp"

namespace app {

struct AuditReport {
    std::string text;    ///< For the terminal; ends with a newline.
    bool right = false;  ///< Nothing was found.
};

/// Walks the whole trail. `checkpoints`: a file with lines of `audit checkpoint`, all of which it must contain; empty:
/// none.
core::Result<AuditReport> verify_audit_trail(const Config& config, const std::string& checkpoints);

/// One line.
core::Result<AuditReport> audit_checkpoint(const Config& config);

}  // namespace app
