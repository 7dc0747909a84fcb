#include "app/settings.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace app {
namespace {

using enum Setting::Kind;

constexpr Setting kService[] = {
    {"HOST", "", "where the API listens: addresses or names with commas between; every address if unset"},
    {"PORT", "8086", "HTTP port"},
    {"THREADS", "", "event loops of the API; one a core if unset"},
    {"MAX_CONNECTIONS", "4096", "open connections"},
    {"DATA_DIR", "./data", "folder of the SQLite file and of generated secrets"},
    {"DEFAULT_TIME_ZONE", "UTC", "zone of times that name none"},
    {"LOG_LEVEL", "info", "debug, info, warning or error"},
    {"DEBUG", "false", "tells clients about crashes; never in production"},
    {"APP_NAME", "Video Consultation Service", "shown by the service"},
    {"VERSION", "1.0.0", "of the API, as shown"},
};
constexpr Setting kDatabase[] = {
    {"DATABASE_URL", "", "postgresql://user:password@host:port/database; SQLite in DATA_DIR if unset", place},
    {"DATABASE_WAIT_SECONDS", "30", "how long to wait for PostgreSQL at start"},
};
constexpr Setting kTokens[] = {
    {"JWT_SECRET_KEY", "", "secret of the auth service; generated and kept in DATA_DIR if unset", secret},
    {"JWT_ALGORITHM", "HS256", "HS256, HS384, HS512, RS256 or ES256"},
    {"JWT_JWKS_FILE", "", "file with the auth service's public keys, for RS256 and ES256"},
    {"JWT_JWKS_URL", "", "or a URL that has them"},
    {"JWT_EXPIRATION_MINUTES", "60", "life of a renewed token"},
    {"REFRESH_GRACE_MINUTES", "30", "an expired token is renewed for so long, during a visit"},
};
constexpr Setting kNetwork[] = {
    {"API_URL", "", "base of the links in events; http://localhost:PORT if unset"},
    {"PUBLIC_HOST", "", "host or URL told to clients, and perhaps more addresses of the media; as they came if unset"},
    {"TLS_CERT_FILE", "", "certificate in PEM: then the port speaks HTTPS and WSS"},
    {"TLS_KEY_FILE", "", "and its private key"},
    {"TLS_PKCS12_FILE", "", "or both in one PKCS#12 file"},
    {"TLS_PKCS12_PASSWORD", "", "and its password", secret},
    {"TLS_PKCS12_PASSWORD_FILE", "", "or a file with it"},
    {"TRUSTED_PROXIES", "", "addresses or ranges whose X-Forwarded-* and Forwarded count"},
};
constexpr Setting kVisits[] = {
    {"ABANDONED_AFTER_MINUTES", "15", "both gone for so long ends a visit"},
    {"NO_SHOW_GRACE_MINUTES", "15", "after the planned end a visit that never began is a no-show"},
    {"JOIN_TIMEOUT_SECONDS", "120", "joined but never connected counts as gone"},
    {"GONE_AFTER_SECONDS", "20", "a lost connection counts as gone"},
    {"WAITING_ROOM", "false", "patients and guests wait until the doctor lets them in, where a booking does not say"},
    {"INVITATION_MINUTES", "10080", "how long a guest's link can be opened, where the doctor does not say"},
    {"CONSENT_VERSION", "", "name of the text that patients agree to before a call; without it they are asked nothing"},
    {"CONSENT_TEXT_FILE", "", "and a file with the text, in Markdown"},
    {"PREVENT_OVERLAP", "false", "nobody is booked for two visits at the same time"},
    {"MAX_STREAMS", "1000", "event streams of sessions open at the same time"},
    {"MAX_ATTENDEES_PER_MEETING", "4", "people of a visit: doctor, patient and guests"},
};
constexpr Setting kMeetings[] = {
    {"MEETING_PROVIDER", "auto", "auto (Chime where there are credentials), chime or embedded"},
    {"MEDIA_HOST", "", "where audio and video arrive; as HOST, or every address behind a local proxy, if unset"},
    {"MEDIA_PORT", "8087", "UDP and TCP port of audio and video, of the first media thread"},
    {"PUBLIC_MEDIA_PORT", "", "port told to clients; MEDIA_PORT if unset"},
    {"MEDIA_THREADS", "", "threads for audio and video, each with a port; one, not bound to a core, if unset"},
    {"TURN_URIS", "", "relays for our own meetings: turn:host:port?transport=udp, with commas between"},
    {"TURN_SECRET", "", "the secret they share with us", secret},
    {"TURN_LIFE_HOURS", "12", "life of the credentials for one connection"},
};
constexpr Setting kChime[] = {
    {"AWS_ACCESS_KEY_ID", "", "as for AWS's own tools, like the following", secret},
    {"AWS_SECRET_ACCESS_KEY", "", "", secret},
    {"AWS_SESSION_TOKEN", "", "", secret},
    {"AWS_PROFILE", "", ""},
    {"AWS_SHARED_CREDENTIALS_FILE", "", ""},
    {"AWS_CONFIG_FILE", "", ""},
    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "", ""},
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "", ""},
    {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "", "", secret},
    {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "", ""},
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "", ""},
    {"AWS_EC2_METADATA_DISABLED", "false", ""},
    {"AWS_REGION", "us-east-1", "control region, and media region of visits that name none"},
    {"AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS", "", "another place for the Chime API"},
    {"AWS_CHIME_ENDPOINT", "", "the same under its older name"},
    {"MEDIA_REGIONS", "", "those that a booking may ask for; all if unset"},
    {"AWS_FREE_TIER_ATTENDEE_MINUTES", "1000", "Chime's minutes a month"},
    {"CHIME_BUDGET_POLICY", "fallback", "fallback, refuse or warn when they are used up"},
    {"CHIME_TIMEOUT_MS", "3000", "how long one call to AWS may take"},
    {"CHIME_EVENTS_SECRET", "", "key of AWS's notifications at /api/video/chime/events", secret},
    {"CHIME_RECONCILE_SECONDS", "60", "how often open meetings are looked up at AWS"},
};
constexpr Setting kChimeApi[] = {
    {"CHIME_API_KEYS", "", "id:secret pairs with commas between: the Chime SDK's API under /chime", secret},
    {"CHIME_API_KEYS_FILE", "", "more of them, one a line"},
    {"CHIME_NOTIFICATIONS_URL", "", "who is told what happens in its meetings"},
    {"CHIME_NOTIFICATIONS_API_KEY", "", "header X-Api-Key of what is told", secret},
    {"CHIME_MEETING_EMPTY_MINUTES", "5", "a meeting ends when nobody was there for so long"},
    {"CHIME_MEETING_MAX_HOURS", "24", "and after so long in any case"},
};
constexpr Setting kNodes[] = {
    {"NODE_URL", "", "where clients reach this very process; PUBLIC_HOST if unset"},
    {"NODE_REGION", "", "its region"},
    {"NODE_CAPACITY", "", "attendees it may be given; 200 a core if unset"},
    {"NODE_HEARTBEAT_SECONDS", "2", "between two words to the database that it lives"},
    {"DRAIN_SECONDS", "0", "how long a stop waits for running meetings"},
    {"SHUTDOWN_TIMEOUT", "", "seconds in which a stop is over, whatever happens; DRAIN_SECONDS + 10 if unset"},
};
constexpr Setting kPlatform[] = {
    {"RABBITMQ_HOST", "localhost", "the broker; with none of these set, events stay in the outbox"},
    {"RABBITMQ_PORT", "5672", ""},
    {"RABBITMQ_USER", "guest", ""},
    {"RABBITMQ_PASSWORD", "", "guest if unset", secret},
    {"RABBITMQ_VHOST", "/", ""},
    {"RABBITMQ_EXCHANGE", "appointments-exchange", ""},
    {"WEBHOOK_URLS", "", "who gets the events over HTTP: URLs with commas between", place},
    {"WEBHOOK_SECRET", "", "signs them", secret},
    {"OUTGOING_ALLOW", "",
     "addresses and ranges that webhooks, notifications and JWT_JWKS_URL may be at, beside public ones"},
    {"OUTBOX_RETENTION_DAYS", "7", "how long told events are kept"},
    {"PROFILE_SERVICE_URL", "", "names of people and clinics in answers"},
    {"APPOINTMENTS_SERVICE_URL", "", "where appointments are looked up"},
    {"VERIFY_APPOINTMENTS", "false", "look them up at booking"},
};

