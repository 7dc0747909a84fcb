#include "media/room/audio_slots.hpp"

#include <gtest/gtest.h>

namespace media::room {
namespace {

using namespace std::chrono_literals;
using Place = AudioSlots::Place;

class Slots : public ::testing::Test {
  protected:
    void SetUp() override {
        slots.start(now);
        // Earns the right to leave slots open.
        for (int i = 0; i < 50; ++i) {
            while (slots.silence(now, opened)) ++silence;
            now += 20ms;
        }
    }
    Time now{1h};
    AudioSlots slots{65'500, 0xFFFFFF00};
    std::uint64_t opened = 0;
    int silence = 0;
};

TEST_F(Slots, NumbersWrapAndGoOn) {
    std::optional<AudioSlots::Stamp> before;
    for (int i = 0; i < 200; ++i) {
        const auto placed = slots.place(i, now);
        ASSERT_EQ(placed.place, Place::send);
        if (before) {
            EXPECT_EQ(static_cast<std::uint16_t>(placed.stamp.sequence - before->sequence), 1);
            EXPECT_EQ(placed.stamp.timestamp - before->timestamp, 960U);
        }
        before = placed.stamp;
        now += 20ms;
    }
}

TEST_F(Slots, SameSlotIsNeverUsedTwice) {
    const auto first = slots.place(10, now);
    const auto third = slots.place(12, now + 40ms);
    EXPECT_EQ(third.opened, 1U);
    const auto second = slots.place(11, now + 45ms);
    EXPECT_EQ(second.place, Place::send);
    EXPECT_EQ(static_cast<std::uint16_t>(second.stamp.sequence - first.stamp.sequence), 1);
    for (int position : {10, 11, 12}) EXPECT_EQ(slots.place(position, now + 50ms).place, Place::late);
    EXPECT_EQ(slots.place(9, now + 50ms).place, Place::late) << "silence was sent there";
    EXPECT_EQ(slots.place(-40, now + 50ms).place, Place::late);
}

TEST_F(Slots, UnbelievableJumpOfTheSpeakerIsClosed) {
    const auto before = slots.place(10, now);
    const auto after = slots.place(1'000'000, now + 20ms);
    EXPECT_EQ(after.place, Place::send);
    EXPECT_EQ(after.opened, 0U);
    EXPECT_EQ(static_cast<std::uint16_t>(after.stamp.sequence - before.stamp.sequence), 1);
    // Backwards it looks late, until patience runs out and the next packet counts anew.
    EXPECT_EQ(slots.place(5, now + 40ms).place, Place::late);
    now += 300ms;
    while (slots.silence(now, opened)) ++silence;
    EXPECT_EQ(slots.place(6, now).place, Place::send);
}

TEST_F(Slots, LossOnAPathThatGetsFasterKeepsItsDistance) {
    // The first packet was slow, so all slots are late by as much; then the path is quick again.
    const auto before = slots.place(0, now);
    const auto after = slots.place(17, now + 190ms);  // 340 ms of voice later: 150 ms faster.
    EXPECT_EQ(after.place, Place::send);
    EXPECT_EQ(after.opened, 16U);
    EXPECT_EQ(static_cast<std::uint16_t>(after.stamp.sequence - before.stamp.sequence), 17);
    EXPECT_EQ(after.stamp.timestamp - before.stamp.timestamp, 17U * 960);
}

TEST_F(Slots, NoMoreThanTwentySlotsInARowStayOpen) {
    AudioSlots other = slots;
    const auto before = slots.place(0, now);
    const auto most = slots.place(21, now + 220ms);
    EXPECT_EQ(most.opened, AudioSlots::kMaxOpen);
    EXPECT_EQ(static_cast<std::uint16_t>(most.stamp.sequence - before.stamp.sequence), 21);
    EXPECT_EQ(slots.place(23, now + 260ms).opened, 0U) << "the allowance is used up";

    other.place(0, now);
    const auto closed = other.place(22, now + 240ms);
    EXPECT_EQ(closed.opened, 0U);
    EXPECT_EQ(closed.stamp.sequence, static_cast<std::uint16_t>(before.stamp.sequence + 1));
}

TEST_F(Slots, StragglerDoesNotFillASlotThatSomebodyElseLeftOpen) {
    slots.place(0, now);
    ASSERT_EQ(slots.place(3, now + 60ms).opened, 2U);
    slots.release();
    ASSERT_EQ(slots.place(1000, now + 80ms).place, Place::send);
    // Slots 1 and 2 of the speaker before are still open.
    EXPECT_EQ(slots.place(998, now + 80ms).place, Place::late);
    EXPECT_EQ(slots.place(997, now + 80ms).place, Place::late);
    // Its own are filled as ever.
    ASSERT_EQ(slots.place(1002, now + 120ms).opened, 1U);
    EXPECT_EQ(slots.place(1001, now + 125ms).place, Place::send);
}

TEST_F(Slots, StragglerDoesNotFillASlotFromBeforeAClosedJump) {
    slots.place(0, now);
    ASSERT_EQ(slots.place(3, now + 60ms).opened, 2U);
    ASSERT_EQ(slots.place(1000, now + 80ms).opened, 0U);
    // It would be heard before position 3.
    EXPECT_EQ(slots.place(998, now + 80ms).place, Place::late);
}

TEST_F(Slots, CopiesAreOfUseWhereNothingHasComeYet) {
    EXPECT_FALSE(slots.misses(3)) << "nobody is heard";
    slots.place(0, now);
    slots.place(3, now + 60ms);
    for (int position : {0, 3, -1, -40}) EXPECT_FALSE(slots.misses(position)) << position;
    for (int position : {1, 2, 4, 5}) EXPECT_TRUE(slots.misses(position)) << position;
    EXPECT_FALSE(slots.misses(1000));
    slots.place(2, now + 61ms);
    EXPECT_FALSE(slots.misses(2));
}

TEST_F(Slots, BeatsGetOneSlotEachAndGoOnWithTheNumbers) {
    const auto speaker = slots.place(0, now);
    auto before = speaker.stamp;
    for (Time beat = now + 27ms; beat < now + 2s; beat += 20ms) {
        while (slots.overdue(beat, opened)) ADD_FAILURE() << "nothing is overdue";
        const auto stamp = slots.beat(beat);
        ASSERT_TRUE(stamp);
        EXPECT_EQ(static_cast<std::uint16_t>(stamp->sequence - before.sequence), 1);
        EXPECT_EQ(stamp->timestamp - before.timestamp, 960U);
        before = *stamp;
    }
    EXPECT_EQ(opened, 0U);
}

TEST_F(Slots, BeatsLeaveOutWhatABurstHasFilledAndMakeUpForWhatWasLate) {
    for (int i = 0; i < 5; ++i) slots.place(i, now);
    int sent = 0;
    for (Time beat = now; beat < now + 200ms; beat += 20ms) {
        if (slots.beat(beat)) ++sent;
    }
    EXPECT_EQ(sent, 5) << "five of ten were there";

    int silent = 0;
    const Time late = now + 260ms;
    while (slots.overdue(late, opened)) ++silent;
    EXPECT_EQ(silent, 3) << "60 ms";
    EXPECT_TRUE(slots.beat(late));
    EXPECT_FALSE(slots.beat(late)) << "one a beat";
    EXPECT_EQ(opened, 0U);
    slots.stop();
    EXPECT_FALSE(slots.beat(late + 1s));
    EXPECT_FALSE(slots.overdue(late + 1s, opened));
}

TEST_F(Slots, SilenceWaitsForASpeakerButNotForever) {
    ASSERT_EQ(slots.place(0, now).place, Place::send);
    EXPECT_FALSE(slots.silence(now + 219ms, opened));
    EXPECT_TRUE(slots.silence(now + 221ms, opened));
    EXPECT_GT(opened, 0U);
}

TEST_F(Slots, NewSpeakerTakesTheNextSlotWhateverItsNumbers) {
    const auto first = slots.place(10, now);
    slots.release();
    const auto second = slots.place(-7'000'000, now + 20ms);
    EXPECT_EQ(second.place, Place::send);
    EXPECT_EQ(static_cast<std::uint16_t>(second.stamp.sequence - first.stamp.sequence), 1);
}

TEST_F(Slots, BurstAheadOfTimeIsBounded) {
    int sent = 0;
    for (int i = 0; i < 100; ++i) {
        if (slots.place(i, now).place == Place::send) ++sent;
    }
    EXPECT_GE(sent, 10);
    EXPECT_LE(sent, 12);
}

TEST_F(Slots, StalledThreadDoesNotCatchUpByAFlood) {
    now += 1h;
    int burst = 0;
    while (slots.silence(now, opened)) ++burst;
    EXPECT_EQ(burst, 1);
}

TEST_F(Slots, StandingStillSendsNothing) {
    slots.stop();
    EXPECT_FALSE(slots.running());
    EXPECT_FALSE(slots.silence(now + 10s, opened));
}

TEST_F(Slots, TimestampOfNowRunsWithTheSlots) {
    const std::uint32_t at = slots.timestamp_at(now);
    EXPECT_EQ(slots.timestamp_at(now + 10ms) - at, 480U);
    EXPECT_EQ(slots.place(0, now).stamp.timestamp, at);
}

}  // namespace
}  // namespace media::room
