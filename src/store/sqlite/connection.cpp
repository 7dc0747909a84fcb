#include "store/sqlite/connection.hpp"

#include <stdexcept>

namespace store::sqlite {
namespace {

void check(int code) {
    if (code != SQLITE_OK) throw Failure{code};
}

}  // namespace

core::Error error_of(const Failure& failure) {
    const std::string text = "the database file answers: " + std::string(sqlite3_errstr(failure.code)) + " (" +
                             std::to_string(failure.code) + ")";
    switch (failure.code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_READONLY:
        case SQLITE_IOERR:
        case SQLITE_FULL:
        case SQLITE_CANTOPEN:
        case SQLITE_PROTOCOL:
            return {core::ErrorKind::unavailable, text, std::chrono::seconds(1)};
        default:
            return {core::ErrorKind::internal, text};
    }
}

Query::~Query() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void Query::null() {
    check(sqlite3_bind_null(statement_, ++parameter_));
}

void Query::text(std::string_view value) {
    // A null pointer would bind NULL.
    const char* data = value.data() == nullptr ? "" : value.data();
    check(sqlite3_bind_text64(statement_, ++parameter_, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Query::number(std::int64_t value) {
    check(sqlite3_bind_int64(statement_, ++parameter_, value));
}

void Query::real(double value) {
    check(sqlite3_bind_double(statement_, ++parameter_, value));
}

bool Query::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    throw Failure{sqlite3_extended_errcode(sqlite3_db_handle(statement_))};
}

std::string_view Row::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Connection::Connection(const std::string& path, std::chrono::milliseconds busy_timeout) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &opened,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    database_.reset(opened);
    check(code);
    check(sqlite3_busy_timeout(opened, static_cast<int>(busy_timeout.count())));
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -4096; PRAGMA wal_autocheckpoint = 4000");
}

Query Connection::query(std::string_view sql) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        sqlite3_stmt* prepared = nullptr;
        check(sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                 &prepared, nullptr));
        found = statements_.emplace(std::string(sql), Statement(prepared)).first;
    }
    return Query(found->second.get());
}

void Connection::run(const char* sql) {
    check(sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr));
}

Snapshot::Snapshot(Connection& connection) : connection_(connection) {
    // One that could not be ended, for want of memory perhaps, must not keep the connection for ever.
    if (!connection_.idle()) connection_.query("ROLLBACK").run();
    connection_.query("BEGIN").run();
}

Snapshot::~Snapshot() {
    try {
        if (!connection_.idle()) connection_.query("COMMIT").run();
    } catch (const Failure&) {
        // A read transaction has nothing to lose; the next one ends it.
    }
}

}  // namespace store::sqlite
