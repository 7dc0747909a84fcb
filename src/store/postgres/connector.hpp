// Threads that make connections, because libpq may block while it does (name resolution, files).
// Shared by the pools of a store. Any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "store/postgres/link.hpp"

namespace store::postgres {

class Connector {
  public:
    using Callback = std::move_only_function<void(core::Result<Link>)>;

    Connector(Parameters parameters, std::chrono::milliseconds statement_timeout,
              std::chrono::milliseconds connect_timeout);
    ~Connector() { stop(); }

    /// Makes a connection and calls back on a thread of its own, once.
    void request(Callback callback);
    /// The same on the calling thread, which waits.
    core::Result<Link> connect_now(Deadline deadline);
    /// Gives up what is going on and joins the threads; later requests fail at once.
    void stop();

  private:
    void work();

    const Parameters parameters_;
    const std::chrono::milliseconds statement_timeout_;
    const std::chrono::milliseconds connect_timeout_;
    StopSignal stop_;
    std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<Callback> waiting_;
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace store::postgres
