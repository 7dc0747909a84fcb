#include "app/service_process.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "api/site.hpp"
#include "app/access_parts.hpp"
#include "app/audit_parts.hpp"
#include "app/chime_api_parts.hpp"
#include "app/data_folder.hpp"
#include "app/demo.hpp"
#include "app/keys.hpp"
#include "app/meetings_parts.hpp"
#include "app/neighbours_parts.hpp"
#include "app/network_parts.hpp"
#include "app/node_parts.hpp"
#include "app/observability_parts.hpp"
#include "app/open_store.hpp"
#include "app/privacy_parts.hpp"
#include "app/supervisor.hpp"
#include "core/bytes.hpp"
#include "core/log.hpp"
#include "core/time_zone.hpp"
#include "directory/guest_tokens.hpp"
#include "events/events.hpp"
#include "meetings/chime/media_regions.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/loop_watch.hpp"
#include "net/task_group.hpp"
#include "service/metering.hpp"
#include "service/patient_export.hpp"
#include "service/platform_requests.hpp"
#include "service/session_watch.hpp"

namespace app {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kSweepEvery{5};
constexpr std::chrono::seconds kReportEvery{15};
constexpr std::chrono::milliseconds kJobsEvery{1000};
/// How soon those who look on learn of what other processes have changed.
constexpr std::chrono::milliseconds kWatchEvery{400};
constexpr std::chrono::milliseconds kChainEvery{1000};
constexpr std::chrono::milliseconds kOrdersEvery{300};
constexpr int kJobWorkers = 4;
constexpr unsigned kSwitchingProtocols = 101;
constexpr std::chrono::seconds kKeysEvery{5};
constexpr std::chrono::seconds kRetentionEvery{15};
constexpr std::chrono::seconds kTaskTime{2};
constexpr std::chrono::seconds kLastSteps{1};

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

service::Vitals::Connections connection_vitals(const net::HttpServer& server, const net::TlsIdentity* tls) {
    const auto counters = server.counters();
    service::Vitals::Connections vitals;
    vitals.open = counters.connections;
    vitals.websockets = counters.websockets;
    vitals.streams = counters.streams;
    vitals.accepted = counters.accepted;
    vitals.turned_away = counters.turned_away;
    vitals.tls_handshakes = counters.tls_handshakes;
    vitals.failed_tls_handshakes = counters.failed_tls_handshakes;
    vitals.tls = tls != nullptr;
    if (tls) vitals.certificate_until = std::chrono::duration<double>(tls->valid_until().time_since_epoch()).count();
    return vitals;
}

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
    std::unique_ptr<AuditParts> audit;
    std::unique_ptr<PrivacyParts> privacy;
    std::unique_ptr<net::HttpClient> client;
    std::unique_ptr<net::HttpClient> outside;  ///< Of webhooks and other URLs that shall not reach into the network.
    std::unique_ptr<ObservabilityParts> observability;
    std::unique_ptr<NeighboursParts> neighbours;
    std::unique_ptr<directory::GuestTokens> tokens;  ///< Of guests, and through them all others.
    std::unique_ptr<AccessParts> access;
    std::unique_ptr<service::Metering> metering;
    std::unique_ptr<NodeParts> node;
    std::unique_ptr<MeetingsParts> meetings;
    std::unique_ptr<service::SessionWatch> watch;
    std::unique_ptr<service::WatchedStore> watched;
    std::unique_ptr<service::Consents> consents;  ///< Null: patients are asked for nothing.
    std::unique_ptr<service::Consultations> consultations;
    std::unique_ptr<service::PatientExport> patient_export;
    std::unique_ptr<ChimeApiParts> chime_api;  ///< Null: not wanted.
    std::unique_ptr<service::PlatformRequests> requests;
    std::unique_ptr<events::Events> events;
    std::shared_ptr<net::TlsIdentity> tls;  ///< Null: plain HTTP.
    std::unique_ptr<net::HttpServer> http;
    std::unique_ptr<net::TaskGroup> tasks;
    std::unique_ptr<net::LoopWatch> loop_watch;
    JobBacklog jobs;

    core::Result<> make(const std::string& secret, const core::ZoneResolver& zone);
    void make_events(const core::ZoneResolver& zone);
    core::Result<> listen(const core::ZoneResolver& zone);
    api::SiteSettings site_settings(const core::ZoneResolver& zone);
    service::Vitals vitals() const;
    service::Vitals figures() const;
    core::Result<> run();
};

