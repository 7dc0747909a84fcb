#include "core/histogram.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace core {
namespace {

using namespace std::chrono_literals;

TEST(LatencyHistogram, ABoundBelongsToItsBucket) {
    const auto histogram = std::make_unique<LatencyHistogram>();
    histogram->add(500us);
    histogram->add(501us);
    histogram->add(10s);
    histogram->add(11s);
    const auto sums = histogram->sums();
    EXPECT_EQ(sums.buckets.front(), 1U);
    EXPECT_EQ(sums.buckets[1], 1U);
    EXPECT_EQ(sums.buckets[LatencyHistogram::kBounds.size() - 1], 1U);
    EXPECT_EQ(sums.buckets.back(), 1U);
    EXPECT_EQ(sums.count(), 4U);
    EXPECT_NEAR(sums.seconds, 21.001001, 1e-9);
}

TEST(LatencyHistogram, NothingIsLostBetweenThreads) {
    const auto histogram = std::make_unique<LatencyHistogram>();
    const auto counts = std::make_unique<PiecedCounts<2>>();
    std::vector<std::thread> threads;
    threads.reserve(12);
    for (int i = 0; i < 12; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n) {
                histogram->add(1ms);
                counts->add(1);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(histogram->sums().count(), 12'000U);
    EXPECT_NEAR(histogram->sums().seconds, 12.0, 1e-6);
    EXPECT_EQ(counts->sum(0), 0U);
    EXPECT_EQ(counts->sum(1), 12'000U);
}

}  // namespace
}  // namespace core
