// The meeting point of a coroutine that waits for a result, at most so long, and whoever brings it.
// Shared by the two. Everything but `abandoned` runs on the coroutine's event loop (single-threaded).
#pragma once

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace net {

template <class T>
class Completion {
  public:
    /// Brings the result; the first one counts.
    void complete(T value) {
        if (value_) return;
        value_.emplace(std::move(value));
        if (timer_ != nullptr) timer_->cancel();
    }

    /// Nobody waits any more: work that has not begun need not be done. Any thread.
    bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }

    /// The result, or nullopt when the time is up. Throws operation_aborted when the coroutine is cancelled.
    static boost::asio::awaitable<std::optional<T>> wait(std::shared_ptr<Completion> self,
                                                         std::chrono::steady_clock::duration limit) {
        // The timer is the coroutine's, so that it goes with the loop, which whoever brings the result may outlive.
        if (!self->value_) {
            boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, limit);
            const Waiting waiting(*self, timer);
            const auto [error] = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
            if (!self->value_) {
                if (error) throw boost::system::system_error(boost::asio::error::operation_aborted);
                co_return std::nullopt;
            }
        }
        co_return std::move(self->value_);
    }

  private:
    /// Ends with the coroutine, however that ends.
    class Waiting {
      public:
        Waiting(Completion& completion, boost::asio::steady_timer& timer) : completion_(completion) {
            completion_.timer_ = &timer;
        }
        ~Waiting() {
            completion_.timer_ = nullptr;
            completion_.abandoned_.store(true, std::memory_order_relaxed);
        }
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;

      private:
        Completion& completion_;
    };

    boost::asio::steady_timer* timer_ = nullptr;
    std::optional<T> value_;
    std::atomic<bool> abandoned_{false};
};

}  // namespace net
