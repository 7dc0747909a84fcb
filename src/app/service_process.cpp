#include "app/service_process.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <filesystem>
#include <utility>

#include "api/site.hpp"
#include "app/data_folder.hpp"
#include "app/demo.hpp"
#include "core/bytes.hpp"
#include "core/log.hpp"
#include "meetings/embedded/embedded_meetings.hpp"
#include "net/http_server.hpp"
#include "net/task_group.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace app {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kSweepEvery{5};
constexpr std::chrono::seconds kReportEvery{15};
constexpr std::chrono::seconds kTaskTime{2};

std::string path_in(const Config& config, const char* name) {
    return (std::filesystem::path{config.data_dir} / name).string();
}

/// A store and the way to stop it.
struct OpenStore {
    std::unique_ptr<service::SessionStore> store;
    std::function<void()> stop;
};

template <class Store>
core::Result<OpenStore> keep(core::Result<std::unique_ptr<Store>> opened) {
    if (!opened) return std::unexpected(opened.error());
    auto* const raw = opened->get();
    return OpenStore{std::move(*opened), [raw] { raw->stop(); }};
}

core::Result<OpenStore> open_store(const Config& config) {
    if (config.database_url) {
        store::postgres::PostgresSettings settings;
        settings.url = *config.database_url;
        settings.start_timeout = config.database_wait;
        auto opened = keep(store::postgres::PostgresStore::open(std::move(settings)));
        if (!opened) opened.error().detail += "; start it, or correct DATABASE_URL (without it SQLite is used)";
        return opened;
    }
    store::sqlite::SqliteSettings settings;
    settings.path = path_in(config, "sessions.sqlite");
    return keep(store::sqlite::SqliteStore::open(std::move(settings)));
}

// Candidates of media connections are addresses, so a name is looked up here, once.
core::Result<std::vector<std::string>> addresses_of(const std::string& host) {
    if (host.empty()) return std::vector<std::string>{};
    asio::io_context context;
    boost::system::error_code error;
    std::vector<std::string> addresses;
    for (const auto& entry : asio::ip::udp::resolver(context).resolve(host, "", error)) {
        auto address = entry.endpoint().address().to_string();
        if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(std::move(address));
    }
    if (error || addresses.empty()) {
        return core::fail(
            core::ErrorKind::invalid,
            "PUBLIC_HOST: " + host + " has no address that this machine can find (" + error.message() + ")");
    }
    return addresses;
}

// Keys for other purposes come from the one secret, so that several processes with the same secret agree on them.
std::string derived_secret(const std::string& secret, std::string_view purpose) {
    return core::hex(core::hmac_sha256(core::as_bytes(secret), core::as_bytes(purpose)));
}

void allow_many_descriptors() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

using Step = std::function<service::Task<core::Result<void>>()>;

/// Does `step` again and again until cancelled. The first of several failures is logged, and the recovery.
asio::awaitable<void> repeat(const char* name, std::chrono::seconds every, Step step) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    bool failing = false;
    for (;;) {
        timer.expires_after(every);
        co_await timer.async_wait(asio::use_awaitable);
        std::string error;
        try {
            const auto done = co_await step();
            if (!done) error = done.error().detail;
        } catch (const std::exception& thrown) {
            error = typeid(thrown).name();
        }
        if (!error.empty() && !failing) core::log::warning("task fails", {{"task", name}, {"error", error}});
        if (error.empty() && failing) core::log::info("task works again", {{"task", name}});
        failing = !error.empty();
    }
}

}  // namespace

/// Declared in the order of construction. The event loops come first, as sockets and timers of all other parts must not
/// outlive them; what is still suspended on them is dropped while those parts still stand (see `stop`).
struct ServiceProcess::Parts {
    explicit Parts(const Config& settings) : config(settings), loops(settings.threads) {}

    Config config;
    core::SystemClock clock;
    std::atomic<bool> accepting{false};
    bool stopped = false;
    net::Executors loops;
    OpenStore store;
    std::unique_ptr<directory::JwtVerifier> tokens;
    std::unique_ptr<meetings::embedded::EmbeddedMeetings> meetings;
    std::unique_ptr<media::server::MeetingServer> media;
    std::unique_ptr<service::Consultations> consultations;
    std::unique_ptr<net::HttpServer> http;
    std::unique_ptr<net::TaskGroup> tasks;

    core::Result<> make(const std::string& secret, api::ZoneResolver zone);
    core::Result<> make_media();
    core::Result<> listen(api::ZoneResolver zone);
    void run();
};

core::Result<> ServiceProcess::Parts::make(const std::string& secret, api::ZoneResolver zone) {
    auto opened = open_store(config);
    if (!opened) return std::unexpected(opened.error());
    store = std::move(*opened);
    tokens = std::make_unique<directory::JwtVerifier>(
        directory::JwtSettings{.secret = secret, .algorithm = config.jwt_algorithm}, clock);

    meetings::embedded::Settings embedded;
    embedded.secret = derived_secret(secret, "meetings");
    embedded.public_url = config.public_url;
    embedded.default_url = config.api_url;
    meetings = std::make_unique<meetings::embedded::EmbeddedMeetings>(std::move(embedded));
    if (auto made = make_media(); !made) return made;

    service::ConsultationsSettings settings;
    settings.abandoned_after = config.abandoned_after;
    settings.no_show_grace = config.no_show_grace;
    settings.join_timeout = config.join_timeout;
    settings.meeting_url_base = config.api_url;
    consultations = std::make_unique<service::Consultations>(std::move(settings), *store.store, *meetings, clock);
    meetings->attach_service(*consultations, loops.executor(0));
    return listen(std::move(zone));
}

