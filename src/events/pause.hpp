// The waits of coroutines that go round and round on one event loop; all can be ended together, so that the coroutines
// come to their end in their own time. Everything on the loop's thread.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <unordered_map>

#include "service/task.hpp"

namespace events {

class Pause {
  public:
    /// Waits, or returns at once when `end` has been called or is called meanwhile. A light sleep is also ended by
    /// `rouse`.
    service::Task<void> sleep(std::chrono::milliseconds duration, bool light = false) {
        if (ended_) co_return;
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, duration);
        const Entry entry(timers_, timer, light);
        co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }

    /// Ends present light sleeps: something has come to do.
    void rouse() {
        for (const auto& [timer, light] : timers_) {
            if (light) timer->cancel();
        }
    }
    /// For good.
    void end() {
        ended_ = true;
        for (const auto& [timer, light] : timers_) timer->cancel();
    }
    bool ended() const { return ended_; }

  private:
    using Timers = std::unordered_map<boost::asio::steady_timer*, bool>;
    struct Entry {
        Entry(Timers& all, boost::asio::steady_timer& one, bool light) : timers(all), timer(&one) {
            timers.emplace(timer, light);
        }
        ~Entry() { timers.erase(timer); }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        Timers& timers;
        boost::asio::steady_timer* timer;
    };

    Timers timers_;
    bool ended_ = false;
};

}  // namespace events
