// The command `health`: asks the service of this machine whether it is ready. For health checks of containers that hold
// neither a shell nor an HTTP client.
#pragma once

#include <string>

#include "app/config.hpp"
#include "core/result.hpp"

namespace app {

/// `http://127.0.0.1:8086/health/ready`, at the first address that the configuration has the API listen on.
std::string health_url(const Config& config);

/// Nothing when `/health/ready` answered 200, else `unavailable` with what it answered instead. The certificate is not
/// looked at: it is made for the name that clients use. Main thread; blocks, at most five seconds.
core::Result<> probe_health(const Config& config);

}  // namespace app
