#include "media/room/video_rewriter.hpp"

#include <gtest/gtest.h>

namespace media::room {
namespace {

using namespace std::chrono_literals;

class Rewriter : public ::testing::Test {
  protected:
    std::uint16_t number(std::int64_t source) { return rewriter.place(source, 0, false, now).value().sequence; }
    std::optional<std::int64_t> source_of(std::uint16_t own) const {
        const auto origin = rewriter.origin_of(own);
        return origin ? std::optional(origin->source) : std::nullopt;
    }
    Time now{1h};
    VideoRewriter rewriter{65'533, 1000};
};

TEST_F(Rewriter, NothingPassesBeforeTheStart) {
    EXPECT_FALSE(rewriter.place(5, 0, false, now));
    EXPECT_FALSE(rewriter.skip(6));
    EXPECT_FALSE(source_of(65'533));
    rewriter.start_line(10, 5'000'000, std::nullopt, now);
    const auto first = rewriter.place(10, 5'000'000, false, now).value();
    EXPECT_EQ(first.sequence, 65'533);
    EXPECT_EQ(first.timestamp, 1000U);
    EXPECT_EQ(rewriter.place(11, 5'003'000, false, now)->timestamp, 4000U);
    EXPECT_FALSE(rewriter.place(9, 0, false, now)) << "before the start";
}

TEST_F(Rewriter, OwnNumbersWrapAndLeadBack) {
    rewriter.start_line(100, 0, std::nullopt, now);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(number(100 + i), static_cast<std::uint16_t>(65'533 + i));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(source_of(static_cast<std::uint16_t>(65'533 + i)), 100 + i);
    EXPECT_FALSE(source_of(7));
    EXPECT_FALSE(source_of(65'532));
}

TEST_F(Rewriter, SuppressedPacketsCloseUpAndLateOnesKeepTheirPlace) {
    rewriter.start_line(0, 0, std::nullopt, now);
    EXPECT_EQ(number(0), 65'533);
    EXPECT_FALSE(rewriter.skip(1));
    EXPECT_FALSE(rewriter.skip(2));
    EXPECT_EQ(number(3), 65'534);
    EXPECT_EQ(number(5), 0) << "4 is missing, its number stays free";
    EXPECT_FALSE(rewriter.skip(7)) << "6 is missing before it";
    EXPECT_EQ(number(8), 2);
    EXPECT_EQ(number(4), 65'535);
    EXPECT_EQ(number(6), 1);
    EXPECT_FALSE(rewriter.place(2, 0, false, now)) << "was suppressed";
    EXPECT_EQ(source_of(65'535), 4);
    EXPECT_EQ(source_of(1), 6);
    EXPECT_EQ(source_of(2), 8);
}

TEST_F(Rewriter, LateSuppressedPacketNamesItsReservedNumber) {
    rewriter.start_line(0, 0, std::nullopt, now);
    number(0);
    number(2);
    EXPECT_EQ(rewriter.skip(1), 65'534);
}

TEST_F(Rewriter, NewSourceContinuesNumbersAndTime) {
    rewriter.start_line(0, 0, std::nullopt, now);
    number(0);
    rewriter.suspend();
    EXPECT_FALSE(rewriter.place(1, 0, false, now));
    now += 2s;
    rewriter.start_line(900, 77, std::nullopt, now);
    const auto stamp = rewriter.place(900, 77, false, now).value();
    EXPECT_EQ(stamp.sequence, 65'534);
    EXPECT_EQ(stamp.timestamp, 1000U + 180'000);
    const auto old = rewriter.origin_of(65'533).value();
    EXPECT_EQ(old.line, VideoRewriter::Line::previous);
    EXPECT_EQ(old.source, 0);
    EXPECT_EQ(rewriter.own_timestamp(old.line, 0), 1000U);
    EXPECT_EQ(rewriter.origin_of(65'534)->line, VideoRewriter::Line::current);
    EXPECT_EQ(source_of(65'534), 900);
    rewriter.forget_previous();
    EXPECT_FALSE(source_of(65'533));
    EXPECT_EQ(source_of(65'534), 900);
}

TEST_F(Rewriter, LatePacketsOfThePreviousSourceKeepTheirPlace) {
    rewriter.start_line(0, 0, std::nullopt, now);
    number(0);
    number(4);
    rewriter.start_line(700, 9000, std::nullopt, now);
    EXPECT_EQ(number(700), 2);
    EXPECT_EQ(number(702), 4);
    const auto late = rewriter.place_previous(2, 0, true).value();
    EXPECT_EQ(late.sequence, 65'535);
    EXPECT_EQ(late.timestamp, 1000U);
    EXPECT_EQ(rewriter.origin_of(65'535)->use, VideoRewriter::Use::sent_marked);
    EXPECT_FALSE(rewriter.place_previous(2, 0, true)) << "its number is used";
    EXPECT_FALSE(rewriter.place_previous(4, 0, true));
    EXPECT_FALSE(rewriter.place_previous(5, 0, true)) << "came after the switch";
    EXPECT_FALSE(rewriter.place_previous(701, 0, false)) << "belongs to the new one";
    EXPECT_EQ(rewriter.skip_previous(3), 0);
    EXPECT_EQ(rewriter.origin_of(0)->use, VideoRewriter::Use::filler);
    EXPECT_EQ(number(701), 3);

    rewriter.start_line(40, 0, std::nullopt, now);
    EXPECT_EQ(number(40), 5);
    EXPECT_FALSE(source_of(65'534)) << "two sources ago";
    EXPECT_FALSE(rewriter.place_previous(1, 0, false));
    EXPECT_EQ(source_of(4), 702);
}

TEST_F(Rewriter, MissingPacketsBetweenTwoThatAreLeftOutLeaveNoGap) {
    rewriter.start_line(0, 0, std::nullopt, now);
    number(0);
    EXPECT_FALSE(rewriter.skip(1));
    EXPECT_FALSE(rewriter.skip(4, true));
    EXPECT_EQ(number(5), 65'534);
    EXPECT_FALSE(rewriter.skip(2)) << "no number was kept for it";
    EXPECT_FALSE(rewriter.place(3, 0, false, now));
    EXPECT_EQ(source_of(65'534), 5);
}

TEST_F(Rewriter, TimeGoesOnWhereTheNewSourceSaysButNeverBack) {
    rewriter.start_line(0, 0, std::nullopt, now);
    number(0);
    now += 40ms;
    rewriter.start_line(0, 500, 1000 + 3000, now);
    EXPECT_EQ(rewriter.place(0, 500, false, now)->timestamp, 4000U) << "as wished";
    now += 40ms;
    rewriter.start_line(0, 77, 3000, now);
    EXPECT_EQ(rewriter.place(0, 77, false, now)->timestamp, 4001U) << "one tick on instead of back";
    now += 40ms;
    // The old line runs 1001 ticks ahead: the next switch takes them back.
    rewriter.start_line(0, 0, 9001, now);
    EXPECT_EQ(rewriter.place(0, 0, false, now)->timestamp, 8000U);
    now += 40ms;
    rewriter.start_line(0, 0, 8000 + 500'000, now);
    EXPECT_EQ(rewriter.place(0, 0, false, now)->timestamp, 8000U + 3600) << "a wild wish: as time passed";
}

TEST_F(Rewriter, SameSourceAfterAPauseKeepsItsClock) {
    rewriter.start_line(0, 0, std::nullopt, now);
    number(0);
    rewriter.suspend();
    rewriter.start(50, 150'000);
    const auto stamp = rewriter.place(50, 150'000, false, now + 1s).value();
    EXPECT_EQ(stamp.sequence, 65'534);
    EXPECT_EQ(stamp.timestamp, 151'000U);
    EXPECT_EQ(source_of(65'533), 0) << "can still be repeated";
    EXPECT_FALSE(rewriter.place(49, 0, false, now)) << "of the pause";
}

TEST_F(Rewriter, GapBeyondTheLimitSuspends) {
    rewriter.start_line(0, 0, std::nullopt, now);
    number(0);
    EXPECT_EQ(number(513), static_cast<std::uint16_t>(65'533 + 513));
    EXPECT_FALSE(rewriter.place(514 + 513, 0, false, now));
    EXPECT_FALSE(rewriter.running());
}

TEST_F(Rewriter, ManySegmentsForgetTheOldest) {
    rewriter.start_line(0, 0, std::nullopt, now);
    for (std::int64_t n = 0; n < 1000; n += 2) {
        EXPECT_EQ(number(n), static_cast<std::uint16_t>(65'533 + n / 2));
        EXPECT_FALSE(rewriter.skip(n + 1));
    }
    EXPECT_EQ(source_of(static_cast<std::uint16_t>(65'533 + 499)), 998);
    EXPECT_EQ(source_of(static_cast<std::uint16_t>(65'533 + 400)), 800);
    EXPECT_FALSE(source_of(65'533));
    EXPECT_FALSE(rewriter.place(0, 0, false, now));
}

TEST_F(Rewriter, ForgettingKeepsTheNumbersGoing) {
    rewriter.start_line(0, 0, std::nullopt, now);
    number(0);
    number(1);
    rewriter.forget();
    EXPECT_FALSE(source_of(65'533));
    EXPECT_EQ(number(2), 65'535);
    EXPECT_EQ(source_of(65'535), 2);
}

}  // namespace
}  // namespace media::room
