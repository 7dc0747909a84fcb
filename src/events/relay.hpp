// Brings the outbox's messages to the broker: in order, at least once, by one process at a time.
// Lives on one event loop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "events/backoff.hpp"
#include "events/lease.hpp"
#include "events/pause.hpp"
#include "events/publisher.hpp"
#include "service/outbox.hpp"
#include "service/task.hpp"

namespace events {

struct RelaySettings {
    std::string exchange;
    int batch = 500;
    std::chrono::milliseconds poll{200};  ///< While there is nothing to send.
    std::chrono::milliseconds lease_life{10'000};
    std::chrono::milliseconds standby_poll{1000};  ///< While another process has the lease.
};

class Relay {
  public:
    /// All references must outlive `run`.
    Relay(RelaySettings settings, service::Outbox& outbox, Publisher& publisher, Pause& pause);

    /// Until the pause ends; then the batch under way is brought to its end first.
    service::Task<void> run();

    /// Messages that the broker has confirmed, and attempts that it has not. Any thread.
    std::uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }
    std::uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }

  private:
    service::Task<core::Result<std::chrono::milliseconds>> turn();
    service::Task<core::Result<std::chrono::milliseconds>> send_batch();
    service::Task<core::Result<void>> mark();
    std::chrono::steady_clock::time_point deadline() const;

    const RelaySettings settings_;
    service::Outbox& outbox_;
    Publisher& publisher_;
    Pause& pause_;
    Lease lease_;
    Backoff backoff_;
    std::vector<std::int64_t> unmarked_;  ///< Confirmed, but the store does not know yet.
    std::atomic<std::uint64_t> sent_{0}, failed_{0};
    bool store_away_ = false;
};

}  // namespace events
