#include "media/room/speaker_choice.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace media::room {
namespace {

using namespace std::chrono_literals;

class Choice : public ::testing::Test {
  protected:
    void hear(std::vector<SpeakerChoice::Candidate> candidates, std::chrono::milliseconds time) {
        for (const Time end = now + time; now < end; now += 10ms) choice.update(candidates, now);
    }
    Time now{1h};
    SpeakerChoice choice;
};

TEST_F(Choice, NobodyHearsNobody) {
    hear({}, 100ms);
    EXPECT_FALSE(choice.for_listener(1));
}

TEST_F(Choice, OnlySpeakerIsHeardByAllButItsOwnPerson) {
    hear({{.peer = 7, .person = 1, .level = 20}}, 10ms);
    EXPECT_EQ(choice.for_listener(2), 7U);
    EXPECT_FALSE(choice.for_listener(1));
}

TEST_F(Choice, InterjectionTakesTheSeatOnlyWhenItLasts) {
    hear({{1, 1, 25}, {2, 2, 40}}, 1s);
    EXPECT_EQ(choice.for_listener(9), 1U);
    hear({{1, 1, 25}, {2, 2, 15}}, 200ms);
    EXPECT_EQ(choice.for_listener(9), 1U);
    hear({{1, 1, 25}, {2, 2, 40}}, 200ms);
    hear({{1, 1, 25}, {2, 2, 15}}, 300ms);
    EXPECT_EQ(choice.for_listener(9), 1U) << "the clock starts anew after each retreat";
    hear({{1, 1, 25}, {2, 2, 15}}, 200ms);
    EXPECT_EQ(choice.for_listener(9), 2U);
    EXPECT_EQ(choice.for_listener(2), 1U);
}

TEST_F(Choice, SilentHolderYieldsQuickly) {
    hear({{1, 1, 25}, {2, 2, 90}}, 1s);
    hear({{1, 1, 90}, {2, 2, 30}}, 80ms);
    EXPECT_EQ(choice.for_listener(9), 2U);
}

TEST_F(Choice, HolderThatLeavesIsReplacedAtOnce) {
    hear({{1, 1, 25}, {2, 2, 90}}, 1s);
    hear({{2, 2, 90}}, 10ms);
    EXPECT_EQ(choice.for_listener(9), 2U);
}

TEST_F(Choice, TwoAlwaysHearEachOtherWhoeverIsLouder) {
    for (int i = 0; i < 100; ++i) {
        const bool first = i % 2 == 0;
        hear({{1, 1, static_cast<std::uint8_t>(first ? 10 : 100)}, {2, 2, static_cast<std::uint8_t>(first ? 100 : 10)}},
             std::chrono::milliseconds(37 * (i % 7) + 10));
        ASSERT_EQ(choice.for_listener(1), 2U);
        ASSERT_EQ(choice.for_listener(2), 1U);
    }
}

TEST(LoudnessMeter, RisesQuicklyFallsSlowlyAndForgets) {
    LoudnessMeter meter;
    Time now{1h};
    EXPECT_FALSE(meter.level(now));
    meter.take(100, now);
    EXPECT_EQ(meter.level(now), 100);
    meter.take(20, now += 20ms);
    meter.take(20, now += 20ms);
    EXPECT_LE(*meter.level(now), 45);
    meter.take(127, now += 20ms);
    EXPECT_LE(*meter.level(now), 60);
    EXPECT_FALSE(meter.level(now + 301ms));
}

}  // namespace
}  // namespace media::room
