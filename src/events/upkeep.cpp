#include "events/upkeep.hpp"

#include <string>

#include "core/log.hpp"

namespace events {

Upkeep::Upkeep(UpkeepSettings settings, service::Outbox& outbox, const core::Clock& clock, Pause& pause)
    : settings_(settings), outbox_(outbox), clock_(clock), pause_(pause) {}

service::Task<void> Upkeep::count() {
    while (!pause_.ended()) {
        co_await look(service::Channel::broker, broker_);
        if (settings_.webhooks) co_await look(service::Channel::webhooks, webhooks_);
        co_await pause_.sleep(settings_.count_every);
    }
}

service::Task<void> Upkeep::look(service::Channel channel, service::Backlog& into) {
    const auto backlog = co_await outbox_.backlog(channel);
    // Old figures are better than none while the store is away.
    if (!backlog) co_return;
    const std::scoped_lock lock(mutex_);
    into = *backlog;
}

service::Task<void> Upkeep::prune() {
    while (!pause_.ended()) {
        co_await prune_once();
        co_await pause_.sleep(settings_.prune_every);
    }
}

service::Task<void> Upkeep::prune_once() {
    const auto before = clock_.now() - settings_.retention;
    std::int64_t removed = 0;
    while (!pause_.ended()) {
        const auto pruned = co_await outbox_.prune_outbox(before, settings_.keep_unpublished, settings_.chunk);
        removed += pruned.value_or(0);
        if (pruned.value_or(0) < settings_.chunk) break;
    }
    if (removed > 0) core::log::info("old events removed", {{"count", std::to_string(removed)}});
}

service::Backlog Upkeep::broker() const {
    const std::scoped_lock lock(mutex_);
    return broker_;
}

service::Backlog Upkeep::webhooks() const {
    const std::scoped_lock lock(mutex_);
    return webhooks_;
}

}  // namespace events
