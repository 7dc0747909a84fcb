// What the kernel says of this process, and what was built. Any thread.
#pragma once

#include "service/vitals.hpp"

namespace app {

/// `started`: in seconds since 1970. Reads /proc: a fraction of a millisecond, some with many thousand descriptors.
service::Vitals::Process process_vitals(double started);

service::Vitals::Build build_vitals();

}  // namespace app
