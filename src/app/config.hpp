// The whole configuration, checked. Read once at start; parts of the service get their own piece of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/environment.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "directory/jwt_verifier.hpp"
#include "net/address_ranges.hpp"
#include "net/tls_files.hpp"
#include "service/admin_access.hpp"
#include "service/consents.hpp"

namespace app {

/// `MEETING_PROVIDER`.
enum class ProviderMode { automatic, chime, embedded };
/// `CHIME_BUDGET_POLICY`: what becomes of new meetings when the month's minutes are used up.
enum class BudgetPolicy { fallback, refuse, warn };

/// As AWS's own tools read it; unset: not said.
struct AwsConfig {
    std::optional<std::string> access_key_id, secret_access_key, session_token;
    std::optional<std::string> profile, credentials_file, config_file, home;
    std::optional<std::string> container_relative_uri, container_full_uri, container_token, container_token_file;
    std::optional<std::string> metadata_endpoint;
    bool metadata_disabled = false;
    std::string region = "us-east-1";
    std::optional<std::string> endpoint;  ///< Of the Chime API; unset: that of the region.
};

/// `RABBITMQ_*`.
struct BrokerConfig {
    std::string host = "localhost";
    std::uint16_t port = 5672;
    std::string user = "guest", password = "guest";
    std::string vhost = "/";
    std::string exchange = "appointments-exchange";
};

/// This process as one of several on a database: `NODE_*` and `DRAIN_SECONDS`.
struct NodeConfig {
    std::string url;                    ///< Where clients reach this very node; empty: as they came.
    bool has_own_url = false;           ///< It was named for this node, not taken from `PUBLIC_HOST`.
    std::string region;                 ///< Empty: none.
    int capacity = 0;                   ///< Attendees.
    std::chrono::seconds heartbeat{2};  ///< Between two words that it lives.
    std::chrono::seconds drain{0};      ///< How long a stop waits for meetings that run.
};

/// `TURN_*`: a relay of our own, for clients whose network lets nothing else through.
struct TurnConfig {
    std::vector<std::string> uris;  ///< Empty: there is none.
    std::string secret;             ///< Shared with it.
    std::chrono::hours life{12};    ///< Of the credentials for one connection.
};

/// `CHIME_API_KEYS` and what goes with them: the SDK's API under `/chime`.
struct ChimeApiConfig {
    std::map<std::string, std::string, std::less<>> keys;  ///< Secrets by access key id; none: there is no such API.
    std::string notifications_url;                         ///< Empty: nobody is told.
    std::string notifications_api_key;                     ///< Header X-Api-Key of what is told; empty: none.
    std::chrono::minutes empty_for{5};
    std::chrono::hours longest{24};
};

/// `CORS_ORIGINS` and `RATE_LIMIT_*`: whose pages may read answers, and how often anybody may ask.
struct AccessConfig {
    bool any_origin = false;           ///< Without credentials; `origins` is empty then.
    std::vector<std::string> origins;  ///< As browsers write them.
    bool is_limited = true;
    int read = 300, write = 100, join = 30, refresh = 10;  ///< Of a user, a minute; 0: no limit.
    int address = 0, anonymous = 6000, failed = 60;  ///< Of an address: all, those without a good token, wrong ones.
};

/// `AUDIT_KEY`, `AUDIT_KEY_OLD`, `ADMIN_ACCESS`: how the audit trail is kept, and what administrators see.
struct AuditConfig {
    std::optional<std::string> key;     ///< Unset: derived from the service's secret.
    std::vector<std::string> old_keys;  ///< Accepted when the trail is checked; `derived` stands for that key.
    service::AdminAccess admin_access = service::AdminAccess::open;
};

/// `ENCRYPTION_KEY` and `RETENTION_*`.
struct PrivacyConfig {
    std::string encryption_keys;     ///< `id:base64`, several with commas; empty: made from the service's secret.
    std::chrono::days retention{0};  ///< Finished sessions are kept for so long; 0: for good.
    bool purge = false;              ///< They are removed then; else made anonymous.
};

/// `CONSENT_*`, `PREVENT_OVERLAP`, `MAX_STREAMS`: what goes before a visit, and who looks on.
struct BookingConfig {
    std::optional<service::ConsentText> consent;
    bool prevent_overlap = false;
    std::size_t max_streams = 1000;  ///< Of this process.
};

/// Who comes into a session, and how many.
struct LobbyConfig {
    bool waiting_room = false;      ///< Of bookings that do not say.
    std::size_t max_attendees = 4;  ///< Of a session: doctor, patient, guests.
    std::chrono::minutes invitation_life{std::chrono::days{7}};
};

/// `OTEL_*`: where spans go.
struct TracesConfig {
    std::string url;  ///< Empty: nowhere.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string service_name = "video-consultation";
    double ratio = 1;  ///< Of the traces that begin here.
};

/// `METRICS_TOKEN`, `LOG_FORMAT`, `SLOW_REQUEST_MS` and traces: how the service is watched.
struct ObservabilityConfig {
    std::string metrics_token;  ///< Empty: whoever asks us directly gets the metrics.
    core::log::Format log_format = core::log::Format::text;
    std::chrono::milliseconds slow_request{1000};  ///< Logged from here on; 0: never.
    TracesConfig traces;
};

struct Config {
    std::vector<std::string> hosts;  ///< Where the API listens: addresses or names; empty: every address.
    std::uint16_t port = 8086;
    std::size_t threads = 1;  ///< Event loops of the control plane.
    std::size_t max_connections = 4096;
    std::optional<net::TlsFiles> tls;    ///< Then the port speaks HTTPS.
    net::AddressRanges trusted_proxies;  ///< Believed about the clients behind them.

