// The numbered SQL files that bring a database up to date; they are inside the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace store {

struct Migration {
    int version = 0;        ///< The number its file name begins with.
    std::string_view name;  ///< `0001_sessions.sql`
    std::string_view sql;
};

/// Those of an engine (`postgres`, `sqlite`), oldest first. Throws std::logic_error when a number is missing or
/// doubled.
std::vector<Migration> migrations_of(std::string_view engine);

/// The answer to a database of version `found` when `known` is the newest this program has.
core::Error newer_schema(int found, int known);

}  // namespace store
