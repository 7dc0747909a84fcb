#include "media/room/sequence_window.hpp"

#include <gtest/gtest.h>

namespace media::room {
namespace {

using Kind = SequenceWindow::Kind;

TEST(SequenceWindow, TellsFreshLateAndRepeatedAcrossTheWrap) {
    SequenceWindow window;
    const std::int64_t first = window.take(65'530).sequence;
    EXPECT_GT(first, 0);
    for (int i = 1; i < 20; ++i) {
        if (i == 7) continue;
        const auto verdict = window.take(static_cast<std::uint16_t>(65'530 + i));
        EXPECT_EQ(verdict.kind, Kind::in_order);
        EXPECT_EQ(verdict.sequence, first + i);
    }
    EXPECT_EQ(window.take(65'535).kind, Kind::duplicate);
    EXPECT_EQ(window.take(3).kind, Kind::duplicate);
    const auto late = window.take(1);
    EXPECT_EQ(late.kind, Kind::late);
    EXPECT_EQ(late.sequence, first + 7);
    EXPECT_EQ(window.take(1).kind, Kind::duplicate);
}

TEST(SequenceWindow, NumberOfAnEarlierRoundIsFreshAgain) {
    SequenceWindow window;
    for (int i = 0; i < 200'000; ++i) ASSERT_TRUE(window.take(static_cast<std::uint16_t>(i)).fresh()) << i;
}

TEST(SequenceWindow, JumpWithinTheLimitClearsWhatLiesBetween) {
    SequenceWindow window;
    window.take(0);
    EXPECT_EQ(window.take(2900).kind, Kind::in_order);
    EXPECT_EQ(window.take(2899).kind, Kind::late);
    EXPECT_EQ(window.take(2900 - 1023).kind, Kind::late);
    EXPECT_EQ(window.take(2900 - 1024).kind, Kind::too_old);
}

TEST(SequenceWindow, WildNumberIsBelievedWhenTheNextOneFollows) {
    SequenceWindow window;
    const std::int64_t before = window.take(100).sequence;
    EXPECT_EQ(window.take(40'000).kind, Kind::too_old);
    EXPECT_EQ(window.take(101).kind, Kind::in_order);
    EXPECT_EQ(window.take(40'001).kind, Kind::too_old) << "an ordinary packet in between";
    const auto verdict = window.take(40'002);
    EXPECT_EQ(verdict.kind, Kind::restarted);
    EXPECT_GT(verdict.sequence, before + 1);
    EXPECT_EQ(static_cast<std::uint16_t>(verdict.sequence), 40'002);
    EXPECT_EQ(window.take(40'003).kind, Kind::in_order);
}

TEST(SequenceWindow, RepeatsNeverRestart) {
    SequenceWindow window;
    window.take(10'000);
    for (std::uint16_t n = 2000; n < 2100; ++n) EXPECT_EQ(window.take(n, true).kind, Kind::too_old);
    EXPECT_EQ(window.take(10'001).kind, Kind::in_order);
}

}  // namespace
}  // namespace media::room
