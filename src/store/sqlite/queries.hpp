// What the store does for sessions, in SQL: plain blocking functions on one connection. They throw Failure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/audit_mac.hpp"
#include "service/session_store.hpp"
#include "store/sqlite/connection.hpp"

namespace store::sqlite {

using consultation::Session;

enum class SessionKey { session, meeting, appointment };
std::optional<Session> find(Connection& connection, SessionKey by, const std::string& id);
service::SessionPage list(Connection& connection, const service::SessionQuery& query);
std::vector<consultation::AuditEntry> audit_trail(Connection& connection, const std::string& session_id);
std::optional<service::IdempotencyRecord> find_idempotency(Connection& connection, const std::string& user_id,
                                                           const std::string& key);
std::vector<std::string> due(Connection& connection, const service::DuePolicy& policy, int limit);
std::vector<std::string> open_at(Connection& connection, consultation::Provider provider, const std::string& after,
                                 int limit);
void ping(Connection& connection);

/// Within the caller's transaction, which the caller undoes unless the answer is `applied`.
service::Committed commit(Connection& connection, const consultation::Change& change,
                          const std::optional<service::IdempotencyRecord>& idempotency, const service::AuditKeys* keys);
/// Rows of the trail, with their MACs where there are keys. Within the caller's transaction.
void write_audit(Connection& connection, const std::vector<consultation::AuditEntry>& entries,
                 const service::AuditKeys* keys);
void heartbeat(Connection& connection, const std::vector<service::Heartbeat>& beats);

/// Within the caller's transaction. False: the message is there already.
bool append(Connection& connection, const consultation::Event& event);
/// The same for a job.
void add_job(Connection& connection, const consultation::Job& job);

}  // namespace store::sqlite
