#include "media/room/video_rewriter.hpp"

#include <gtest/gtest.h>

namespace media::room {
namespace {

using namespace std::chrono_literals;

class Rewriter : public ::testing::Test {
  protected:
    std::uint16_t number(std::int64_t source) { return rewriter.place(source, 0, now).value().sequence; }
    Time now{1h};
    VideoRewriter rewriter{65'533, 1000};
};

TEST_F(Rewriter, NothingPassesBeforeTheStart) {
    EXPECT_FALSE(rewriter.place(5, 0, now));
    EXPECT_FALSE(rewriter.skip(6));
    EXPECT_FALSE(rewriter.source_of(65'533));
    rewriter.start(10, 5'000'000, true, now);
    const auto first = rewriter.place(10, 5'000'000, now).value();
    EXPECT_EQ(first.sequence, 65'533);
    EXPECT_EQ(first.timestamp, 1000U);
    EXPECT_EQ(rewriter.place(11, 5'003'000, now)->timestamp, 4000U);
    EXPECT_FALSE(rewriter.place(9, 0, now)) << "before the start";
}

TEST_F(Rewriter, OwnNumbersWrapAndLeadBack) {
    rewriter.start(100, 0, true, now);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(number(100 + i), static_cast<std::uint16_t>(65'533 + i));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(rewriter.source_of(static_cast<std::uint16_t>(65'533 + i)), 100 + i);
    EXPECT_FALSE(rewriter.source_of(7));
    EXPECT_FALSE(rewriter.source_of(65'532));
}

TEST_F(Rewriter, SuppressedPacketsCloseUpAndLateOnesKeepTheirPlace) {
    rewriter.start(0, 0, true, now);
    EXPECT_EQ(number(0), 65'533);
    EXPECT_FALSE(rewriter.skip(1));
    EXPECT_FALSE(rewriter.skip(2));
    EXPECT_EQ(number(3), 65'534);
    EXPECT_EQ(number(5), 0) << "4 is missing, its number stays free";
    EXPECT_FALSE(rewriter.skip(7)) << "6 is missing before it";
    EXPECT_EQ(number(8), 2);
    EXPECT_EQ(number(4), 65'535);
    EXPECT_EQ(number(6), 1);
    EXPECT_FALSE(rewriter.place(2, 0, now)) << "was suppressed";
    EXPECT_EQ(rewriter.source_of(65'535), 4);
    EXPECT_EQ(rewriter.source_of(1), 6);
    EXPECT_EQ(rewriter.source_of(2), 8);
}

TEST_F(Rewriter, LateSuppressedPacketNamesItsReservedNumber) {
    rewriter.start(0, 0, true, now);
    number(0);
    number(2);
    EXPECT_EQ(rewriter.skip(1), 65'534);
}

TEST_F(Rewriter, NewSourceContinuesNumbersAndTime) {
    rewriter.start(0, 0, true, now);
    number(0);
    rewriter.suspend();
    EXPECT_FALSE(rewriter.place(1, 0, now));
    now += 2s;
    rewriter.start(900, 77, true, now);
    const auto stamp = rewriter.place(900, 77, now).value();
    EXPECT_EQ(stamp.sequence, 65'534);
    EXPECT_EQ(stamp.timestamp, 1000U + 180'000);
    EXPECT_FALSE(rewriter.source_of(65'533)) << "belongs to the old source";
    EXPECT_EQ(rewriter.source_of(65'534), 900);
}

TEST_F(Rewriter, SameSourceAfterAPauseKeepsItsClock) {
    rewriter.start(0, 0, true, now);
    number(0);
    rewriter.suspend();
    rewriter.start(50, 150'000, false, now + 1s);
    const auto stamp = rewriter.place(50, 150'000, now + 1s).value();
    EXPECT_EQ(stamp.sequence, 65'534);
    EXPECT_EQ(stamp.timestamp, 151'000U);
    EXPECT_EQ(rewriter.source_of(65'533), 0) << "can still be repeated";
    EXPECT_FALSE(rewriter.place(49, 0, now)) << "of the pause";
}

TEST_F(Rewriter, GapBeyondTheLimitSuspends) {
    rewriter.start(0, 0, true, now);
    number(0);
    EXPECT_EQ(number(513), static_cast<std::uint16_t>(65'533 + 513));
    EXPECT_FALSE(rewriter.place(514 + 513, 0, now));
    EXPECT_FALSE(rewriter.running());
}

TEST_F(Rewriter, ManySegmentsForgetTheOldest) {
    rewriter.start(0, 0, true, now);
    for (std::int64_t n = 0; n < 1000; n += 2) {
        EXPECT_EQ(number(n), static_cast<std::uint16_t>(65'533 + n / 2));
        EXPECT_FALSE(rewriter.skip(n + 1));
    }
    EXPECT_EQ(rewriter.source_of(static_cast<std::uint16_t>(65'533 + 499)), 998);
    EXPECT_EQ(rewriter.source_of(static_cast<std::uint16_t>(65'533 + 400)), 800);
    EXPECT_FALSE(rewriter.source_of(65'533));
    EXPECT_FALSE(rewriter.stamp_of(0, 0));
}

TEST_F(Rewriter, ForgettingKeepsTheNumbersGoing) {
    rewriter.start(0, 0, true, now);
    number(0);
    number(1);
    rewriter.forget();
    EXPECT_FALSE(rewriter.source_of(65'533));
    EXPECT_EQ(number(2), 65'535);
    EXPECT_EQ(rewriter.source_of(65'535), 2);
}

}  // namespace
}  // namespace media::room
