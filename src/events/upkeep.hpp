// Looks after the outbox itself: how much waits in it, and that it does not grow for ever. Lives on one event loop.
#pragma once

#include <chrono>
#include <mutex>

#include "core/time.hpp"
#include "events/pause.hpp"
#include "service/outbox.hpp"
#include "service/task.hpp"

namespace events {

struct UpkeepSettings {
    std::chrono::seconds retention{std::chrono::hours(24 * 7)};
    /// Messages that the broker has not confirmed are kept beyond the retention. Without a broker there is nobody to
    /// keep them for.
    bool keep_unpublished = false;
    bool webhooks = false;  ///< Whether to look at what waits for them.
    std::chrono::milliseconds count_every{3000};
    std::chrono::milliseconds prune_every{60'000};
    int chunk = 1000;  ///< Messages removed at a time.
};

class Upkeep {
  public:
    /// All references must outlive the coroutines.
    Upkeep(UpkeepSettings settings, service::Outbox& outbox, const core::Clock& clock, Pause& pause);

    /// Each until the pause ends.
    service::Task<void> count();
    service::Task<void> prune();

    /// The latest figures; nothing before the first. Any thread.
    service::Backlog broker() const;
    service::Backlog webhooks() const;

  private:
    service::Task<void> look(service::Channel channel, service::Backlog& into);
    service::Task<void> prune_once();

    const UpkeepSettings settings_;
    service::Outbox& outbox_;
    const core::Clock& clock_;
    Pause& pause_;
    mutable std::mutex mutex_;
    service::Backlog broker_, webhooks_;
};

}  // namespace events
