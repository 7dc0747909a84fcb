// Brings the outbox's messages to webhooks: each message to each endpoint, in order within a session, at least once, by
// one process at a time. Lives on one event loop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "events/backoff.hpp"
#include "events/lease.hpp"
#include "events/pause.hpp"
#include "events/webhook_call.hpp"
#include "net/http_client.hpp"
#include "net/task_group.hpp"
#include "service/outbox.hpp"
#include "service/task.hpp"

namespace events {

struct WebhookSettings {
    std::vector<std::string> endpoints;  ///< URLs.
    core::Bytes key;                     ///< See `webhook_key`.
    std::size_t parallel = 16;           ///< Calls at a time, shared out evenly among the endpoints.
    int batch = 500;
    WebhookPolicy policy;
    std::chrono::milliseconds poll{500};
    std::chrono::milliseconds lease_life{30'000};
    std::chrono::milliseconds standby_poll{2000};  ///< While another process has the lease.
};

class Webhooks {
  public:
    /// All references must outlive the coroutines; `tasks` is of the same loop, `pause` nobody else's.
    Webhooks(WebhookSettings settings, service::Outbox& outbox, net::HttpClient& client, const core::Clock& clock,
             net::TaskGroup& tasks, Pause& pause);

    /// Until the pause ends; then the calls under way are brought to their end first.
    service::Task<void> run();

    /// Any thread: messages delivered, attempts that failed, and messages that an endpoint will never get.
    std::uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }
    std::uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }
    std::uint64_t given_up() const { return given_up_.load(std::memory_order_relaxed); }
    std::string last_error() const;
    /// The latest call of every endpoint has worked, or none was made yet.
    bool healthy() const { return failing_.load(std::memory_order_relaxed) == 0; }

  private:
    struct Endpoint {
        std::size_t under_way = 0;
        bool failing = false;
    };
    class Call;

    service::Task<core::Result<std::chrono::milliseconds>> turn();
    service::Task<core::Result<void>> fan_out();
    service::Task<core::Result<void>> start_due();
    bool may_start(const Endpoint& endpoint) const;
    service::Task<void> deliver(service::Delivery delivery, std::unique_ptr<Call> call);
    service::Task<void> attempt(const service::Delivery& delivery);
    service::Task<void> postpone(const service::Delivery& delivery, std::string_view retry_after);
    service::Task<void> finish(std::int64_t delivery_id);
    service::Task<core::Result<void>> give_up(std::vector<service::Delivery> deliveries, std::string_view why);
    void record(const std::string& endpoint, std::string error);

    const WebhookSettings settings_;
    service::Outbox& outbox_;
    net::HttpClient& client_;
    const core::Clock& clock_;
    net::TaskGroup& tasks_;
    Pause& pause_;
    Lease lease_;
    Backoff backoff_;
    std::unordered_map<std::string, Endpoint> endpoints_;
    std::set<std::int64_t> under_way_;

    std::atomic<std::uint64_t> sent_{0}, failed_{0}, given_up_{0};
    std::atomic<std::size_t> failing_{0};
    mutable std::mutex mutex_;
    std::string last_error_;
};

/// For the log: `hooks.example.org` of `https://user@hooks.example.org:8443/x?token=…`; `?` when there is none.
std::string host_of(std::string_view url);

}  // namespace events
