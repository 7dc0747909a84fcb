// DATABASE_URL as libpq wants it. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace store::postgres {

/// Connection parameters by name (`host`, `user` …), ready for PQconnectStartParams.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// Takes `postgresql://`, `postgres://` and either with a driver (`postgresql+asyncpg://`); `ssl=` of such drivers is
/// read as `sslmode`. Errors never repeat the text, which holds a password.
core::Result<Parameters> parse_url(const std::string& url);

}  // namespace store::postgres