constexpr Setting kAccess[] = {
    {"CORS_ORIGINS", "", "pages that may read answers: origins with commas between, or * (without credentials); none"},
    {"RATE_LIMIT", "on", "off: everybody may ask as often as they like"},
    {"RATE_LIMIT_READ", "300", "requests a minute of a user that read; here and below, 0: no limit"},
    {"RATE_LIMIT_WRITE", "100", "that change something"},
    {"RATE_LIMIT_JOIN", "30", "that join or start a visit"},
    {"RATE_LIMIT_REFRESH", "10", "that renew a token"},
    {"RATE_LIMIT_ADDRESS", "0", "requests a minute of an address, whoever asks"},
    {"RATE_LIMIT_ANONYMOUS", "6000", "without a good token"},
    {"RATE_LIMIT_FAILED", "60", "with a token that never was good"},
};

constexpr Setting kAudit[] = {
    {"AUDIT_KEY", "", "key of the audit trail's chain, 32 characters or more; made from the service's secret if unset",
     secret},
    {"AUDIT_KEY_OLD", "", "former keys, for checking; `derived` is the one made from the service's secret", secret},
    {"ADMIN_ACCESS", "open", "what administrators see of visits: open, or break-glass (clinical texts with a reason)"},
};

constexpr Setting kPrivacy[] = {
    {"ENCRYPTION_KEY", "",
     "name:base64 of the key that texts are sealed under, former ones behind it with commas; made from the service's "
     "secret if unset",
     secret},
    {"RETENTION_DAYS", "0", "how long finished visits are kept; 0: for good"},
    {"RETENTION_MODE", "anonymise", "what becomes of them then: anonymise or purge"},
};