    std::string data_dir = "./data";
    std::optional<std::string> database_url;  ///< PostgreSQL; unset: SQLite in `data_dir`.
    std::chrono::seconds database_wait{30};   ///< For PostgreSQL, at start.

    std::optional<std::string> jwt_secret;  ///< Unset: generated once, kept in `data_dir`.
    directory::JwtAlgorithm jwt_algorithm = directory::JwtAlgorithm::hs256;
    std::optional<std::string> jwks_file, jwks_url;  ///< Public keys, for RS256 and ES256.
    std::chrono::minutes token_life{60};             ///< Of a renewed token.
    std::chrono::minutes refresh_grace{30};

    std::string app_name = "Video Consultation Service";
    std::string version = "1.0.0";
    bool debug = false;
    core::log::Level log_level = core::log::Level::info;
    std::string time_zone = "UTC";
    int free_tier_minutes = 1000;

    std::string api_url;     ///< `http://localhost:<port>` (https with `tls`) unless set; no slash at the end.
    std::string public_url;  ///< Where clients reach the service, by `PUBLIC_HOST`; empty: as they came.
    std::vector<std::string> public_hosts;  ///< All hosts of `PUBLIC_HOST`; empty: every address of the machine.
    std::vector<std::string> media_hosts;   ///< Where audio and video arrive: addresses or names; empty: everywhere.
    std::uint16_t media_port = 8087;
    std::size_t media_threads = 0;        ///< 0: not said: one, wherever the kernel likes.
    std::uint16_t public_media_port = 0;  ///< 0: `media_port`.

    std::chrono::seconds shutdown_timeout{10};  ///< From the signal to the end, `node.drain` included.
    NodeConfig node;
    TurnConfig turn;

    ProviderMode meeting_provider = ProviderMode::automatic;
    AwsConfig aws;
    BudgetPolicy budget_policy = BudgetPolicy::fallback;
    std::vector<std::string> media_regions;  ///< Those allowed; empty: all that AWS has.
    std::chrono::milliseconds chime_timeout{3000};
    std::string chime_events_secret;
    std::chrono::seconds chime_reconcile{60};

    ChimeApiConfig chime_api;
    AccessConfig access;
    AuditConfig audit;
    PrivacyConfig privacy;

    std::optional<BrokerConfig> broker;
    std::vector<std::string> webhook_urls;
    std::string webhook_secret;
    net::AddressRanges outgoing_allow;  ///< Not public, and yet called by webhooks and the like.
    std::chrono::days outbox_retention{7};

    std::optional<std::string> profile_url, appointments_url;
    bool verify_appointments = false;

    std::chrono::minutes abandoned_after{15};
    std::chrono::minutes no_show_grace{15};
    std::chrono::seconds join_timeout{120};
    std::chrono::seconds gone_after{20};

    LobbyConfig lobby;
    BookingConfig booking;
    ObservabilityConfig observability;

    /// No database and no auth service given: a first try, which gets a demo consultation.
    bool is_trial() const { return !database_url && !jwt_secret && !directory::has_public_keys(jwt_algorithm); }
    bool needs_data_dir() const { return !database_url || !jwt_secret; }
};

/// The configuration, or one line that names the variable and says what it may be.
core::Result<Config> read_config(const Environment& environment);

}  // namespace app
