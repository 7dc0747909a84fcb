#include "events/events.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <stdexcept>
#include <utility>

#include "events/consumer.hpp"
#include "events/pause.hpp"
#include "events/publisher.hpp"
#include "events/relay.hpp"
#include "events/request_handler.hpp"
#include "events/upkeep.hpp"
#include "events/webhooks.hpp"
#include "net/task_group.hpp"

namespace events {
namespace {

namespace asio = boost::asio;
using service::Vitals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

core::Bytes key_for(const EventsSettings& settings) {
    auto key = webhook_key(settings.webhook_secret);
    if (!key) throw std::invalid_argument("webhooks need a secret: whsec_ and base64, or any text");
    return std::move(*key);
}

RequestTarget target_of(service::PlatformRequests& requests) {
    return {
        .create = [&requests](service::RequestedSession request) { return requests.create(std::move(request)); },
        .start = [&requests](service::RequestedStart request) { return requests.start(std::move(request)); },
        .end = [&requests](service::RequestedEnd request) { return requests.end(std::move(request)); },
        .creation_failed =
            [&requests](std::string appointment_id, std::string why, std::string request_id) {
                return requests.creation_failed(std::move(appointment_id), std::move(why), std::move(request_id));
            },
    };
}

LocalToUtc zone_of(EventsSettings& settings) {
    if (settings.zone) return std::move(settings.zone);
    return
        [](std::chrono::local_time<std::chrono::microseconds> local) { return core::Time{local.time_since_epoch()}; };
}

UpkeepSettings upkeep_for(const EventsSettings& settings) {
    UpkeepSettings upkeep;
    upkeep.retention = settings.outbox_retention;
    upkeep.keep_unpublished = settings.broker.has_value();
    upkeep.webhooks = !settings.webhook_urls.empty();
    return upkeep;
}

}  // namespace

class Events::Parts {
  public:
    Parts(EventsSettings settings, service::Outbox& outbox, service::PlatformRequests& requests,
          net::HttpClient& client, const core::Clock& clock, asio::any_io_executor executor)
        : clock_(clock),
          executor_(std::move(executor)),
          tasks_(std::make_shared<net::TaskGroup>(executor_)),
          upkeep_(upkeep_for(settings), outbox, clock, pause_),
          handler_({.zone = zone_of(settings)}, target_of(requests), pause_) {
        if (!settings.webhook_urls.empty()) {
            WebhookSettings webhook_settings;
            webhook_settings.endpoints = settings.webhook_urls;
            webhook_settings.key = key_for(settings);
            webhooks_.emplace(std::move(webhook_settings), outbox, client, clock, *tasks_, webhook_pause_);
        }
        if (!settings.broker) return;
        RelaySettings relay_settings;
        relay_settings.exchange = settings.broker->exchange;
        publisher_.emplace(*settings.broker);
        relay_.emplace(std::move(relay_settings), outbox, *publisher_, pause_);
        consumer_.emplace(std::move(*settings.broker), handler_, *tasks_, clock, executor_);
    }

    void start() {
        started_ = true;
        asio::post(executor_, [this] {
            tasks_->spawn("outbox count", upkeep_.count());
            tasks_->spawn("outbox pruning", upkeep_.prune());
            if (relay_) tasks_->spawn("relay", relay_->run());
            if (webhooks_) tasks_->spawn("webhooks", webhooks_->run());
        });
        if (publisher_) publisher_->start();
        if (consumer_) consumer_->start();
    }

    bool stop(milliseconds limit) {
        if (!std::exchange(started_, false)) return true;
        const auto end = steady_clock::now() + limit;
        const auto left = [end] {
            return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(end - steady_clock::now()));
        };
        // First they are asked to come to an end, with the publisher still there; a part of the time is for the rest.
        asio::post(executor_, [this] {
            pause_.end();
            webhook_pause_.end();
        });
        if (consumer_) consumer_->stop(left() / 2);
        join(left() / 2);
        if (publisher_) publisher_->stop();
        return tasks_->stop(std::max(left(), kCancelTime));
    }

    Vitals::Relay broker() const {
        Vitals::Relay vitals = relay_vitals(upkeep_.broker());
        if (!relay_) return vitals;
        vitals.link = publisher_->ready() ? Vitals::Link::healthy : Vitals::Link::disconnected;
        vitals.sent = relay_->sent();
        vitals.failed = relay_->failed();
        vitals.last_error = publisher_->last_error();
        return vitals;
    }

    Vitals::Relay webhooks() const {
        Vitals::Relay vitals = relay_vitals(upkeep_.webhooks());
        if (!webhooks_) return vitals;
        vitals.link = webhooks_->healthy() ? Vitals::Link::healthy : Vitals::Link::disconnected;
        vitals.sent = webhooks_->sent();
        vitals.failed = webhooks_->failed();
        vitals.last_error = webhooks_->last_error();
        return vitals;
    }

    Vitals::Consumer consumer() const { return consumer_ ? consumer_->vitals() : Vitals::Consumer{}; }

  private:
    /// Cancelled coroutines end at once, but the loop must come to them.
    static constexpr milliseconds kCancelTime{200};

    Vitals::Relay relay_vitals(const service::Backlog& backlog) const {
        Vitals::Relay vitals;
        vitals.waiting = backlog.waiting;
        if (backlog.oldest) {
            vitals.oldest_seconds =
                std::max(0.0, std::chrono::duration<double>(clock_.now() - *backlog.oldest).count());
        }
        return vitals;
    }

    /// Waits until the coroutines have ended by themselves.
    void join(milliseconds limit) {
        // The group, not this, goes along: the wait may outlive the call.
        asio::co_spawn(
            executor_,
            [](std::shared_ptr<net::TaskGroup> tasks) -> asio::awaitable<void> { co_await tasks->join(); }(tasks_),
            asio::use_future)
            .wait_for(limit);
    }

    const core::Clock& clock_;
    const asio::any_io_executor executor_;
    Pause pause_, webhook_pause_;
    const std::shared_ptr<net::TaskGroup> tasks_;
    Upkeep upkeep_;
    RequestHandler handler_;
    std::optional<Webhooks> webhooks_;
    std::optional<Publisher> publisher_;
    std::optional<Relay> relay_;
    std::optional<Consumer> consumer_;
    bool started_ = false;
};

Events::Events(EventsSettings settings, service::Outbox& outbox, service::PlatformRequests& requests,
               net::HttpClient& client, const core::Clock& clock, asio::any_io_executor executor)
    : parts_(std::make_unique<Parts>(std::move(settings), outbox, requests, client, clock, std::move(executor))) {}

Events::~Events() {
    stop(milliseconds{0});
}

void Events::start() {
    parts_->start();
}

bool Events::stop(milliseconds limit) {
    return parts_->stop(limit);
}

Vitals::Relay Events::broker() const {
    return parts_->broker();
}

Vitals::Relay Events::webhooks() const {
    return parts_->webhooks();
}

Vitals::Consumer Events::consumer() const {
    return parts_->consumer();
}

}  // namespace events
