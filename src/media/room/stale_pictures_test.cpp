#include "media/room/stale_pictures.hpp"

#include <gtest/gtest.h>

namespace media::room {
namespace {

using namespace std::chrono_literals;
using Verdict = StalePictures::Verdict;

constexpr Time kStart{1000s};

/// 90 kHz, from somewhere just before the counter goes round.
std::uint32_t taken_at(std::chrono::milliseconds time) {
    return 0xFFFF'0000U + static_cast<std::uint32_t>(time.count() * 90);
}

struct Line {
    StalePictures pictures;
    Verdict arrives(std::chrono::milliseconds taken, std::chrono::milliseconds at) {
        return pictures.take(taken_at(taken), kStart + at);
    }
    /// Fifteen pictures a second, 20 ms under way.
    void flows(std::chrono::milliseconds from, std::chrono::milliseconds to) {
        for (auto time = from; time < to; time += 66ms) EXPECT_EQ(arrives(time, time + 20ms), Verdict::fresh);
    }
};

TEST(StalePictures, WhatWaitedInTheSenderIsToldFromWhatIsTakenNow) {
    Line line;
    line.flows(0ms, 3000ms);
    EXPECT_EQ(line.arrives(3100ms, 7050ms), Verdict::first_stale);
    EXPECT_EQ(line.arrives(3100ms, 7060ms), Verdict::stale) << "its second packet";
    EXPECT_EQ(line.arrives(3900ms, 7100ms), Verdict::stale);
    EXPECT_EQ(line.arrives(6900ms, 7300ms), Verdict::fresh) << "a key frame takes its time on a thin line";
    line.flows(7000ms, 9000ms);
}

TEST(StalePictures, SilenceWithoutALateReturnIsNoOutage) {
    Line line;
    line.flows(0ms, 1000ms);
    EXPECT_EQ(line.arrives(61s, 61s + 90ms), Verdict::fresh) << "the camera was off for a minute";
    for (int i = 62; i < 70; ++i) EXPECT_EQ(line.arrives(i * 1s, i * 1s + 30ms), Verdict::fresh) << "a still slide";
}

TEST(StalePictures, LatenessWithoutSilenceIsAFullQueue) {
    Line line;
    line.flows(0ms, 1000ms);
    for (int i = 0; i < 60; ++i) {
        EXPECT_EQ(line.arrives(1000ms + i * 66ms, 1020ms + i * 90ms), Verdict::fresh) << i;
    }
}

TEST(StalePictures, AWayThatStaysLongerIsTakenAsItIs) {
    Line line;
    line.flows(0ms, 1000ms);
    auto taken = 1000ms;
    EXPECT_EQ(line.arrives(taken, taken + 1500ms), Verdict::first_stale);
    for (; taken + 1500ms <= 2500ms + StalePictures::kPatience; taken += 50ms) {
        EXPECT_EQ(line.arrives(taken, taken + 1500ms), Verdict::stale);
    }
    EXPECT_EQ(line.arrives(taken, taken + 1500ms), Verdict::fresh);
    line.flows(taken + 100ms, taken + 1000ms);
}

TEST(StalePictures, OtherTimestampsAreAnotherClock) {
    Line line;
    line.flows(0ms, 1000ms);
    EXPECT_EQ(line.pictures.take(taken_at(1000ms) - 5'000'000, kStart + 4s), Verdict::fresh);
    line.pictures.restart();
    EXPECT_EQ(line.pictures.take(17, kStart + 8s), Verdict::fresh);
}

}  // namespace
}  // namespace media::room
