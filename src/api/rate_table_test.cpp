#include "api/rate_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "api/rate_key.hpp"

namespace api {
namespace {

using namespace std::chrono_literals;

constexpr RatePolicy kHundred{100, 60s};
constexpr Micros kNow = 1000s;

int drain(RateTable& table, std::uint64_t key, Micros now, const RatePolicy& policy = kHundred) {
    int allowed = 0;
    while (table.take(policy, key, now).spending.allowed) ++allowed;
    return allowed;
}

TEST(RateTable, EveryKeyHasABucketOfItsOwn) {
    RateTable table({.slots = 4096});
    const RateKeys keys("a secret");
    for (const auto* user : {"1", "2", "3"}) EXPECT_EQ(drain(table, keys.of_user(1, user), kNow), 100);
    EXPECT_FALSE(table.take(kHundred, keys.of_user(1, "2"), kNow).spending.allowed);
    EXPECT_EQ(drain(table, keys.of_user(1, "2"), kNow + 30s), 50);
}

TEST(RateTable, AMillionAddressesResetNobodyAndTakeNoMemory) {
    RateTable table({});
    const RateKeys keys("a secret");
    const auto bytes = table.bytes();
    EXPECT_LT(bytes, 2U << 20);
    const auto victim = keys.of_address(1, "192.0.2.1");
    EXPECT_EQ(drain(table, victim, kNow), 100);
    // All within the same moment: no bucket is refilled meanwhile.
    int denied = 0;
    for (std::uint32_t i = 0; i < 1'000'000; ++i) {
        const auto key = siphash(1, 2, {reinterpret_cast<const char*>(&i), sizeof(i)});
        denied += table.take(kHundred, key, kNow).spending.allowed ? 0 : 1;
    }
    EXPECT_EQ(table.bytes(), bytes);
    EXPECT_FALSE(table.take(kHundred, victim, kNow).spending.allowed) << "still empty";
    // 15 requests a slot; a newcomer has fewer left, but is let in.
    EXPECT_EQ(denied, 0);
    EXPECT_GT(drain(table, keys.of_address(1, "192.0.2.2"), kNow), 60);
    // A minute later everything is as new.
    EXPECT_EQ(drain(table, victim, kNow + 61s), 100);
}

TEST(RateTable, WhoIsPushedOutComesBackWithNoMoreThanBefore) {
    RateTable table({.slots = 512});
    std::mt19937_64 random{3};
    std::vector<std::uint64_t> keys(4000);
    for (auto& key : keys) key = random();
    std::vector<int> allowed(keys.size(), 0);
    auto now = kNow;
    for (int i = 0; i < 400'000; ++i) {
        now += Micros{random() % 100};
        const auto one = random() % keys.size();
        allowed[one] += table.take(kHundred, keys[one], now).spending.allowed ? 1 : 0;
    }
    const auto most = 100 + (now - kNow) / kHundred.cost() + 1;
    for (const int count : allowed) ASSERT_LE(count, most);
}

TEST(RateTable, TellsWhatWasSpentOnce) {
    RateTable table({.slots = 4096, .shared = true});
    bool urgent = false;
    for (int i = 0; i < 12; ++i) urgent |= table.take(kHundred, 7, kNow).urgent;
    EXPECT_TRUE(table.collect(10, kNow).empty()) << "nearly full";
    EXPECT_FALSE(urgent);
    EXPECT_TRUE(table.take(kHundred, 7, kNow).urgent);
    auto shares = table.collect(10, kNow);
    ASSERT_EQ(shares.size(), 1U);
    EXPECT_EQ(shares[0].key, 7U);
    EXPECT_EQ(shares[0].spent, 13 * kHundred.cost());
    EXPECT_TRUE(table.collect(10, kNow).empty());
    table.give_back(shares[0], kNow);
    EXPECT_FALSE(table.take(kHundred, 7, kNow).spending.remaining > 86);
    shares = table.collect(10, kNow);
    ASSERT_EQ(shares.size(), 1U);
    EXPECT_EQ(shares[0].spent, 14 * kHundred.cost());
}

TEST(RateTable, TakesTheOthersSpendingIntoAccount) {
    RateTable table({.slots = 4096, .shared = true});
    for (int i = 0; i < 20; ++i) table.take(kHundred, 7, kNow);
    EXPECT_EQ(table.collect(10, kNow).size(), 1U);
    table.take(kHundred, 7, kNow);  // While the others are asked.
    table.settle(7, 80 * kHundred.cost(), kNow);
    EXPECT_EQ(drain(table, 7, kNow), 19);
    table.settle(7, Micros{0}, kNow);
    EXPECT_EQ(drain(table, 7, kNow), 0) << "what is known to be spent stays so";
    table.settle(8, 80 * kHundred.cost(), kNow);
    EXPECT_EQ(drain(table, 8, kNow), 100) << "nobody here has asked for that one";
}

TEST(RateTable, WhatIsLeftOverComesNextTime) {
    RateTable table({.slots = 4096, .shared = true});
    std::mt19937_64 random{5};
    for (int i = 0; i < 300; ++i) drain(table, random(), kNow);
    std::size_t told = 0;
    for (int round = 0; round < 10; ++round) {
        const auto shares = table.collect(100, kNow);
        EXPECT_LE(shares.size(), 100U);
        told += shares.size();
    }
    EXPECT_EQ(told, 300U);
}

TEST(RateTable, ManyThreadsGetTheQuotaTogether) {
    RateTable table({.slots = 4096, .shared = true});
    std::atomic<int> allowed{0};
    {
        std::vector<std::jthread> threads;
        threads.reserve(4);
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < 2000; ++n) allowed += table.take({1000, 60s}, 9, kNow).spending.allowed ? 1 : 0;
            });
        }
        threads.emplace_back([&] {
            for (int n = 0; n < 100; ++n) {
                for (const auto& share : table.collect(10, kNow)) table.give_back(share, kNow);
            }
        });
    }
    EXPECT_EQ(allowed, 1000);
}

}  // namespace
}  // namespace api
