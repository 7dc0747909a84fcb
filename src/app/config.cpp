#include "app/config.hpp"

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

#include "app/config_reader.hpp"

namespace app {
namespace {

void read_database(Reader& reader, Config& config) {
    const auto url = reader.find("DATABASE_URL");
    if (!url) return;
    for (const std::string_view scheme : {"postgresql://", "postgres://", "postgresql+asyncpg://"}) {
        if (url->starts_with(scheme)) config.database_url = *url;
    }
    if (!config.database_url) {
        reader.complain("DATABASE_URL", "postgresql://user:password@host:port/database, or nothing for SQLite");
    }
}

void read_tokens(Reader& reader, Config& config) {
    config.jwt_secret = reader.find("JWT_SECRET_KEY");
    if (const auto name = reader.find("JWT_ALGORITHM")) {
        if (const auto algorithm = directory::jwt_algorithm_from(*name)) {
            config.jwt_algorithm = *algorithm;
        } else {
            reader.complain("JWT_ALGORITHM", "HS256, HS384, HS512, RS256 or ES256");
        }
    }
    config.jwks_file = reader.find("JWT_JWKS_FILE");
    config.jwks_url = reader.find("JWT_JWKS_URL");
    if (directory::has_public_keys(config.jwt_algorithm) == (!config.jwks_file && !config.jwks_url)) {
        reader.complain("JWT_JWKS_FILE",
                        "a file (or JWT_JWKS_URL a URL) with the auth service's public keys, exactly when "
                        "JWT_ALGORITHM is RS256 or ES256");
    }
    reader.duration("JWT_EXPIRATION_MINUTES", config.token_life, 1, 24 * 60);
    reader.duration("REFRESH_GRACE_MINUTES", config.refresh_grace, 0, 24 * 60);
}

void read_log_level(Reader& reader, Config& config) {
    using core::log::Level;
    if (config.debug) config.log_level = Level::debug;
    const auto value = reader.find("LOG_LEVEL");
    if (!value) return;
    const std::pair<std::string_view, Level> levels[] = {
        {"debug", Level::debug}, {"info", Level::info}, {"warning", Level::warning}, {"error", Level::error}};
    for (const auto& [name, level] : levels) {
        if (std::ranges::equal(*value, name, {}, [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; })) {
            config.log_level = level;
            return;
        }
    }
    reader.complain("LOG_LEVEL", "debug, info, warning or error");
}

}  // namespace

core::Result<Config> read_config(const Environment& environment) {
    Config config;
    config.threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 256);
    Reader reader(environment);
    reader.number("PORT", config.port, 1, 65535);
    reader.number("THREADS", config.threads, 1, 256);
    reader.number("MAX_CONNECTIONS", config.max_connections, 1, 1'000'000);

    reader.text("DATA_DIR", config.data_dir);
    read_database(reader, config);
    reader.duration("DATABASE_WAIT_SECONDS", config.database_wait, 0, 3600);

    read_tokens(reader, config);

    reader.text("APP_NAME", config.app_name);
    reader.text("VERSION", config.version);
    reader.boolean("DEBUG", config.debug);
    read_log_level(reader, config);
    reader.text("DEFAULT_TIME_ZONE", config.time_zone);
    reader.number("AWS_FREE_TIER_ATTENDEE_MINUTES", config.free_tier_minutes, 0, std::numeric_limits<int>::max());

    read_network(reader, config);
    read_node(reader, config);
    read_turn(reader, config);

    reader.duration("ABANDONED_AFTER_MINUTES", config.abandoned_after, 1, 24 * 60);
    reader.duration("NO_SHOW_GRACE_MINUTES", config.no_show_grace, 0, 24 * 60);
    reader.duration("JOIN_TIMEOUT_SECONDS", config.join_timeout, 1, 3600);
    reader.duration("GONE_AFTER_SECONDS", config.gone_after, 1, 600);

    read_platform(reader, config);
    read_chime_api(reader, config);
    read_lobby(reader, config);
    read_booking(reader, config);
    read_access(reader, config);
    read_audit(reader, config);
    read_privacy(reader, config);
    read_observability(reader, config);

    if (!reader.complaints().empty()) return core::fail(core::ErrorKind::invalid, reader.complaints());
    return config;
}

}  // namespace app
