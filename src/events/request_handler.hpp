// Does what one message asks for, however long the store is away: tries again until it is done, can never be done, or
// nobody waits any more. Coroutines of one event loop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/trace.hpp"
#include "events/pause.hpp"
#include "events/requests.hpp"
#include "events/waker.hpp"
#include "service/platform_requests.hpp"
#include "service/task.hpp"

namespace events {

/// Where requests go: service::PlatformRequests, which says what the errors mean.
struct RequestTarget {
    std::function<service::Task<core::Result<void>>(service::RequestedSession)> create;
    std::function<service::Task<core::Result<void>>(service::RequestedStart)> start;
    std::function<service::Task<core::Result<void>>(service::RequestedEnd)> end;
    std::function<service::Task<core::Result<void>>(std::string appointment_id, std::string why,
                                                    std::string request_id)>
        creation_failed;
};

/// What is to become of a message.
struct Outcome {
    enum class Kind { done, park, abandoned };
    Kind kind = Kind::abandoned;
    std::string reason;  ///< For `park`.
};

/// One message between the thread that took it from the broker and the loop that works on it. Shared by the two.
class Handling {
  public:
    /// `trace`: of the message.
    Handling(std::string body, std::shared_ptr<Waker> waker, core::trace::Context trace = {})
        : body_(std::move(body)), trace_(std::move(trace)), waker_(std::move(waker)) {}

    const std::string& body() const { return body_; }
    const core::trace::Context& trace() const { return trace_; }

    /// Nobody waits for it any more: the broker will hand it over again. Any thread.
    void abandon() { abandoned_.store(true, std::memory_order_relaxed); }
    bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }

    /// Called once; wakes the thread.
    void finish(Outcome outcome) {
        {
            const std::scoped_lock lock(mutex_);
            outcome_ = std::move(outcome);
        }
        waker_->wake();
    }
    /// What `finish` was told. Any thread.
    std::optional<Outcome> outcome() const {
        const std::scoped_lock lock(mutex_);
        return outcome_;
    }

  private:
    const std::string body_;
    const core::trace::Context trace_;
    const std::shared_ptr<Waker> waker_;
    std::atomic<bool> abandoned_{false};
    mutable std::mutex mutex_;
    std::optional<Outcome> outcome_;
};

struct RequestHandlerSettings {
    LocalToUtc zone;
    std::chrono::milliseconds first_retry{200};
    std::chrono::milliseconds last_retry{5000};
};

class RequestHandler {
  public:
    RequestHandler(RequestHandlerSettings settings, RequestTarget target, Pause& pause);

    /// Ends by `finish`, also when it is cancelled.
    service::Task<void> handle(std::shared_ptr<Handling> handling);

    /// How often something was tried again. Any thread.
    std::uint64_t retried() const { return retried_.load(std::memory_order_relaxed); }

  private:
    using Attempt = std::function<service::Task<core::Result<void>>()>;

    service::Task<Outcome> work(std::shared_ptr<Handling> handling);
    service::Task<std::optional<core::Result<void>>> persist(std::shared_ptr<Handling> handling, Attempt attempt);
    Attempt attempt_of(const Request& request) const;

    const RequestHandlerSettings settings_;
    const RequestTarget target_;
    Pause& pause_;
    std::atomic<std::uint64_t> retried_{0};
};

}  // namespace events
