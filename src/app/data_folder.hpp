// The folder of a service that keeps its data itself: private to its user. Used once at start, by the main thread.
#pragma once

#include <string>

#include "core/result.hpp"

namespace app {

/// Makes the folder (mode 0700) if it is not there, and tries whether it can be written to.
core::Result<> open_data_folder(const std::string& path);

/// The secret for tokens kept in `path`; made at random (mode 0600) the first time. Whoever comes first wins when two
/// processes start at once.
core::Result<std::string> kept_secret(const std::string& path);

}  // namespace app
