// Brings a PostgreSQL database up to date. Blocking; runs once at start.
#pragma once

#include "store/postgres/link.hpp"

namespace store::postgres {

/// Runs the missing migrations under an advisory lock, so that several processes may start at once. Refuses a newer
/// schema.
core::Result<void> migrate(PGconn* link, Deadline deadline);

}  // namespace store::postgres
