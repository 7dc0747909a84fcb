// The zone in which times without a zone are read (`DEFAULT_TIME_ZONE`).
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/result.hpp"
#include "core/time.hpp"

namespace core {

/// Wall-clock time to UTC. A time that a clock change skips is read with the offset before the change (02:30 becomes
/// 03:30 on the clocks); one that happens twice means the first. Any thread.
using ZoneResolver = std::function<Time(std::chrono::local_time<std::chrono::microseconds>)>;

ZoneResolver utc_zone();

/// A zone by its IANA name (`Asia/Colombo`), or `UTC`. Sets the process's `TZ`, so: once at start, before other
/// threads, and one zone a process. Fails with a line for the person who configures when the machine does not know the
/// name.
Result<ZoneResolver> load_time_zone(const std::string& name);

}  // namespace core
