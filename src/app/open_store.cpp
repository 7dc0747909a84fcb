#include "app/open_store.hpp"

#include <concepts>
#include <filesystem>
#include <utility>

#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace app {
namespace {

template <class Store>
core::Result<OpenStore> keep(core::Result<std::unique_ptr<Store>> opened) {
    if (!opened) return std::unexpected(opened.error());
    auto* const raw = opened->get();
    OpenStore kept{std::move(*opened), raw, raw, raw, [raw] { raw->stop(); }};
    kept.insight = raw;
    kept.audit = raw;
    kept.keys = raw;
    kept.archive = raw;
    if constexpr (std::derived_from<Store, service::RateLedger>) kept.rates = raw;
    return kept;
}

}  // namespace

std::string path_in(const Config& config, const char* name) {
    return (std::filesystem::path{config.data_dir} / name).string();
}

core::Result<OpenStore> open_store(const Config& config, std::shared_ptr<const service::AuditKeys> audit_keys) {
    if (config.database_url) {
        store::postgres::PostgresSettings settings;
        settings.url = *config.database_url;
        settings.start_timeout = config.database_wait;
        settings.audit_keys = std::move(audit_keys);
        auto opened = keep(store::postgres::PostgresStore::open(std::move(settings)));
        if (!opened) opened.error().detail += "; start it, or correct DATABASE_URL (without it SQLite is used)";
        return opened;
    }
    store::sqlite::SqliteSettings settings;
    settings.path = path_in(config, "sessions.sqlite");
    settings.audit_keys = std::move(audit_keys);
    return keep(store::sqlite::SqliteStore::open(std::move(settings)));
}

}  // namespace app
