// The file and its schema: made, protected, brought up to date. Blocking; called once, before anything else uses it.
#pragma once

#include <chrono>
#include <string>

#include "core/result.hpp"

namespace store::sqlite {

/// After this the file exists with mode 0600 and has the newest schema this program knows.
core::Result<void> prepare(const std::string& path, std::chrono::milliseconds busy_timeout);

}  // namespace store::sqlite
