#include "media/room/nack_generator.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace media::room {
namespace {

using namespace std::chrono_literals;
using Arrival = NackGenerator::Arrival;

class Nacks : public ::testing::Test {
  protected:
    std::vector<std::uint16_t> due(std::chrono::microseconds round_trip = 100ms) {
        std::vector<std::uint16_t> result(64);
        const auto polled = nacks.poll(now, round_trip, result);
        given_up += polled.given_up;
        result.resize(polled.count);
        return result;
    }
    Time now{1h};
    NackGenerator nacks;
    std::size_t given_up = 0;
};

TEST_F(Nacks, WaitsForReorderingThenAsksOnceARoundTrip) {
    nacks.on_packet(65'534, now);
    nacks.on_packet(65'538, now);
    EXPECT_TRUE(due().empty());
    now += 20ms;
    EXPECT_EQ(due(), (std::vector<std::uint16_t>{65'535, 0, 1}));
    now += 100ms;
    EXPECT_TRUE(due().empty());
    EXPECT_EQ(nacks.on_packet(65'536, now), Arrival::repaired);
    now += 25ms;
    EXPECT_EQ(due(), (std::vector<std::uint16_t>{65'535, 1}));
}

TEST_F(Nacks, PacketThatWasOnlyLateIsNotRepaired) {
    nacks.on_packet(1, now);
    nacks.on_packet(3, now);
    EXPECT_EQ(nacks.on_packet(2, now + 10ms), Arrival::normal);
    now += 1s;
    EXPECT_TRUE(due().empty());
}

TEST_F(Nacks, GivesUpAfterABoundedNumberOfTries) {
    nacks.on_packet(1, now);
    nacks.on_packet(3, now);
    std::size_t asked = 0;
    for (int i = 0; i < 1000; ++i) {
        now += 5ms;
        asked += due(10ms).size();
    }
    EXPECT_EQ(asked, NackGenerator::kMaxTries);
    EXPECT_EQ(given_up, 1U);
    EXPECT_EQ(nacks.missing(), 0U);
}

TEST_F(Nacks, GivesUpInTimeWhenTheRoundTripIsLong) {
    nacks.on_packet(1, now);
    nacks.on_packet(3, now);
    std::size_t asked = 0;
    for (int i = 0; i < 400; ++i) {
        now += 5ms;
        asked += due(2s).size();
    }
    EXPECT_LE(asked, 6U);
    EXPECT_EQ(given_up, 1U);
}

TEST_F(Nacks, MoreThanCanBeAskedForIsHopeless) {
    nacks.on_packet(0, now);
    EXPECT_EQ(nacks.on_packet(200, now), Arrival::normal);
    EXPECT_EQ(nacks.on_packet(300, now), Arrival::too_many);
    EXPECT_EQ(nacks.missing(), 0U);
    EXPECT_EQ(nacks.on_packet(301, now), Arrival::normal);
    EXPECT_EQ(nacks.on_packet(2'000'000'000'000, now), Arrival::too_many);
}

TEST_F(Nacks, WhatDoesNotFitIsAskedForAtTheNextOccasion) {
    nacks.on_packet(0, now);
    nacks.on_packet(101, now);
    now += 20ms;
    EXPECT_EQ(due().size(), 64U);
    EXPECT_EQ(due().size(), 36U);
}

TEST_F(Nacks, OutageIsNotAskedFor) {
    nacks.on_packet(0, now);
    now += 4s;
    EXPECT_EQ(nacks.on_packet(60, now), Arrival::outage);
    EXPECT_EQ(nacks.missing(), 0U);
    now += 10ms;
    EXPECT_EQ(nacks.on_packet(90, now), Arrival::normal) << "what is lost from now on is";
    EXPECT_EQ(nacks.missing(), 29U);
}

TEST_F(Nacks, OutageShowsBehindARepeatFromItsMiddle) {
    nacks.on_packet(0, now);
    now += 4s;
    EXPECT_EQ(nacks.on_packet(3, now), Arrival::normal);
    now += 100ms;
    EXPECT_EQ(nacks.on_packet(40, now), Arrival::outage);
    EXPECT_EQ(nacks.missing(), 0U);
}

TEST_F(Nacks, RareSourceIsRepaired) {
    nacks.on_packet(0, now);
    now += 4s;
    EXPECT_EQ(nacks.on_packet(4, now), Arrival::normal) << "it had little to say, and some of that is lost";
    EXPECT_EQ(nacks.missing(), 3U);
    now += 500ms;
    EXPECT_EQ(nacks.on_packet(34, now), Arrival::normal) << "long after the silence";
}

}  // namespace
}  // namespace media::room
