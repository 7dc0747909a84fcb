#include "app/service_process.hpp"

#include <sys/resource.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "api/site.hpp"
#include "app/chime_api_parts.hpp"
#include "app/data_folder.hpp"
#include "app/demo.hpp"
#include "app/meetings_parts.hpp"
#include "app/neighbours_parts.hpp"
#include "app/network_parts.hpp"
#include "app/node_parts.hpp"
#include "app/open_store.hpp"
#include "core/bytes.hpp"
#include "core/log.hpp"
#include "core/time_zone.hpp"
#include "events/events.hpp"
#include "meetings/chime/media_regions.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/task_group.hpp"
#include "service/metering.hpp"
#include "service/platform_requests.hpp"

namespace app {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kSweepEvery{5};
constexpr std::chrono::seconds kReportEvery{15};
constexpr std::chrono::milliseconds kJobsEvery{1000};
constexpr std::chrono::milliseconds kOrdersEvery{300};
constexpr int kJobWorkers = 4;
constexpr std::chrono::seconds kTaskTime{2};

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

/// Only whether it went well.
service::Task<core::Result<void>> done(service::Task<core::Result<int>> work) {
    const auto count = co_await std::move(work);
    if (!count) co_return std::unexpected(count.error());
    co_return core::Result<void>{};
}

/// All that are due.
service::Task<core::Result<void>> do_jobs(service::Consultations& consultations) {
    for (;;) {
        const auto taken = co_await consultations.do_jobs();
        if (!taken) co_return std::unexpected(taken.error());
        if (*taken == 0) co_return core::Result<void>{};
    }
}

/// How many jobs wait, as last seen. Written on one loop, read on any.
class JobBacklog {
  public:
    service::Task<core::Result<void>> look(service::JobQueue& queue) {
        const auto seen = co_await queue.job_backlog();
        if (!seen) co_return std::unexpected(seen.error());
        waiting_ = seen->waiting;
        oldest_micros_ = seen->oldest ? seen->oldest->time_since_epoch().count() : 0;
        co_return core::Result<void>{};
    }
    void add_to(service::Vitals& vitals, core::Time now) const {
        vitals.jobs_waiting = waiting_;
        const auto oldest = oldest_micros_.load();
        if (oldest != 0) vitals.oldest_job_seconds = double(now.time_since_epoch().count() - oldest) / 1e6;
    }

