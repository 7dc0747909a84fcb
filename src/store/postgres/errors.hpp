// What a failed statement means to its caller. Pure.
#pragma once

#include <libpq-fe.h>

#include <string_view>

#include "core/result.hpp"

namespace store::postgres {

std::string_view sqlstate_of(const PGresult* answer);

/// The name of the violated constraint, or empty.
std::string_view constraint_of(const PGresult* answer);

/// An Error without the server's free text, which may quote what was written. `unavailable` for trouble of the server,
/// `unprocessable` for text it cannot keep, else `internal`.
core::Error error_of(const PGresult* answer);

/// The transaction lost a race and may be tried again.
bool lost_race(std::string_view sqlstate);

/// The connection is no good any more: its prepared statements do not fit the tables, or its server has become
/// read-only or is shutting down.
bool needs_reconnect(std::string_view sqlstate);

}  // namespace store::postgres
