#include "net/loop_watch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <future>

namespace net {
namespace {

using namespace std::chrono_literals;

/// Waits for a condition that another thread brings about.
template <class Condition>
bool eventually(Condition&& condition) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

TEST(LoopWatch, SeesALoopThatHangsAndThatItGoesOn) {
    Executors loops(2);
    loops.start();
    std::atomic<int> rounds_well{0}, rounds_ill{0};
    LoopWatch watch({.every = 2ms, .hangs_after = 50ms}, loops,
                    [&](bool well) { ++(well ? rounds_well : rounds_ill); });
    watch.start();
    EXPECT_TRUE(eventually([&] { return rounds_well > 3; }));
    EXPECT_EQ(watch.hanging(), 0U);

    std::promise<void> go_on;
    boost::asio::post(loops.context(1), [until = go_on.get_future().share()] { until.wait(); });
    EXPECT_TRUE(eventually([&] { return watch.hanging() == 1 && rounds_ill > 0; }));
    EXPECT_GE(watch.lag(), 50ms);
    go_on.set_value();
    EXPECT_TRUE(eventually([&] { return watch.hanging() == 0; }));
    EXPECT_GE(watch.lag(), 50ms) << "it is remembered for a while";
    watch.stop();
    loops.stop();
}

TEST(LoopWatch, MayEndWhileALoopHangs) {
    Executors loops(1);
    loops.start();
    std::promise<void> go_on;
    boost::asio::post(loops.context(0), [until = go_on.get_future().share()] { until.wait(); });
    {
        LoopWatch watch({.every = 1ms, .hangs_after = 5ms}, loops);
        watch.start();
        EXPECT_TRUE(eventually([&] { return watch.hanging() == 1; }));
    }
    go_on.set_value();
    loops.stop();
}

}  // namespace
}  // namespace net
