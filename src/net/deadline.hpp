// A time limit for one asynchronous operation.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <utility>

namespace net {

/// What `operation` returns, or nullopt when it took longer than `limit`: it is then cancelled (terminally), and this
/// waits until it has ended. What it throws is thrown here. The caller must run on a single-threaded loop; `operation`
/// stays on it. T must be default-constructible.
template <class T>
boost::asio::awaitable<std::optional<T>> with_deadline(boost::asio::awaitable<T> operation,
                                                       std::chrono::steady_clock::duration limit) {
    namespace asio = boost::asio;
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, limit);
    auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(operation), asio::deferred),
                                                         timer.async_wait(asio::deferred));
    auto [order, thrown, value, timer_error] =
        co_await std::move(group).async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (order[0] == 0) {
        if (thrown) std::rethrow_exception(thrown);
        co_return std::move(value);
    }
    co_return std::nullopt;
}

}  // namespace net
