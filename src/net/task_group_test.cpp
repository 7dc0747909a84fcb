#include "net/task_group.hpp"

#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "net/deadline.hpp"
#include "net/executors.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

asio::awaitable<void> forever(bool& ended) {
    struct Ended {
        bool& flag;
        ~Ended() { flag = true; }
    } guard{ended};
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> fail_at_once() {
    throw std::runtime_error("x");
    co_return;
}

TEST(TaskGroup, CancelsAndJoins) {
    asio::io_context context(1);
    TaskGroup group(context.get_executor());
    bool one = false, two = false, joined = false;
    group.spawn("one", forever(one));
    group.spawn("two", forever(two));
    group.spawn("three", fail_at_once());
    context.poll();
    EXPECT_EQ(group.size(), 2u);
    EXPECT_FALSE(one);
    asio::co_spawn(context, group.join(), [&](const std::exception_ptr& thrown) { joined = !thrown; });
    context.restart();
    context.poll();
    EXPECT_FALSE(joined);
    group.cancel();
    context.restart();
    context.run();
    EXPECT_TRUE(one && two && joined);
    EXPECT_EQ(group.size(), 0u);
    bool late = false;
    group.spawn("late", forever(late));
    EXPECT_EQ(group.size(), 0u);
}

TEST(TaskGroup, StopsFromAnotherThread) {
    Executors executors(1, "test");
    TaskGroup group(executors.executor(0));
    bool ended = false;
    asio::post(executors.executor(0), [&] { group.spawn("task", forever(ended)); });
    executors.start();
    EXPECT_TRUE(group.stop(milliseconds{20'000}));
    EXPECT_TRUE(ended);
}

asio::awaitable<int> seven() {
    co_return 7;
}
asio::awaitable<int> never(bool& ended) {
    co_await forever(ended);
    co_return 0;
}
asio::awaitable<int> fails() {
    throw std::runtime_error("x");
    co_return 0;
}

TEST(Deadline, GivesTheResultOrEndsTheOperation) {
    asio::io_context context(1);
    std::optional<int> in_time, late = 1;
    bool ended = false, threw = false;
    asio::co_spawn(
        context,
        [](std::optional<int>& first, std::optional<int>& second, bool& flag, bool& caught) -> asio::awaitable<void> {
            first = co_await with_deadline(seven(), std::chrono::hours{1});
            second = co_await with_deadline(never(flag), milliseconds{1});
            try {
                co_await with_deadline(fails(), std::chrono::hours{1});
            } catch (const std::runtime_error&) {
                caught = true;
            }
        }(in_time, late, ended, threw),
        asio::detached);
    context.run();
    EXPECT_EQ(in_time, 7);
    EXPECT_EQ(late, std::nullopt);
    EXPECT_TRUE(ended);
    EXPECT_TRUE(threw);
}

}  // namespace
}  // namespace net
