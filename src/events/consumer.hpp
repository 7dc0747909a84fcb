// Takes the platform's requests from the broker, one after the other, and acknowledges each when its effect is in the
// store. What can never work is parked with the reason. A thread of its own keeps the connection; the work is done on
// an event loop. Whatever breaks, an unfinished message comes again, so requests must be idempotent.
//
// Start, stop and destroy on a thread that is not the loop's.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/result.hpp"
#include "core/time.hpp"
#include "events/broker_link.hpp"
#include "events/broker_settings.hpp"
#include "events/request_handler.hpp"
#include "net/loop_guard.hpp"
#include "net/task_group.hpp"
#include "service/vitals.hpp"

namespace events {

class Consumer {
  public:
    /// `handler` and `tasks` live on the loop of `executor`; all references must outlive the consumer.
    Consumer(BrokerSettings settings, RequestHandler& handler, net::TaskGroup& tasks, const core::Clock& clock,
             boost::asio::any_io_executor executor);
    /// `stop` without patience.
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    void start();
    /// Takes no more; waits at most `limit` for the request at hand (end the handler's pause before, so that it does
    /// not wait for a store that is away), takes leave of the broker and ends the thread. Twice is fine.
    void stop(std::chrono::milliseconds limit);

    /// Any thread.
    service::Vitals::Consumer vitals() const;

  private:
    /// The request at hand.
    struct Current {
        std::shared_ptr<Handling> handling;
        Delivery delivery;
        std::uint64_t parking_tag = 0;  ///< Under way to the queue of parked ones; 0 = not.
    };

    void run();
    core::Result<void> serve();
    core::Result<void> advance();
    core::Result<void> conclude(const Outcome& outcome);
    core::Result<void> settle();
    void begin(Delivery delivery);
    void rest(std::chrono::milliseconds duration);
    void note(const core::Error& error);
    bool stopping() const { return stopping_.load(); }

    const std::shared_ptr<Waker> waker_;
    const std::chrono::milliseconds turn_;
    BrokerLink link_;
    RequestHandler& handler_;
    net::TaskGroup& tasks_;
    const core::Clock& clock_;
    const boost::asio::any_io_executor executor_;
    const std::shared_ptr<net::LoopGuard> loop_;

    // The thread's.
    std::optional<Current> current_;
    std::shared_ptr<Handling> orphan_;  ///< Of a lost connection, still at work.
    std::string logged_error_;

    std::atomic<bool> connected_{false};
    std::atomic<std::uint64_t> handled_{0}, parked_{0};
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::condition_variable ended_;
    bool has_ended_ = true;
    std::thread thread_;
};

}  // namespace events
