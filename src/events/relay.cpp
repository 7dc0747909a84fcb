#include "events/relay.hpp"

#include <memory>
#include <utility>

#include "core/log.hpp"
#include "events/envelope.hpp"

namespace events {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kFirstRetry{200};
constexpr milliseconds kLastRetry{5000};

/// A span for each message of a batch that is part of a trace, until the broker has confirmed it.
class Spans {
  public:
    explicit Spans(std::size_t count) : spans_(core::trace::is_on() ? count : 0) {}

    /// The message travels on as a child of its span.
    void begin(std::size_t number, Outgoing& message) {
        if (number >= spans_.size() || !message.trace.sampled) return;
        auto& span = spans_[number];
        span = std::make_unique<core::trace::Work>(message.trace, "publish", core::trace::Kind::producer);
        span->note("messaging.system", "rabbitmq");
        span->fail();
        message.trace = span->context();
    }
    void end(std::size_t number, bool confirmed) {
        if (number >= spans_.size() || !spans_[number]) return;
        spans_[number]->fail(!confirmed);
        spans_[number].reset();
    }

  private:
    std::vector<std::unique_ptr<core::trace::Work>> spans_;
};

}  // namespace

Relay::Relay(RelaySettings settings, service::Outbox& outbox, Publisher& publisher, Pause& pause)
    : settings_(std::move(settings)),
      outbox_(outbox),
      publisher_(publisher),
      pause_(pause),
      lease_(outbox, "relay", settings_.lease_life),
      backoff_(kFirstRetry, kLastRetry) {}

service::Task<void> Relay::run() {
    while (!pause_.ended()) {
        const auto rest = co_await turn();
        if (std::exchange(store_away_, !rest) != store_away_ && !rest) {
            core::log::warning("events wait for the database", {{"why", rest.error().detail}});
        }
        if (rest) backoff_.reset();
        const auto wait = rest ? *rest : backoff_.next();
        if (wait.count() > 0) co_await pause_.sleep(wait);
    }
    co_await lease_.release();
}

/// One round; how long to rest after it. An error is the store's.
service::Task<core::Result<milliseconds>> Relay::turn() {
    if (!publisher_.ready()) {
        // Another process may have a way to the broker.
        co_await lease_.release();
        co_return settings_.poll;
    }
    if (auto marked = co_await mark(); !marked) co_return std::unexpected(marked.error());
    const auto held = co_await lease_.hold();
    if (!held) co_return std::unexpected(held.error());
    if (!*held) co_return settings_.standby_poll;
    co_return co_await send_batch();
}

/// The last moment at which something may be sent under the lease: there must be time left to write down what arrived.
steady_clock::time_point Relay::deadline() const {
    return lease_.held_until() - settings_.lease_life / 5;
}

service::Task<core::Result<milliseconds>> Relay::send_batch() {
    const auto messages = co_await outbox_.unpublished(settings_.batch);
    if (!messages) co_return std::unexpected(messages.error());
    if (messages->empty()) co_return settings_.poll;
    std::vector<Outgoing> batch;
    batch.reserve(messages->size());
    Spans spans(messages->size());
    for (std::size_t i = 0; i < messages->size(); ++i) {
        batch.push_back(envelope((*messages)[i], settings_.exchange));
        spans.begin(i, batch.back());
    }
    const auto confirmed = co_await publisher_.publish(std::move(batch), deadline());
    if (!confirmed) {
        failed_ += messages->size();
        co_return settings_.poll;
    }
    for (std::size_t i = 0; i < messages->size(); ++i) {
        if ((*confirmed)[i]) unmarked_.push_back((*messages)[i].sequence);
        spans.end(i, (*confirmed)[i]);
    }
    const bool all = unmarked_.size() == messages->size();
    sent_ += unmarked_.size();
    failed_ += messages->size() - unmarked_.size();
    if (auto marked = co_await mark(); !marked) co_return std::unexpected(marked.error());
    co_return all && messages->size() >= static_cast<std::size_t>(settings_.batch) ? milliseconds{0} : settings_.poll;
}

/// As long as this fails nothing else is sent, or it would be sent twice.
service::Task<core::Result<void>> Relay::mark() {
    if (unmarked_.empty()) co_return core::Result<void>{};
    auto marked = co_await outbox_.mark_published(unmarked_);
    if (marked) unmarked_.clear();
    co_return marked;
}

}  // namespace events
