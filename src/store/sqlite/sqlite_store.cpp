#include "store/sqlite/sqlite_store.hpp"

#include "store/common/change_text.hpp"
#include "store/sqlite/parts.hpp"
#include "store/sqlite/queries.hpp"
#include "store/sqlite/schema.hpp"

namespace store::sqlite {

using core::Result;
using service::Task;

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(SqliteSettings settings) {
    if (auto prepared = prepare(settings.path, settings.busy_timeout); !prepared) {
        return std::unexpected(std::move(prepared.error()));
    }
    try {
        return std::unique_ptr<SqliteStore>(new SqliteStore(std::make_unique<Parts>(std::move(settings))));
    } catch (const Failure& failure) {
        return std::unexpected(error_of(failure));
    }
}

void SqliteStore::stop() {
    parts_->workers.stop();
}
std::uint64_t SqliteStore::write_transactions() const {
    return parts_->workers.write_transactions();
}

Task<Result<std::optional<Session>>> SqliteStore::find(std::string session_id) {
    return parts_->read<std::optional<Session>>([id = std::move(session_id)](Connection& connection) {
        return sqlite::find(connection, SessionKey::session, id);
    });
}

Task<Result<std::optional<Session>>> SqliteStore::find_by_meeting(std::string meeting_id) {
    return parts_->read<std::optional<Session>>([id = std::move(meeting_id)](Connection& connection) {
        return sqlite::find(connection, SessionKey::meeting, id);
    });
}

Task<Result<std::optional<Session>>> SqliteStore::find_by_appointment(std::string appointment_id) {
    return parts_->read<std::optional<Session>>([id = std::move(appointment_id)](Connection& connection) {
        return sqlite::find(connection, SessionKey::appointment, id);
    });
}

Task<Result<service::SessionPage>> SqliteStore::list(service::SessionQuery query) {
    return parts_->read<service::SessionPage>(
        [query = std::move(query)](Connection& connection) { return sqlite::list(connection, query); });
}

Task<Result<std::vector<consultation::AuditEntry>>> SqliteStore::audit_trail(std::string session_id) {
    return parts_->read<std::vector<consultation::AuditEntry>>(
        [id = std::move(session_id)](Connection& connection) { return sqlite::audit_trail(connection, id); });
}

Task<Result<std::optional<service::IdempotencyRecord>>> SqliteStore::find_idempotency(std::string user_id,
                                                                                      std::string key) {
    return parts_->read<std::optional<service::IdempotencyRecord>>(
        [user = std::move(user_id), key = std::move(key)](Connection& connection) {
            return sqlite::find_idempotency(connection, user, key);
        });
}

Task<Result<service::Committed>> SqliteStore::commit(consultation::Change change,
                                                     std::optional<service::IdempotencyRecord> idempotency) {
    keep_last(change);
    return parts_->write<service::Committed>([change = std::move(change), idempotency = std::move(idempotency),
                                              keys = parts_->settings.audit_keys](Connection& connection) {
        return sqlite::commit(connection, change, idempotency, keys.get());
    });
}

Task<Result<void>> SqliteStore::heartbeat(std::vector<service::Heartbeat> beats) {
    return parts_->write<void>(
        [beats = std::move(beats)](Connection& connection) { sqlite::heartbeat(connection, beats); });
}

Task<Result<std::vector<std::string>>> SqliteStore::due(service::DuePolicy policy, int limit) {
    return parts_->read<std::vector<std::string>>(
        [policy, limit](Connection& connection) { return sqlite::due(connection, policy, limit); });
}

Task<Result<std::vector<std::string>>> SqliteStore::open_at(consultation::Provider provider, std::string after,
                                                            int limit) {
    return parts_->read<std::vector<std::string>>([provider, after = std::move(after), limit](Connection& connection) {
        return sqlite::open_at(connection, provider, after, limit);
    });
}

Task<Result<void>> SqliteStore::ping() {
    return parts_->run<void>(Parts::Kind::read, std::chrono::seconds(1),
                             [](Connection& connection) { sqlite::ping(connection); });
}

}  // namespace store::sqlite
