// The media threads' counters in the words of /metrics. Pure.
#pragma once

#include "media/server/media_vitals.hpp"
#include "service/vitals.hpp"

namespace app {

service::Vitals::Media media_vitals(const media::server::MediaVitals& seen);

}  // namespace app
