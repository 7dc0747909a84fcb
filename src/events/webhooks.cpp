#include "events/webhooks.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <map>
#include <utility>

#include "core/log.hpp"

namespace events {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstRetry{200};
constexpr milliseconds kLastRetry{5000};
/// Between two looks at the outbox, however many calls end meanwhile.
constexpr milliseconds kBreath{50};
/// Time for a call and for writing down how it went.
constexpr milliseconds kCallTime{12'000};
constexpr unsigned kGone = 410;

double chance() {
    return core::random_u32() / 4294967296.0;
}

}  // namespace

std::string host_of(std::string_view url) {
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed || parsed->encoded_host().empty()) return "?";
    return std::string(parsed->encoded_host());
}

/// Counts a call as under way for as long as it lives.
class Webhooks::Call {
  public:
    Call(Webhooks& webhooks, std::int64_t id, const std::string& url)
        : webhooks_(webhooks), id_(id), endpoint_(webhooks.endpoints_.at(url)) {
        webhooks_.under_way_.insert(id_);
        ++endpoint_.under_way;
    }
    ~Call() {
        webhooks_.under_way_.erase(id_);
        --endpoint_.under_way;
        webhooks_.pause_.rouse();
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

  private:
    Webhooks& webhooks_;
    std::int64_t id_;
    Endpoint& endpoint_;
};

Webhooks::Webhooks(WebhookSettings settings, service::Outbox& outbox, net::HttpClient& client, const core::Clock& clock,
                   net::TaskGroup& tasks, Pause& pause)
    : settings_(std::move(settings)),
      outbox_(outbox),
      client_(client),
      clock_(clock),
      tasks_(tasks),
      pause_(pause),
      lease_(outbox, "webhooks", settings_.lease_life),
      backoff_(kFirstRetry, kLastRetry) {
    for (const auto& endpoint : settings_.endpoints) endpoints_.try_emplace(endpoint);
}

service::Task<void> Webhooks::run() {
    while (!pause_.ended()) {
        const auto rest = co_await turn();
        if (rest) backoff_.reset();
        co_await pause_.sleep(kBreath);
        co_await pause_.sleep(rest ? *rest : backoff_.next(), rest.has_value());
    }
    if (under_way_.empty()) co_await lease_.release();
}

/// One round; how long to rest after it. An error is the store's.
service::Task<core::Result<milliseconds>> Webhooks::turn() {
    const auto held = co_await lease_.hold();
    if (!held) co_return std::unexpected(held.error());
    if (!*held) co_return settings_.standby_poll;
    if (auto fanned = co_await fan_out(); !fanned) co_return std::unexpected(fanned.error());
    if (auto started = co_await start_due(); !started) co_return std::unexpected(started.error());
    co_return settings_.poll;
}

service::Task<core::Result<void>> Webhooks::fan_out() {
    // What is older would be given up at once.
    const auto since = clock_.now() - settings_.policy.life;
    for (;;) {
        const auto fanned = co_await outbox_.fan_out(settings_.endpoints, since, settings_.batch);
        if (!fanned) co_return std::unexpected(fanned.error());
        if (*fanned < settings_.batch || pause_.ended()) co_return core::Result<void>{};
    }
}

service::Task<core::Result<void>> Webhooks::start_due() {
    const auto now = clock_.now();
    auto due = co_await outbox_.due_deliveries(now, settings_.batch);
    if (!due) co_return std::unexpected(due.error());
    std::vector<service::Delivery> expired, unwanted;
    for (auto& delivery : *due) {
        if (under_way_.contains(delivery.delivery_id)) continue;
        const auto endpoint = endpoints_.find(delivery.endpoint);
        if (endpoint == endpoints_.end()) {
            unwanted.push_back(std::move(delivery));
        } else if (now >= delivery.message.occurred_at + settings_.policy.life) {
            expired.push_back(std::move(delivery));
        } else if (may_start(endpoint->second)) {
            auto call = std::make_unique<Call>(*this, delivery.delivery_id, delivery.endpoint);
            tasks_.spawn("webhook", deliver(std::move(delivery), std::move(call)));
        }
    }
    auto given_up = co_await give_up(std::move(expired), "it could not be reached for too long");
    if (given_up) given_up = co_await give_up(std::move(unwanted), "it is not configured any more");
    co_return given_up;
}

bool Webhooks::may_start(const Endpoint& endpoint) const {
    if (pause_.ended() || steady_clock::now() > lease_.held_until() - kCallTime) return false;
    if (under_way_.size() >= settings_.parallel) return false;
    // One that does not work is tried by one call at a time: it shall not hold up the others.
    const auto share = std::max<std::size_t>(1, settings_.parallel / endpoints_.size());
    return endpoint.under_way < (endpoint.failing ? 1 : share);
}

service::Task<void> Webhooks::deliver(service::Delivery delivery, std::unique_ptr<Call> call) {
    co_await attempt(delivery);
    call.reset();
    if (pause_.ended() && under_way_.empty()) co_await lease_.release();
}

service::Task<void> Webhooks::attempt(const service::Delivery& delivery) {
    const auto response =
        co_await client_.send(webhook_request(delivery.message, delivery.endpoint, settings_.key, clock_.now()));
    if (response && response->status / 100 == 2) {
        ++sent_;
        record(delivery.endpoint, {});
        co_return co_await finish(delivery.delivery_id);
    }
    ++failed_;
    record(delivery.endpoint,
           response ? "an endpoint answers " + std::to_string(response->status) : response.error().detail);
    if (response && response->status == kGone) {
        co_await give_up({delivery}, "it says that it is gone");
    } else {
        co_await postpone(delivery, response ? response->header("retry-after") : std::string_view{});
    }
}

service::Task<void> Webhooks::postpone(const service::Delivery& delivery, std::string_view retry_after_field) {
    const auto now = clock_.now();
    const auto next = next_attempt(settings_.policy, {.failures = delivery.attempts + 1,
                                                      .occurred_at = delivery.message.occurred_at,
                                                      .now = now,
                                                      .retry_after = retry_after(retry_after_field, now),
                                                      .chance = chance()});
    // If the store does not take it, it stays due.
    if (next) {
        co_await outbox_.postpone_delivery(delivery.delivery_id, *next);
    } else {
        co_await give_up({delivery}, "it could not be reached for too long");
    }
}

/// Persists while the lease lasts: what is delivered should not be delivered again.
service::Task<void> Webhooks::finish(std::int64_t delivery_id) {
    Backoff backoff(kFirstRetry, kLastRetry);
    for (;;) {
        const auto finished = co_await outbox_.finish_deliveries({delivery_id});
        if (finished || pause_.ended() || steady_clock::now() > lease_.held_until()) co_return;
        co_await pause_.sleep(backoff.next());
    }
}

service::Task<core::Result<void>> Webhooks::give_up(std::vector<service::Delivery> deliveries, std::string_view why) {
    if (deliveries.empty()) co_return core::Result<void>{};
    std::vector<std::int64_t> ids;
    std::map<std::string, int> hosts;
    for (const auto& delivery : deliveries) {
        ids.push_back(delivery.delivery_id);
        ++hosts[host_of(delivery.endpoint)];
    }
    auto finished = co_await outbox_.finish_deliveries(std::move(ids));
    if (!finished) co_return finished;
    given_up_ += deliveries.size();
    for (const auto& [host, count] : hosts) {
        core::log::warning("webhook given up",
                           {{"host", host}, {"why", std::string(why)}, {"count", std::to_string(count)}});
    }
    co_return finished;
}

void Webhooks::record(const std::string& endpoint, std::string error) {
    auto& state = endpoints_.at(endpoint);
    const bool failing = !error.empty();
    // Before anybody can see that it fails.
    if (failing) {
        const std::scoped_lock lock(mutex_);
        last_error_ = error;
    }
    if (failing != std::exchange(state.failing, failing)) {
        if (failing) {
            ++failing_;
            core::log::warning("webhook does not work", {{"host", host_of(endpoint)}, {"why", error}});
        } else {
            --failing_;
            core::log::info("webhook works again", {{"host", host_of(endpoint)}});
        }
    }
}

std::string Webhooks::last_error() const {
    const std::scoped_lock lock(mutex_);
    return last_error_;
}

}  // namespace events
