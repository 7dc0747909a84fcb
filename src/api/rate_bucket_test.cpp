#include "api/rate_bucket.hpp"

#include <gtest/gtest.h>

#include <random>

namespace api {
namespace {

using namespace std::chrono_literals;

TEST(RateBucket, GivesItsQuotaAtOnceAndThenAsTimeRefillsIt) {
    const RatePolicy policy{60, 60s};
    Micros full_at{0};
    const Micros now = 100s;
    for (int i = 0; i < 60; ++i) {
        const auto spent = spend(policy, full_at, now);
        ASSERT_TRUE(spent.allowed) << i;
        EXPECT_EQ(spent.remaining, 59 - i);
        full_at = spent.full_at;
    }
    const auto refused = spend(policy, full_at, now);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.wait, 1s);
    EXPECT_EQ(refused.full_at, full_at) << "a refusal costs nothing";
    EXPECT_FALSE(spend(policy, full_at, now + 999ms).allowed);
    EXPECT_TRUE(spend(policy, full_at, now + 1s).allowed);
    EXPECT_EQ(spend(policy, full_at, now + 30s).remaining, 29);
    EXPECT_EQ(spend(policy, full_at, now + 1h).remaining, 59);
}

TEST(RateBucket, HoldsWhatTheQuotaDoesNotDivide) {
    for (const int quota : {1, 7, 13, 999, 1'000'000}) {
        const RatePolicy policy{quota, 60s};
        Micros full_at{0};
        int allowed = 0;
        for (auto spent = spend(policy, full_at, 5s); spent.allowed; spent = spend(policy, full_at, 5s)) {
            full_at = spent.full_at;
            ++allowed;
        }
        EXPECT_EQ(allowed, quota);
    }
}

TEST(RateBucket, NeverLetsMoreThroughThanQuotaAndRefill) {
    std::mt19937 random{7};
    const RatePolicy policy{20, 60s};
    Micros full_at{0}, now{0};
    int allowed = 0;
    while (now < 1h) {
        now += Micros{random() % 400'000};
        const auto spent = spend(policy, full_at, now);
        full_at = spent.full_at;
        allowed += spent.allowed ? 1 : 0;
    }
    EXPECT_LE(allowed, 20 + 20 * 60);
    EXPECT_GE(allowed, 20 * 60);
}

}  // namespace
}  // namespace api
