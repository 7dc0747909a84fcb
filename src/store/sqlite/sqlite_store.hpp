// Sessions kept in one SQLite file of this machine: the store of a service that has no database server.
// WAL and synchronous=FULL: what was acknowledged survives kill -9 and power loss. One named thread writes, and commits
// all waiting changes in one transaction; a few others read in parallel.
// Made and stopped by the wiring; calls from any control-plane thread. Stop it before the event loops of its callers
// are destroyed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "service/session_store.hpp"

namespace store::sqlite {

struct SqliteSettings {
    std::string path;                              ///< The file; made with mode 0600 (its folder too) when absent.
    int readers = 2;                               ///< Threads, each with a connection of its own.
    std::size_t queue_limit = 2048;                ///< Waiting operations; beyond it they fail as `unavailable`.
    std::chrono::milliseconds busy_timeout{5000};  ///< How long to wait for another process's lock.
    std::chrono::milliseconds operation_timeout{10000};
};

class SqliteStore final : public service::SessionStore {
  public:
    /// Opens or makes the file and brings its schema up to date. Refuses a file that a newer version has written.
    static core::Result<std::unique_ptr<SqliteStore>> open(SqliteSettings settings);
    ~SqliteStore() override;

    /// Finishes what is waiting and joins the threads; later calls are answered `unavailable`. Any thread; idempotent.
    void stop();

    /// Write transactions so far; each one is one wait for the disk, whatever the number of changes in it.
    std::uint64_t write_transactions() const;

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
    explicit SqliteStore(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace store::sqlite
