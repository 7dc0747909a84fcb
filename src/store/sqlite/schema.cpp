#include "store/sqlite/schema.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/log.hpp"
#include "store/common/migrations.hpp"
#include "store/sqlite/connection.hpp"

namespace store::sqlite {
namespace {

core::Error file_error(const std::string& path, int code) {
    return {core::ErrorKind::unavailable,
            "cannot use the database file " + path + ": " + std::strerror(code) + "; choose a writable place"};
}

/// Makes the file, for its owner's eyes only, and sees to it that its name survives a power loss.
core::Result<void> make_file(const std::string& path) {
    const auto parent = std::filesystem::absolute(path).parent_path();
    std::error_code failed;
    if (std::filesystem::create_directories(parent, failed)) {
        std::filesystem::permissions(parent, std::filesystem::perms::owner_all, failed);
    }
    if (failed) return std::unexpected(file_error(path, failed.value()));
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return std::unexpected(file_error(path, errno));
    const bool guarded = ::fchmod(file, S_IRUSR | S_IWUSR) == 0;
    const int why = errno;
    ::close(file);
    if (!guarded) return std::unexpected(file_error(path, why));
    const int folder = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        ::fsync(folder);
        ::close(folder);
    }
    return {};
}

core::Result<void> migrate(Connection& connection) {
    const auto migrations = migrations_of("sqlite");
    connection.run("BEGIN IMMEDIATE");
    connection.run(
        "CREATE TABLE IF NOT EXISTS video_consultation_schema"
        " (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)");
    int version = 0;
    {
        auto row = connection.query("SELECT coalesce(max(version), 0) FROM video_consultation_schema");
        row.step();
        version = static_cast<int>(row.row().number(0));
    }
    if (version > migrations.back().version) {
        connection.run("ROLLBACK");
        return std::unexpected(newer_schema(version, migrations.back().version));
    }
    for (const auto& migration : migrations) {
        if (migration.version <= version) continue;
        connection.run(std::string(migration.sql).c_str());
        auto insert =
            connection.query("INSERT INTO video_consultation_schema VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%SZ'))");
        insert.number(migration.version);
        insert.text(migration.name);
        insert.run();
        core::log::info("database schema brought up to date", {{"migration", std::string(migration.name)}});
    }
    connection.run("COMMIT");
    return {};
}

}  // namespace

core::Result<void> prepare(const std::string& path, std::chrono::milliseconds busy_timeout) {
    if (auto made = make_file(path); !made) return made;
    try {
        Connection connection(path, busy_timeout);
        return migrate(connection);
    } catch (const Failure& failure) {
        auto error = error_of(failure);
        error.detail = "cannot use the database file " + path + ": " + error.detail;
        return std::unexpected(std::move(error));
    }
}

}  // namespace store::sqlite
