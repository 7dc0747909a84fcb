// Answers of the server turned into what the port promises. Pure; throw std::runtime_error on rows that this service
// cannot have written.
#pragma once

#include <optional>
#include <vector>

#include "service/outbox.hpp"
#include "service/session_store.hpp"
#include "store/postgres/link.hpp"
#include "store/postgres/statements.hpp"

namespace store::postgres {

std::optional<consultation::Session> session_of(const PGresult* rows);
service::SessionPage page_of(const PGresult* rows);
std::vector<consultation::AuditEntry> audit_of(const PGresult* rows);
std::vector<std::string> ids_of(const PGresult* rows);
/// One row with one number.
int count_of(const PGresult* rows);
/// One row: how many, and since when.
service::Backlog backlog_of(const PGresult* rows);

/// What became of a commit, refusals included; nullopt when the refusal is none that a caller can act on.
std::optional<service::Committed> committed_of(const PGresult* answer, const CommitShape& shape);

}  // namespace store::postgres