core::Result<> ServiceProcess::Parts::make(const std::string& secret, const core::ZoneResolver& zone) {
    const auto keys = audit_keys(config.audit, secret);
    auto opened = open_store(config, keys);
    if (!opened) return std::unexpected(opened.error());
    store = std::move(*opened);
    audit = std::make_unique<AuditParts>(keys, *store.audit, *store.store);
    const auto ring = seal_store(store, config, secret, clock);
    if (!ring) return std::unexpected(ring.error());
    privacy = std::make_unique<PrivacyParts>(config.privacy, store, **ring, clock);
    net::HttpClientSettings outgoing;
    outgoing.user_agent = "video-consultation/" + config.version;
    client = std::make_unique<net::HttpClient>(outgoing);
    outgoing.thread_name = "http-outside";
    outgoing.public_and = config.outgoing_allow;
    outside = std::make_unique<net::HttpClient>(std::move(outgoing));
    observability = std::make_unique<ObservabilityParts>(config, *store.insight, *client, clock);
    auto known = NeighboursParts::make(config, secret, *client, *outside, clock, zone, loops.executor(0));
    if (!known) return std::unexpected(known.error());
    neighbours = std::move(*known);
    tokens = std::make_unique<directory::GuestTokens>(derived_secret(secret, "guests"), neighbours->tokens(), clock);

    access =
        std::make_unique<AccessParts>(config.access, derived_secret(secret, "rates"), store.rates, loops.executor(0));
    metering = std::make_unique<service::Metering>(
        service::MeteringSettings{.free_tier_minutes = config.free_tier_minutes}, *store.store, clock);
    const auto meeting_secret = derived_secret(secret, "meetings");
    node = std::make_unique<NodeParts>(config, meeting_secret, *store.nodes);
    auto made = MeetingsParts::make(config, meeting_secret, node->nodes(), *client, *metering, clock);
    if (!made) return std::unexpected(made.error());
    meetings = std::move(*made);

    watch = std::make_unique<service::SessionWatch>(*store.bookings,
                                                    service::SessionWatch::Limits{.all = config.booking.max_streams});
    watched = std::make_unique<service::WatchedStore>(*store.store, *watch);
    if (config.booking.consent) {
        consents = std::make_unique<service::Consents>(*config.booking.consent, *store.bookings, clock);
    }
    service::ConsultationsSettings settings;
    settings.prevent_overlap = config.booking.prevent_overlap;
    settings.consents = consents.get();
    settings.abandoned_after = config.abandoned_after;
    settings.no_show_grace = config.no_show_grace;
    settings.join_timeout = config.join_timeout;
    settings.meeting_url_base = config.api_url;
    settings.waiting_room = config.lobby.waiting_room;
    settings.max_attendees = config.lobby.max_attendees;
    settings.invitation_life = config.lobby.invitation_life;
    settings.guest_passes = tokens.get();
    settings.admin_access = config.audit.admin_access;
    settings.appointments = config.verify_appointments ? neighbours->appointments() : nullptr;
    consultations =
        std::make_unique<service::Consultations>(std::move(settings), *watched, meetings->provider(), clock);
    patient_export =
        std::make_unique<service::PatientExport>(*store.store, *store.archive, consultations->trail(), clock);
    std::vector<service::MeetingOwner*> owners{consultations.get()};
    if (meetings->embedded()) {
        chime_api = ChimeApiParts::make(config, store, *meetings->embedded(), *outside, clock, loops.executor(0));
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
    events = std::make_unique<events::Events>(std::move(settings), *store.store, *requests, *outside, clock,
                                              loops.executor(0));
}

service::Vitals ServiceProcess::Parts::vitals() const {
    service::Vitals vitals;
    vitals.broker = events->broker();
    vitals.webhooks = events->webhooks();
    vitals.consumer = events->consumer();
    vitals.chime = meetings->vitals();
    vitals.nodes = node->nodes().vitals();
    vitals.loops = {loops.size(), loop_watch ? loop_watch->hanging() : 0, loop_watch ? loop_watch->lag().count() : 0};
    audit->add_to(vitals);
    jobs.add_to(vitals, clock.now());
    return vitals;
}

/// And what only /metrics tells, some of which costs more to find out.
service::Vitals ServiceProcess::Parts::figures() const {
    auto all = vitals();
    observability->add_to(all);
    all.media = meetings->media_vitals();
    all.free_tier = {metering->free_tier_minutes(), meetings->has_chime() ? metering->used_minutes() : -1};
    all.break_glass = consultations->trail().broken();
    all.rate_refusals = access->refusals();
    all.connections = connection_vitals(*http, tls.get());
    return all;
}

api::SiteSettings ServiceProcess::Parts::site_settings(const core::ZoneResolver& zone) {
    api::SiteSettings site;
    site.app_name = config.app_name;
    site.version = config.version;
    site.time_zone = zone;
    site.public_url = config.node.url;
    site.page_url = config.public_url;
    site.many_nodes = config.node.has_own_url;
    site.debug = config.debug;
    site.vitals = [this] { return vitals(); };
    site.figures = [this] { return figures(); };
    site.requests = &observability->requests();
    site.metrics_token = config.observability.metrics_token;
    site.names = neighbours->names();
    site.issuer = neighbours->issuer();
    site.refresh_grace = config.refresh_grace;
    site.token_life = config.token_life;
    site.chime_events_secret = config.chime_events_secret;
    site.appointments_fill_in = config.verify_appointments;
    site.media_regions = config.media_regions.empty() ? media_regions_of(config.aws.region) : config.media_regions;
    site.cors = cors_settings(config.access);
    site.limits = access->limits();
    site.watch = watch.get();
    site.consents = consents.get();
    site.exports = patient_export.get();
    site.accepting = [this] { return accepting.load(std::memory_order_relaxed); };
    return site;
}

core::Result<> ServiceProcess::Parts::listen(const core::ZoneResolver& zone) {
    auto handler = api::make_site(site_settings(zone), *consultations, *metering, *tokens);
    if (chime_api) handler = chime_api->before(std::move(handler));
    auto upgrade =
        [this, handler](const net::Request& request) -> asio::awaitable<std::variant<net::Response, net::Upgrade>> {
        if (meetings->embedded() && meetings::embedded::EmbeddedMeetings::is_signalling(request.path())) {
            api::RequestWatch::Seen seen(observability->requests(), request);
            seen.is(api::RequestWatch::Other::signalling);
            auto decision = co_await meetings->embedded()->upgrade(request);
            const auto* answer = std::get_if<net::Response>(&decision);
            seen.answered(answer ? answer->status : kSwitchingProtocols);
            co_return decision;
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
        settings.tls = tls = std::move(*identity);
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
    regularly("audit chain", kChainEvery, [this] { return audit->chain(); });
    regularly("sweep", kSweepEvery, [this] { return done(consultations->sweep()); });
    regularly("streams", kWatchEvery, [this] { return watch->look(); });
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
    regularly("data keys", kKeysEvery, [this] { return privacy->ring().refresh(); });
    regularly("retention", kRetentionEvery, [this] { return done(privacy->retention().run()); });
    // Several, so that one meeting that AWS does not answer about holds up nobody else's.
    for (int i = 0; i < kJobWorkers; ++i) {
        regularly("jobs", kJobsEvery, [this] { return do_jobs(*consultations); });
    }
    access->start(*tasks);
    regularly("census", ObservabilityParts::kCensusEvery, [this] { return observability->look(); });
    observability->start(*tasks);
    loops.start();
    loop_watch = std::make_unique<net::LoopWatch>(net::LoopWatchSettings{}, loops, [](bool well) {
        if (well) tell_supervisor("WATCHDOG=1");
    });
    loop_watch->start();
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
    stop(std::chrono::steady_clock::now());
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

void ServiceProcess::stop(std::chrono::steady_clock::time_point deadline) {
    // The last second belongs to what cannot be hurried: closing the database, joining threads.
    const auto left = [&](std::chrono::milliseconds most = std::chrono::hours{1}) {
        const auto time = std::chrono::floor<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        return std::clamp(time - kLastSteps, std::chrono::milliseconds{0}, most);
    };
    auto& parts = *parts_;
    if (std::exchange(parts.stopped, true)) return;
    parts.accepting = false;
    if (parts.loop_watch) parts.loop_watch->stop();
    if (parts.http) parts.http->close();
    // Before callers are told to come again: they shall find another node.
    if (parts.tasks && parts.meetings && parts.meetings->embedded()) parts.node->leave(parts.loops.executor(0));
    // Its last words travel over connections that the HTTP server still carries.
    if (parts.meetings) parts.meetings->stop_media();
    if (parts.tasks) parts.tasks->stop(left(kTaskTime));
    if (parts.http && !parts.http->stop(left())) core::log::warning("some requests were cut off");
    // What those requests have changed goes out as far as it can; the rest waits in the outbox.
    if (parts.chime_api && !parts.chime_api->stop(left()))
        core::log::warning("some meeting notifications were cut off; they will be sent again");
    if (parts.events && !parts.events->stop(left()))
        core::log::warning("some events were cut off; they will be sent again");
    if (parts.observability) parts.observability->stop(parts.loops.executor(0), left(kTaskTime));
    if (parts.client) parts.client->stop();
    if (parts.outside) parts.outside->stop();
    if (parts.meetings) parts.meetings->stop();
    if (parts.audit && parts.tasks) parts.audit->finish(parts.loops.executor(0), left(kTaskTime));
    if (parts.store.stop) parts.store.stop();
    parts.loops.stop();
    parts.loops.drop();
}

}  // namespace app
