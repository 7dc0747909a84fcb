// Sessions kept in PostgreSQL 13 or later, through libpq in pipeline mode: each event loop has a few connections of its
// own, and the operations of all its coroutines share them. An operation is one statement; operations that wait at the
// same time travel in one transaction, and are tried again alone when one of them spoils it.
// Made and stopped by the wiring; calls from any control-plane thread. An event loop that calls it must be run by one
// thread. Connections keep their loop busy until `stop()` or the end of the loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "service/session_store.hpp"

namespace store::postgres {

struct PostgresSettings {
    std::string url;  ///< `postgresql://user:pass@host:port/db`; `postgres://` and `postgresql+asyncpg://` as well.
    int connections_per_loop = 4;                     ///< Half of them read, half of them write.
    std::chrono::milliseconds start_timeout{30000};   ///< How long `open` waits for the server and the migrations.
    std::chrono::milliseconds connect_timeout{5000};  ///< For each attempt.
    std::chrono::milliseconds operation_timeout{5000};
    std::chrono::milliseconds ping_timeout{1000};
    std::chrono::milliseconds longest_back_off{1000};  ///< Between attempts to connect again.
    std::size_t queue_limit = 2048;                    ///< Waiting operations of a loop; beyond it `unavailable`.
};

class PostgresStore final : public service::SessionStore {
  public:
    /// Connects, takes over or makes the schema, and brings it up to date. Blocks at most `start_timeout` for the
    /// server; refuses a schema that a newer version has written.
    static core::Result<std::unique_ptr<PostgresStore>> open(PostgresSettings settings);
    ~PostgresStore() override;

    /// Answers what is waiting with `unavailable`, closes the connections and joins the threads. Any thread;
    /// idempotent.
    void stop();

    service::Task<core::Result<std::optional<consultation::Session>>> find(std::string session_id) override;
    service::Task<core::Result<std::optional<consultation::Session>>> find_by_meeting(std::string meeting_id) override;
    service::Task<core::Result<std::optional<consultation::Session>>> find_by_appointment(
        std::string appointment_id) override;
    service::Task<core::Result<service::SessionPage>> list(service::SessionQuery query) override;
    service::Task<core::Result<std::vector<consultation::AuditEntry>>> audit_trail(std::string session_id) override;
    service::Task<core::Result<std::optional<service::IdempotencyRecord>>> find_idempotency(std::string user_id,
                                                                                            std::string key) override;
    service::Task<core::Result<service::Committed>> commit(
        consultation::Change change, std::optional<service::IdempotencyRecord> idempotency = {}) override;
    service::Task<core::Result<service::Usage>> usage(service::Time from, service::Time to) override;
    service::Task<core::Result<void>> heartbeat(std::vector<service::Heartbeat> beats) override;
    service::Task<core::Result<std::vector<std::string>>> due(service::DuePolicy policy, int limit) override;
    service::Task<core::Result<void>> ping() override;

  private:
    struct Parts;
    explicit PostgresStore(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace store::postgres
