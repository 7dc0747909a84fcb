#include "store/postgres/schema.hpp"

#include <cstdlib>

#include "core/log.hpp"
#include "store/common/migrations.hpp"

namespace store::postgres {
namespace {

/// Any number will do, as long as every version of this program takes the same.
constexpr auto kLock = "7238144001";

/// A migration may have to rewrite large tables; once it has begun it gets this time.
constexpr std::chrono::minutes kMigrationLimit{10};

core::Result<int> present_version(PGconn* link, Deadline deadline) {
    auto answer = run_script(link,
                             "CREATE TABLE IF NOT EXISTS video_consultation_schema"
                             " (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamp NOT NULL);"
                             "SELECT coalesce(max(version), 0) FROM video_consultation_schema",
                             deadline);
    if (!answer) return std::unexpected(std::move(answer.error()));
    return std::atoi(PQgetvalue(answer->get(), 0, 0));
}

core::Result<void> migrate_locked(PGconn* link, Deadline deadline) {
    const auto migrations = migrations_of("postgres");
    const auto version = present_version(link, deadline);
    if (!version) return std::unexpected(version.error());
    if (*version > migrations.back().version) return std::unexpected(newer_schema(*version, migrations.back().version));
    for (const auto& migration : migrations) {
        if (migration.version <= *version) continue;
        const std::string name(migration.name);
        const auto limit = std::chrono::steady_clock::now() + kMigrationLimit;
        const auto done =
            run_script(link,
                       "BEGIN;" + std::string(migration.sql) + ";INSERT INTO video_consultation_schema VALUES (" +
                           std::to_string(migration.version) + ", '" + name + "', now() AT TIME ZONE 'UTC'); COMMIT",
                       limit);
        if (!done) {
            auto error = done.error();
            error.detail = "migration " + name + ": " + error.detail;
            return std::unexpected(std::move(error));
        }
        core::log::info("database schema brought up to date", {{"migration", name}});
    }
    return {};
}

}  // namespace

core::Result<void> migrate(PGconn* link, Deadline deadline) {
    // The lock belongs to the connection, which the caller closes: nothing to release on the way out. Statements of a
    // migration may take longer than those of the service.
    const auto locked =
        run_script(link, "SET statement_timeout = 0; SELECT pg_advisory_lock(" + std::string(kLock) + ")", deadline);
    if (!locked) return std::unexpected(locked.error());
    return migrate_locked(link, deadline);
}

}  // namespace store::postgres