constexpr Setting kObservability[] = {
    {"METRICS_TOKEN", "", "who asks for /metrics shows it; if unset, whoever asks without a proxy gets them", secret},
    {"LOG_FORMAT", "text", "text or json"},
    {"SLOW_REQUEST_MS", "1000", "requests that take so long are logged; 0: none"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT", "", "collector of traces, by OTLP over HTTP: http://host:4318", place},
    {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", "or the whole URL: http://host:4318/v1/traces", place},
    {"OTEL_EXPORTER_OTLP_HEADERS", "", "sent along: name=value, with commas between", secret},
    {"OTEL_SERVICE_NAME", "video-consultation", "name of the service in traces"},
    {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio", "or parentbased_always_on, parentbased_always_off"},
    {"OTEL_TRACES_SAMPLER_ARG", "1", "share of the traces that begin here and are recorded, 0 to 1"},
};

constexpr SettingGroup kGroups[] = {
    {"Service", kService},
    {"Database", kDatabase},
    {"Tokens", kTokens},
    {"Network", kNetwork},
    {"Visits", kVisits},
    {"Meetings on our own server", kMeetings},
    {"Amazon Chime", kChime},
    {"The Chime SDK's API", kChimeApi},
    {"Several processes", kNodes},
    {"Platform", kPlatform},
    {"Who gets in, and how often", kAccess},
    {"Audit", kAudit},
    {"Data at rest", kPrivacy},
    {"Observability", kObservability},
};

/// Declared by the service's predecessor, where they did nothing either; their files still go round.
constexpr std::string_view kWithoutEffect[] = {"AUTH_SERVICE_URL",
                                               "S3_BUCKET_NAME",
                                               "ENABLE_RECORDING",
                                               "ENABLE_USAGE_TRACKING",
                                               "DEFAULT_CONSULTATION_DURATION_MINUTES",
                                               "MAX_CONSULTATION_DURATION_MINUTES",
                                               "MIN_CONSULTATION_DURATION_MINUTES",
                                               "DB_HOST",
                                               "DB_PORT",
                                               "DB_NAME",
                                               "DB_USER",
                                               "DB_PASSWORD"};

constexpr std::string_view kFile = "_FILE";
constexpr std::size_t kShortestGuess = 6;
constexpr std::size_t kLongName = 10;

/// Damerau–Levenshtein distance in its restricted form: insert, delete, replace, swap neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[b.size()];
}

/// `scheme://user:…@host/…?…`: what may be secret in a URL, or in a list of them, is left out.
std::string masked(std::string_view url) {
    std::string text{url};
    for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
        const auto end = std::min(text.find_first_of("/,", at + 3), text.size());
        const auto sign = text.rfind('@', end);
        if (sign != std::string::npos && sign > at) text.replace(at + 3, sign - at - 3, "********");
    }
    for (std::size_t at = text.find('?'); at != std::string::npos; at = text.find('?', at + 1)) {
        text.replace(at + 1, std::min(text.find(',', at), text.size()) - at - 1, "********");
    }
    return text;
}

std::string shown(const Setting& setting, const std::string& value) {
    if (setting.kind == secret) return "********";
    std::string text = setting.kind == place ? masked(value) : value;
    if (text.find_first_of(" \t#'\"\\\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c == '\n' ? ' ' : c;
    }
    return quoted + '"';
}

std::string suggestion(std::string_view name) {
    const auto near = nearest_setting(name);
    return near ? "; did you mean " + std::string{*near} + "?" : "; video-consultation --help lists those there are";
}

}  // namespace

std::span<const SettingGroup> setting_groups() {
    return kGroups;
}

const Setting* find_setting(std::string_view name) {
    for (const auto& group : kGroups) {
        const auto found = std::ranges::find(group.settings, name, &Setting::name);
        if (found != group.settings.end()) return &*found;
    }
    return nullptr;
}

bool has_file(const Setting& setting) {
    return setting.kind != plain && !find_setting(std::string{setting.name}.append(kFile));
}

bool is_without_effect(std::string_view name) {
    return std::ranges::find(kWithoutEffect, name) != std::end(kWithoutEffect);
}

bool is_setting(std::string_view name) {
    if (find_setting(name) || is_without_effect(name)) return true;
    if (!name.ends_with(kFile)) return false;
    const auto* of = find_setting(name.substr(0, name.size() - kFile.size()));
    return of && has_file(*of);
}

std::optional<std::string_view> nearest_setting(std::string_view name) {
    if (name.size() < kShortestGuess) return {};
    std::optional<std::string_view> nearest;
    std::size_t least = name.size() >= kLongName ? 3 : 2;
    for (const auto& group : kGroups) {
        for (const auto& setting : group.settings) {
            // Nobody mistypes the first letter; SSL_CERT_FILE and its like are others' own.
            if (setting.name.front() != name.front() || setting.name.size() < kShortestGuess ||
                setting.name.size() + 2 < name.size() || name.size() + 2 < setting.name.size()) {
                continue;
            }
            if (const auto far = distance(name, setting.name); far < least) {
                least = far;
                nearest = setting.name;
            }
        }
    }
    return nearest;
}

core::Result<> check_names(const Environment::Values& file, std::string_view file_name,
                           const Environment::Values& environment) {
    for (const auto& [name, value] : file) {
        if (is_setting(name)) continue;
        return core::fail(core::ErrorKind::invalid,
                          std::string{file_name} + ": unknown setting " + name + suggestion(name));
    }
    for (const auto& [name, value] : environment) {
        if (is_setting(name) || !nearest_setting(name)) continue;
        return core::fail(core::ErrorKind::invalid, "environment: unknown setting " + name + suggestion(name));
    }
    return {};
}

std::string print_settings(const Environment& environment) {
    std::string text;
    for (const auto& group : kGroups) {
        text.append(text.empty() ? "" : "\n").append("# ").append(group.title).append("\n");
        for (const auto& setting : group.settings) {
            const std::string file = std::string{setting.name}.append(kFile);
            if (const auto value = environment.find(setting.name)) {
                text.append(setting.name).append("=").append(shown(setting, *value)).append("\n");
            } else if (const auto path = has_file(setting) ? environment.find(file) : std::nullopt) {
                text.append(file).append("=").append(shown({}, *path)).append("\n");
            } else {
                text.append("# ").append(setting.name).append("=").append(setting.normal).append("\n");
            }
        }
    }
    return text;
}

std::string describe_settings() {
    constexpr std::size_t kColumn = 34;
    std::string text;
    for (const auto& group : kGroups) {
        text.append("\n").append(group.title).append("\n");
        for (const auto& setting : group.settings) {
            std::string line = "  " + std::string{setting.name};
            if (has_file(setting)) line += "[_FILE]";
            if (!setting.what.empty() || !setting.normal.empty()) line.resize(std::max(kColumn, line.size() + 2), ' ');
            line += setting.what;
            if (!setting.normal.empty()) {
                line.append(setting.what.empty() ? "(" : " (").append(setting.normal).append(")");
            }
            text += line + "\n";
        }
    }
    return text;
}

}  // namespace app