  private:
    std::atomic<std::int64_t> waiting_{0}, oldest_micros_{0};
};

/// Those that the control region can make meetings in.
std::vector<std::string> media_regions_of(const std::string& control_region) {
    std::vector<std::string> regions;
    for (const auto region : meetings::chime::media_regions()) {
        if (meetings::chime::can_carry(control_region, region)) regions.emplace_back(region);
    }
    return regions;
}

/// Does `step` again and again until cancelled. The first of several failures is logged, and the recovery.
asio::awaitable<void> repeat(const char* name, std::chrono::milliseconds every, Step step) {
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
        // What ends because the process does is no failure.
        if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
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
    std::unique_ptr<net::HttpClient> client;
    std::unique_ptr<NeighboursParts> neighbours;
    std::unique_ptr<service::Metering> metering;
    std::unique_ptr<NodeParts> node;
    std::unique_ptr<MeetingsParts> meetings;
    std::unique_ptr<service::Consultations> consultations;
    std::unique_ptr<ChimeApiParts> chime_api;  ///< Null: not wanted.
    std::unique_ptr<service::PlatformRequests> requests;
    std::unique_ptr<events::Events> events;
    std::unique_ptr<net::HttpServer> http;
    std::unique_ptr<net::TaskGroup> tasks;
    JobBacklog jobs;

    core::Result<> make(const std::string& secret, const core::ZoneResolver& zone);
    void make_events(const core::ZoneResolver& zone);
    core::Result<> listen(const core::ZoneResolver& zone);
    api::SiteSettings site_settings(const core::ZoneResolver& zone);
    service::Vitals vitals() const;
    core::Result<> run();
};

core::Result<> ServiceProcess::Parts::make(const std::string& secret, const core::ZoneResolver& zone) {
    auto opened = open_store(config);
    if (!opened) return std::unexpected(opened.error());
    store = std::move(*opened);
    net::HttpClientSettings outgoing;
    outgoing.user_agent = "video-consultation/" + config.version;
    client = std::make_unique<net::HttpClient>(std::move(outgoing));
    auto known = NeighboursParts::make(config, secret, *client, clock, zone, loops.executor(0));
    if (!known) return std::unexpected(known.error());
    neighbours = std::move(*known);

    metering = std::make_unique<service::Metering>(
        service::MeteringSettings{.free_tier_minutes = config.free_tier_minutes}, *store.store, clock);
    const auto meeting_secret = derived_secret(secret, "meetings");
    node = std::make_unique<NodeParts>(config, meeting_secret, *store.nodes);
    auto made = MeetingsParts::make(config, meeting_secret, node->nodes(), *client, *metering, clock);
    if (!made) return std::unexpected(made.error());
    meetings = std::move(*made);

    service::ConsultationsSettings settings;
    settings.abandoned_after = config.abandoned_after;
    settings.no_show_grace = config.no_show_grace;
    settings.join_timeout = config.join_timeout;
    settings.meeting_url_base = config.api_url;
    settings.appointments = config.verify_appointments ? neighbours->appointments() : nullptr;
    consultations =
        std::make_unique<service::Consultations>(std::move(settings), *store.store, meetings->provider(), clock);
    std::vector<service::MeetingOwner*> owners{consultations.get()};
    if (meetings->embedded()) {
        chime_api = ChimeApiParts::make(config, store, *meetings->embedded(), *client, clock, loops.executor(0));
        if (chime_api) owners.push_back(&chime_api->meetings());
    }
    meetings->attach_owners(std::move(owners), loops.executor(0));
    make_events(zone);
    return listen(zone);
}

void ServiceProcess::Parts::make_events(const core::ZoneResolver& zone) {
    requests = std::make_unique<service::PlatformRequests>(*store.store, *store.store, *consultations);
    events::EventsSettings settings;
    if (config.broker) {
        auto& broker = settings.broker.emplace();
        broker.host = config.broker->host;
        broker.port = config.broker->port;
        broker.user = config.broker->user;
        broker.password = config.broker->password;
        broker.vhost = config.broker->vhost;
        broker.exchange = config.broker->exchange;
    }
    settings.webhook_urls = config.webhook_urls;
    settings.webhook_secret = config.webhook_secret;
    settings.outbox_retention = config.outbox_retention;
    settings.zone = zone;
    events = std::make_unique<events::Events>(std::move(settings), *store.store, *requests, *client, clock,
                                              loops.executor(0));
}

service::Vitals ServiceProcess::Parts::vitals() const {
    service::Vitals vitals;
    vitals.broker = events->broker();
    vitals.webhooks = events->webhooks();
    vitals.consumer = events->consumer();
    vitals.chime = meetings->vitals();
    vitals.nodes = node->nodes().vitals();
    jobs.add_to(vitals, clock.now());
    return vitals;
}

api::SiteSettings ServiceProcess::Parts::site_settings(const core::ZoneResolver& zone) {
    api::SiteSettings site;
    site.app_name = config.app_name;
    site.version = config.version;
    site.time_zone = zone;
    site.public_url = config.node.url;
    site.many_nodes = config.node.has_own_url;
    site.debug = config.debug;
    site.vitals = [this] { return vitals(); };
    site.names = neighbours->names();
    site.issuer = neighbours->issuer();
    site.refresh_grace = config.refresh_grace;
    site.token_life = config.token_life;
    site.chime_events_secret = config.chime_events_secret;
    site.appointments_fill_in = config.verify_appointments;
    site.media_regions = config.media_regions.empty() ? media_regions_of(config.aws.region) : config.media_regions;
    site.accepting = [this] { return accepting.load(std::memory_order_relaxed); };
    return site;
}

core::Result<> ServiceProcess::Parts::listen(const core::ZoneResolver& zone) {
    auto handler = api::make_site(site_settings(zone), *consultations, *metering, neighbours->tokens());
    if (chime_api) handler = chime_api->before(std::move(handler));
    auto upgrade =
        [this, handler](const net::Request& request) -> asio::awaitable<std::variant<net::Response, net::Upgrade>> {
        if (meetings->embedded() && meetings::embedded::EmbeddedMeetings::is_signalling(request.path())) {
            co_return co_await meetings->embedded()->upgrade(request);
        }
        co_return co_await handler(request);
    };
    net::HttpServerSettings settings;
    settings.hosts = config.hosts;
    settings.port = config.port;
    settings.trusted_proxies = config.trusted_proxies;
    if (config.tls) {
        auto identity = open_tls(*config.tls);
        if (!identity) return std::unexpected(identity.error());
        settings.tls = std::move(*identity);
    }
    settings.max_connections = config.max_connections;
    auto started = net::HttpServer::start(std::move(settings), loops, handler, upgrade);
    if (!started) {
        return core::fail(core::ErrorKind::internal,
                          started.error().detail + "; free it, or choose another with --port or --host");
    }
    http = std::move(*started);
    return {};
}

core::Result<> ServiceProcess::Parts::run() {
    tasks = std::make_unique<net::TaskGroup>(loops.executor(0));
    const auto regularly = [this](const char* name, std::chrono::milliseconds every, Step step) {
        tasks->spawn(name, repeat(name, every, std::move(step)));
    };
    regularly("sweep", kSweepEvery, [this] { return done(consultations->sweep()); });
    regularly("thresholds", kSweepEvery, [this] { return metering->announce_thresholds(); });
    if (meetings->embedded()) {
        regularly("presence", kReportEvery, [this] { return meetings->embedded()->report_connected(); });
        if (node->nodes().is_shared()) {
            regularly("node", config.node.heartbeat, [this] { return meetings->embedded()->beat(); });
            regularly("orders", kOrdersEvery, [this] { return meetings->embedded()->obey(); });
        }
    }
    if (meetings->has_chime()) {
        regularly("reconcile", config.chime_reconcile, [this] { return done(consultations->reconcile_meetings()); });
    }
    if (chime_api) regularly("sdk meetings", kSweepEvery, [this] { return done(chime_api->meetings().sweep()); });
    regularly("job backlog", kSweepEvery, [this] { return jobs.look(*store.store); });
    // Several, so that one meeting that AWS does not answer about holds up nobody else's.
    for (int i = 0; i < kJobWorkers; ++i) {
        regularly("jobs", kJobsEvery, [this] { return do_jobs(*consultations); });
    }
    loops.start();
    // Only a node with a meeting server can be given meetings.
    if (meetings->embedded()) {
        if (auto enrolled = node->enroll(loops.executor(0)); !enrolled) return enrolled;
    }
    accepting = true;
    events->start();
    if (chime_api) chime_api->start();
    return {};
}

core::Result<std::string> token_secret(const Config& config) {
    if (config.jwt_secret) return *config.jwt_secret;
    return kept_secret(path_in(config, "jwt-secret"));
}

core::Result<std::unique_ptr<ServiceProcess>> ServiceProcess::start(const Config& config) {
    // Before the first thread: a time zone is a matter of the whole process.
    auto zone = core::load_time_zone(config.time_zone);
    if (!zone) return std::unexpected(zone.error());
    allow_many_descriptors();
    if (config.needs_data_dir()) {
        if (auto opened = open_data_folder(config.data_dir); !opened) return std::unexpected(opened.error());
    }
    const auto secret = token_secret(config);
    if (!secret) return std::unexpected(secret.error());

    std::unique_ptr<ServiceProcess> process(new ServiceProcess(std::make_unique<Parts>(config)));
    if (auto made = process->parts_->make(*secret, *zone); !made) return std::unexpected(made.error());
    if (auto running = process->parts_->run(); !running) return std::unexpected(running.error());
    core::log::info("service started", {{"address", listening_at(config)},
                                        {"media_port", std::to_string(config.media_port)},
                                        {"store", config.database_url ? "postgres" : "sqlite"},
                                        {"meetings", process->parts_->meetings->describe()},
                                        {"broker", config.broker ? "rabbitmq" : "none"},
                                        {"threads", std::to_string(config.threads)}});
    return process;
}

ServiceProcess::ServiceProcess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ServiceProcess::~ServiceProcess() {
    stop(std::chrono::milliseconds{0});
}

core::Result<std::string> ServiceProcess::demo() {
    auto booked = asio::co_spawn(
        parts_->loops.executor(0),
        book_demo(*parts_->consultations, parts_->neighbours->tokens(), parts_->config.api_url), asio::use_future);
    const auto links = booked.get();
    if (!links) return std::unexpected(links.error());
    return describe(*links);
}

void ServiceProcess::drain(std::chrono::seconds limit, const std::atomic<bool>& hurry) {
    if (parts_->node && !parts_->stopped) parts_->node->drain(limit, hurry);
}

void ServiceProcess::stop(std::chrono::milliseconds limit) {
    auto& parts = *parts_;
    if (std::exchange(parts.stopped, true)) return;
    parts.accepting = false;
    if (parts.http) parts.http->close();
    // Before callers are told to come again: they shall find another node.
    if (parts.tasks && parts.meetings && parts.meetings->embedded()) parts.node->leave(parts.loops.executor(0));
    // Its last words travel over connections that the HTTP server still carries.
    if (parts.meetings) parts.meetings->stop_media();
    if (parts.tasks) parts.tasks->stop(kTaskTime);
    if (parts.http && !parts.http->stop(limit)) core::log::warning("some requests were cut off");
    // What those requests have changed goes out as far as it can; the rest waits in the outbox.
    if (parts.chime_api && !parts.chime_api->stop(limit))
        core::log::warning("some meeting notifications were cut off; they will be sent again");
    if (parts.events && !parts.events->stop(limit))
        core::log::warning("some events were cut off; they will be sent again");
    if (parts.client) parts.client->stop();
    if (parts.meetings) parts.meetings->stop();
    if (parts.store.stop) parts.store.stop();
    parts.loops.stop();
    parts.loops.drop();
}

}  // namespace app
