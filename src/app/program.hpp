// What `main` does. Main thread only.
#pragma once

#include <span>

namespace app {

/// `arguments` without the program's name. Returns the exit code.
int run_program(std::span<const char* const> arguments);

}  // namespace app
