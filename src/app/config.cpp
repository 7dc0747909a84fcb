#include "app/config.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <thread>
#include <utility>

namespace app {
namespace {

/// Reads variables one after the other and keeps the first complaint.
class Reader {
  public:
    explicit Reader(const Environment& environment) : environment_(environment) {}

    const std::optional<core::Error>& error() const { return error_; }

    void complain(std::string_view name, std::string_view wanted) {
        // The value is not repeated: it may be a secret that ended up in the wrong variable.
        if (!error_) {
            error_ = core::Error{core::ErrorKind::invalid, std::string{name} + ": expected " + std::string{wanted},
                                 std::chrono::seconds{0}};
        }
    }

    std::optional<std::string> find(std::string_view name) const { return environment_.find(name); }

    void text(std::string_view name, std::string& out) {
        if (auto value = find(name)) out = std::move(*value);
    }

    template <class Number>
    void number(std::string_view name, Number& out, std::int64_t least, std::int64_t most) {
        const auto value = find(name);
        if (!value) return;
        std::int64_t parsed = 0;
        const auto* const end = value->data() + value->size();
        const auto [stop, failed] = std::from_chars(value->data(), end, parsed);
        if (failed != std::errc{} || stop != end || parsed < least || parsed > most) {
            return complain(name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        }
        out = static_cast<Number>(parsed);
    }

    template <class Rep, class Period>
    void duration(std::string_view name, std::chrono::duration<Rep, Period>& out, std::int64_t least,
                  std::int64_t most) {
        std::int64_t count = out.count();
        number(name, count, least, most);
        out = std::chrono::duration<Rep, Period>{count};
    }

    void boolean(std::string_view name, bool& out) {
        auto value = find(name);
        if (!value) return;
        std::ranges::transform(*value, value->begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
        for (const auto* yes : {"true", "1", "yes", "on"}) {
            if (*value == yes) return void(out = true);
        }
        for (const auto* no : {"false", "0", "no", "off"}) {
            if (*value == no) return void(out = false);
        }
        complain(name, "true or false");
    }

  private:
    const Environment& environment_;
    std::optional<core::Error> error_;
};

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
    });
}

bool is_bracketed(std::string_view text) {
    return text.size() > 2 && text.front() == '[' && text.back() == ']' &&
           text.substr(1, text.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failed == std::errc{} && stop == text.data() + text.size() && port > 0;
}

struct Place {
    std::string scheme;  ///< Empty when only a host was given.
    std::string host;    ///< Without brackets.
    std::string url;     ///< Scheme, host, port and path, without a slash at the end.
};

// `host`, `http://host`, `https://host:port/prefix`; hosts are names, IPv4 or bracketed IPv6 addresses.
std::optional<Place> parse_place(std::string_view text) {
    while (text.ends_with('/')) text.remove_suffix(1);
    Place place;
    place.url = text;
    for (const std::string_view scheme : {"http", "https"}) {
        if (text.starts_with(std::string{scheme} + "://")) place.scheme = scheme;
    }
    if (!place.scheme.empty()) text.remove_prefix(place.scheme.size() + 3);
    const auto slash = text.find('/');
    if (slash != std::string_view::npos) {
        if (place.scheme.empty()) return {};
        const auto path = text.substr(slash);
        if (path.find_first_of("?#\" \\") != std::string_view::npos) return {};
    }
    auto authority = text.substr(0, slash);
    // Behind the last bracket, as IPv6 addresses are full of colons.
    const auto bracket = authority.rfind(']');
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos) {
        if (place.scheme.empty() || !is_port(authority.substr(colon + 1))) return {};
        authority = authority.substr(0, colon);
    }
    if (is_bracketed(authority)) {
        place.host = authority.substr(1, authority.size() - 2);
    } else if (is_host(authority)) {
        place.host = authority;
    } else {
        return {};
    }
    return place;
}

void read_places(Reader& reader, Config& config) {
    const auto port = std::to_string(config.port);
    config.api_url = "http://localhost:" + port;
    if (const auto value = reader.find("API_URL")) {
        const auto place = parse_place(*value);
        if (!place || place->scheme.empty()) {
            return reader.complain("API_URL", "a URL such as https://video.example.org");
        }
        config.api_url = place->url;
    }
    if (const auto value = reader.find("PUBLIC_HOST")) {
        const auto place = parse_place(*value);
        if (!place) {
            return reader.complain("PUBLIC_HOST",
                                   "a host or URL such as video.example.org or https://video.example.org");
        }
        config.public_host = place->host;
        config.public_url = place->scheme.empty() ? "http://" + place->url + ":" + port : place->url;
    }
}

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
    reader.text("HOST", config.host);
    reader.number("PORT", config.port, 1, 65535);
    reader.number("THREADS", config.threads, 1, 256);
    reader.number("MAX_CONNECTIONS", config.max_connections, 1, 1'000'000);

    reader.text("DATA_DIR", config.data_dir);
    read_database(reader, config);
    reader.duration("DATABASE_WAIT_SECONDS", config.database_wait, 0, 3600);

    config.jwt_secret = reader.find("JWT_SECRET_KEY");
    if (const auto name = reader.find("JWT_ALGORITHM")) {
        if (const auto algorithm = directory::jwt_algorithm_from(*name)) {
            config.jwt_algorithm = *algorithm;
        } else {
            reader.complain("JWT_ALGORITHM", "HS256, HS384 or HS512");
        }
    }

    reader.text("APP_NAME", config.app_name);
    reader.text("VERSION", config.version);
    reader.boolean("DEBUG", config.debug);
    read_log_level(reader, config);
    reader.text("DEFAULT_TIME_ZONE", config.time_zone);
    reader.number("AWS_FREE_TIER_ATTENDEE_MINUTES", config.free_tier_minutes, 0, std::numeric_limits<int>::max());

    read_places(reader, config);
    reader.number("MEDIA_PORT", config.media_port, 1, 65535);
    reader.number("PUBLIC_MEDIA_PORT", config.public_media_port, 1, 65535);

    reader.duration("ABANDONED_AFTER_MINUTES", config.abandoned_after, 1, 24 * 60);
    reader.duration("NO_SHOW_GRACE_MINUTES", config.no_show_grace, 0, 24 * 60);
    reader.duration("JOIN_TIMEOUT_SECONDS", config.join_timeout, 1, 3600);
    reader.duration("GONE_AFTER_SECONDS", config.gone_after, 1, 600);

    if (reader.error()) return std::unexpected(*reader.error());
    return config;
}

}  // namespace app
