// The parameters of a commit, in the order `commit_text` wants them. Pure.
#pragma once

#include <optional>

#include "service/audit_mac.hpp"
#include "service/session_store.hpp"
#include "store/postgres/params.hpp"

namespace store::postgres {

/// Without `keys` the audit rows get no MAC.
Params commit_params(const consultation::Change& change, const std::optional<service::IdempotencyRecord>& idempotency,
                     const service::AuditKeys* keys = nullptr);

/// `$1` to `$3` of the heartbeat statement: ids and two kinds of times, as arrays.
Params heartbeat_params(const std::vector<service::Heartbeat>& beats);

}  // namespace store::postgres
