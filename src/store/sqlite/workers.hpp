// The threads that own the connections: one writer that commits all waiting changes together, a few readers.
// Jobs come from any thread; each is finished exactly once, on the worker's thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "service/vitals.hpp"
#include "store/sqlite/connection.hpp"

namespace store::sqlite {

/// A piece of work, and the way back to whoever waits for it.
class Job {
  public:
    virtual ~Job() = default;
    /// Does it; may throw Failure. False: undo what it wrote (that is no failure).
    virtual bool run(Connection& connection) = 0;
    /// Tells the outcome: that of `run`, or why it came to nothing.
    virtual void finish(std::optional<core::Error> failure) = 0;
    /// Nobody waits for it any more.
    virtual bool abandoned() const = 0;
};

/// Jobs that wait, up to a limit.
class JobQueue {
  public:
    explicit JobQueue(std::size_t limit) : limit_(limit) {}

    /// False when full or closed; the job is then the caller's again.
    bool push(std::unique_ptr<Job>& job);
    /// At most `count` jobs, in order; waits for the first. Empty: closed, and nothing is left.
    std::vector<std::unique_ptr<Job>> take(std::size_t count);
    /// The same, but once the first is there it gives `company` of them `patience` to come. For a single taker.
    std::vector<std::unique_ptr<Job>> take_together(std::size_t count, std::size_t company,
                                                    std::chrono::microseconds patience);
    void close();
    std::size_t size() const;

  private:
    const std::size_t limit_;
    mutable std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<std::unique_ptr<Job>> jobs_;
    std::size_t wanted_ = 1;  ///< A taker is woken when so many wait.
    bool closed_ = false;

    std::vector<std::unique_ptr<Job>> take_waiting(std::size_t count);
};

class Workers {
  public:
    /// Opens the connections (throws Failure) and starts the threads.
    Workers(const std::string& path, int readers, std::size_t queue_limit, std::chrono::milliseconds busy_timeout);
    ~Workers();

    bool write(std::unique_ptr<Job>& job) { return writes_.push(job); }
    bool read(std::unique_ptr<Job>& job) { return reads_.push(job); }
    std::uint64_t write_transactions() const { return write_transactions_.load(std::memory_order_relaxed); }

    /// Connections and what waits for them. Any thread.
    void add_to(service::Vitals::Database& vitals) const;

    /// Finishes what waits and joins the threads.
    void stop();

  private:
    void write_all();
    void write_together(std::vector<std::unique_ptr<Job>> jobs);
    void give_up(std::vector<std::unique_ptr<Job>>& jobs, std::vector<std::unique_ptr<Job>>& done,
                 const core::Error& error);
    void read_all(Connection& connection);

    JobQueue writes_;
    JobQueue reads_;
    std::atomic<std::uint64_t> write_transactions_{0};
    std::atomic<std::int64_t> busy_{0};  ///< Threads at work.
    Connection writer_;
    std::vector<std::unique_ptr<Connection>> readers_;
    std::vector<std::thread> threads_;
};

}  // namespace store::sqlite