core::Result<> ServiceProcess::Parts::make_media() {
    auto announced = addresses_of(config.public_host);
    if (!announced) return std::unexpected(announced.error());
    media::server::Settings settings;
    settings.port = config.media_port;
    settings.announced_addresses = std::move(*announced);
    settings.announced_port = config.public_media_port;
    settings.gone_after = config.gone_after;
    auto started = media::server::MeetingServer::start(std::move(settings), *meetings);
    if (!started) {
        return core::fail(core::ErrorKind::internal,
                          started.error().detail + "; free it, or choose another with --media-port or MEDIA_PORT");
    }
    media = std::move(*started);
    meetings->attach_server(*media);
    return {};
}

core::Result<> ServiceProcess::Parts::listen(api::ZoneResolver zone) {
    api::SiteSettings site;
    site.app_name = config.app_name;
    site.version = config.version;
    site.free_tier_minutes = config.free_tier_minutes;
    site.time_zone = std::move(zone);
    site.public_url = config.public_url;
    site.debug = config.debug;
    site.accepting = [this] { return accepting.load(std::memory_order_relaxed); };
    auto handler = api::make_site(std::move(site), *consultations, *tokens);
    auto upgrade =
        [this, handler](const net::Request& request) -> asio::awaitable<std::variant<net::Response, net::Upgrade>> {
        if (meetings::embedded::EmbeddedMeetings::is_signalling(request.path())) {
            co_return co_await meetings->upgrade(request);
        }
        co_return co_await handler(request);
    };
    net::HttpServerSettings settings;
    settings.host = config.host;
    settings.port = config.port;
    settings.max_connections = config.max_connections;
    auto started = net::HttpServer::start(std::move(settings), loops, handler, upgrade);
    if (!started) {
        return core::fail(core::ErrorKind::internal,
                          started.error().detail + "; free it, or choose another with --port or --host");
    }
    http = std::move(*started);
    return {};
}

void ServiceProcess::Parts::run() {
    tasks = std::make_unique<net::TaskGroup>(loops.executor(0));
    tasks->spawn("sweep", repeat("sweep", kSweepEvery, [this]() -> service::Task<core::Result<void>> {
                     const auto changed = co_await consultations->sweep();
                     if (!changed) co_return std::unexpected(changed.error());
                     co_return core::Result<void>{};
                 }));
    tasks->spawn("presence", repeat("presence", kReportEvery, [this]() -> service::Task<core::Result<void>> {
                     co_return co_await meetings->report_connected();
                 }));
    accepting = true;
    loops.start();
}

core::Result<std::string> token_secret(const Config& config) {
    if (config.jwt_secret) return *config.jwt_secret;
    return kept_secret(path_in(config, "jwt-secret"));
}

core::Result<std::unique_ptr<ServiceProcess>> ServiceProcess::start(const Config& config) {
    // Before the first thread: a time zone is a matter of the whole process.
    auto zone = api::load_time_zone(config.time_zone);
    if (!zone) return std::unexpected(zone.error());
    allow_many_descriptors();
    if (config.needs_data_dir()) {
        if (auto opened = open_data_folder(config.data_dir); !opened) return std::unexpected(opened.error());
    }
    const auto secret = token_secret(config);
    if (!secret) return std::unexpected(secret.error());

    std::unique_ptr<ServiceProcess> process(new ServiceProcess(std::make_unique<Parts>(config)));
    if (auto made = process->parts_->make(*secret, std::move(*zone)); !made) return std::unexpected(made.error());
    process->parts_->run();
    core::log::info("service started", {{"address", config.host + ":" + std::to_string(config.port)},
                                        {"media_port", std::to_string(config.media_port)},
                                        {"store", config.database_url ? "postgres" : "sqlite"},
                                        {"threads", std::to_string(config.threads)}});
    return process;
}

ServiceProcess::ServiceProcess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ServiceProcess::~ServiceProcess() {
    stop(std::chrono::milliseconds{0});
}

core::Result<std::string> ServiceProcess::demo() {
    auto booked =
        asio::co_spawn(parts_->loops.executor(0),
                       book_demo(*parts_->consultations, *parts_->tokens, parts_->config.api_url), asio::use_future);
    const auto links = booked.get();
    if (!links) return std::unexpected(links.error());
    return describe(*links);
}

void ServiceProcess::stop(std::chrono::milliseconds limit) {
    auto& parts = *parts_;
    if (std::exchange(parts.stopped, true)) return;
    parts.accepting = false;
    if (parts.http) parts.http->close();
    // Its last words travel over connections that the HTTP server still carries.
    if (parts.media) parts.media->stop();
    if (parts.tasks) parts.tasks->stop(kTaskTime);
    if (parts.http && !parts.http->stop(limit)) core::log::warning("some requests were cut off");
    if (parts.store.stop) parts.store.stop();
    parts.loops.stop();
    parts.loops.drop();
}

}  // namespace app
