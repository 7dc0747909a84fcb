// Sends messages to the broker and learns which of them it has taken. One thread of its own keeps the connection, and
// makes it anew whenever it breaks; event loops hand batches over and wait for the outcome.
//
// Owned by whoever relays; it must outlive the coroutines inside `publish`. Start, stop and destroy on a thread that is
// not an event loop.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "events/broker_link.hpp"
#include "events/broker_settings.hpp"
#include "events/envelope.hpp"
#include "service/task.hpp"

namespace events {

class Publisher {
  public:
    explicit Publisher(BrokerSettings settings);
    /// `stop`.
    ~Publisher();
    Publisher(const Publisher&) = delete;
    Publisher& operator=(const Publisher&) = delete;

    void start();
    /// Waits for what is under way a moment, takes leave of the broker, and ends the thread: within a second, whatever
    /// the broker does. Batches that wait are refused. Twice is fine.
    void stop();

    /// The broker is connected and takes messages. Any thread.
    bool ready() const { return ready_.load(std::memory_order_relaxed); }
    /// Why it is not, or why it was not the last time; empty: it always was. Any thread.
    std::string last_error() const;

    /// Sends the batch, each session's messages one after the other; says of each whether the broker has confirmed it
    /// on all its routes. Nothing is sent after `until`, and what is not confirmed by then counts as lost with the
    /// connection. `unavailable`: not connected, stopped, or kMostBatches wait already; nothing was sent then.
    service::Task<core::Result<std::vector<bool>>> publish(std::vector<Outgoing> batch,
                                                           std::chrono::steady_clock::time_point until);

    static constexpr std::size_t kMostBatches = 4;
    /// Messages under way, not yet confirmed.
    static constexpr std::size_t kWindow = 256;

  private:
    struct Job;
    using JobPtr = std::shared_ptr<Job>;

    void run();
    core::Result<void> serve();
    core::Result<void> transmit(Job& job);
    JobPtr next_job();
    void refuse_jobs();
    void rest(std::chrono::milliseconds duration);
    void note(const core::Error& error);
    bool stopping() const { return stopping_.load(); }

    const std::shared_ptr<Waker> waker_;
    const std::chrono::milliseconds turn_;  ///< The longest wait between two looks at the connection.
    BrokerLink link_;
    std::atomic<bool> ready_{false};
    std::atomic<bool> stopping_{false};

    mutable std::mutex mutex_;
    std::deque<JobPtr> jobs_;
    std::string last_error_;
    std::string logged_error_;  ///< The thread's: the same trouble is told once.

    std::condition_variable ended_;
    bool has_ended_ = true;
    std::thread thread_;
};

}  // namespace events
