// Owns coroutines that were spawned on one event loop: cancels and joins them, so that none outlives what it refers to.
//
// Owned by whoever spawns. Everything but `cancel` and `stop` belongs to the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>

namespace net {

class TaskGroup {
  public:
    /// `executor` must be that of a single-threaded loop.
    explicit TaskGroup(boost::asio::any_io_executor executor);
    /// What still runs keeps running, detached from the group; call `join` or `stop` before.
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Runs `task` until it returns. `name` (a literal) stands in the log line if it throws; being cancelled is not
    /// worth a line. After `cancel` nothing is spawned any more: the task is dropped unstarted.
    void spawn(const char* name, boost::asio::awaitable<void> task);

    std::size_t size() const;

    /// Asks every task to end (terminal cancellation). Any thread.
    void cancel();

    /// Waits until no task is left.
    boost::asio::awaitable<void> join();

    /// Cancels and waits, from a thread that is not the loop's, while the loop runs. False: some task did not end in
    /// time and is left to the loop.
    bool stop(std::chrono::milliseconds limit);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace net
