// A word to the program that started us and watches over us (systemd: Type=notify, WatchdogSec), by the datagram
// protocol of sd_notify(3). Where there is none, nothing happens.
#pragma once

#include <string_view>

namespace app {

/// `READY=1`, `STOPPING=1`, `WATCHDOG=1`. Does not block; any thread.
void tell_supervisor(std::string_view state);

}  // namespace app
