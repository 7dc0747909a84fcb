#include "meetings/chime/breaker.hpp"

#include <gtest/gtest.h>

namespace meetings::chime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = Breaker::State;

Breaker::Time at(milliseconds after) {
    return Breaker::Time{} + std::chrono::hours{1} + after;
}

void fail(Breaker& breaker, Breaker::Time now) {
    const auto pass = breaker.admit(now);
    ASSERT_TRUE(pass);
    breaker.failed(*pass, now);
}

void succeed(Breaker& breaker, Breaker::Time now) {
    const auto pass = breaker.admit(now);
    ASSERT_TRUE(pass);
    breaker.succeeded(*pass, now);
}

Breaker opened() {
    Breaker breaker;
    for (int i = 0; i < 5; ++i) fail(breaker, at(milliseconds{0}));
    return breaker;
}

TEST(Breaker, OpensAfterFiveFailuresInARow) {
    Breaker breaker;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 4; ++i) fail(breaker, at(seconds{40 * round}));
        succeed(breaker, at(seconds{40 * round}));
    }
    EXPECT_EQ(breaker.state(at(seconds{100})), State::closed);
    for (int i = 0; i < 5; ++i) fail(breaker, at(seconds{200}));
    EXPECT_EQ(breaker.state(at(seconds{200})), State::open);
    EXPECT_FALSE(breaker.admit(at(seconds{204})));
    EXPECT_EQ(breaker.remaining(at(seconds{204})), seconds{1});
}

TEST(Breaker, OpensWhenHalfOfTheLatestCallsFail) {
    Breaker breaker;
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(breaker.state(at(seconds{1})), State::closed);
        succeed(breaker, at(seconds{1}));
        fail(breaker, at(seconds{1}));
    }
    EXPECT_EQ(breaker.state(at(seconds{1})), State::open);
}

TEST(Breaker, ForgetsWhatIsLongAgo) {
    Breaker breaker;
    for (int i = 0; i < 60; ++i) {
        succeed(breaker, at(seconds{4 * i}));
        fail(breaker, at(seconds{4 * i}));
    }
    EXPECT_EQ(breaker.state(at(seconds{240})), State::closed);
}

TEST(Breaker, LetsOneProbeThroughAndClosesWhenItSucceeds) {
    auto breaker = opened();
    EXPECT_FALSE(breaker.admit(at(milliseconds{4999})));
    EXPECT_EQ(breaker.state(at(seconds{5})), State::half_open);
    const auto probe = breaker.admit(at(seconds{5}));
    ASSERT_TRUE(probe);
    EXPECT_FALSE(breaker.admit(at(seconds{6})));
    breaker.succeeded(*probe, at(seconds{6}));
    EXPECT_EQ(breaker.state(at(seconds{6})), State::closed);
    // All is forgiven: it takes five again, and the first pause is the short one.
    for (int i = 0; i < 5; ++i) fail(breaker, at(seconds{7}));
    EXPECT_EQ(breaker.remaining(at(seconds{7})), seconds{5});
}

TEST(Breaker, DoublesThePauseWithEachProbeThatFails) {
    auto breaker = opened();
    auto now = at(milliseconds{0});
    for (const int pause : {5, 10, 20, 40, 60, 60}) {
        EXPECT_EQ(breaker.remaining(now), seconds{pause});
        now += seconds{pause};
        fail(breaker, now);
    }
}

TEST(Breaker, AProbeThatIsGivenUpMakesRoomForTheNext) {
    auto breaker = opened();
    const auto probe = breaker.admit(at(seconds{5}));
    ASSERT_TRUE(probe);
    breaker.abandoned(*probe);
    EXPECT_EQ(breaker.state(at(seconds{5})), State::half_open);
    EXPECT_TRUE(breaker.admit(at(seconds{5})));
}

TEST(Breaker, StragglersDoNotSpeakForTheProbe) {
    Breaker breaker;
    const auto slow_failure = breaker.admit(at(milliseconds{0}));
    const auto slow_success = breaker.admit(at(milliseconds{0}));
    const auto slow_nothing = breaker.admit(at(milliseconds{0}));
    for (int i = 0; i < 5; ++i) fail(breaker, at(milliseconds{0}));
    breaker.succeeded(*slow_success, at(seconds{1}));
    EXPECT_EQ(breaker.state(at(seconds{1})), State::open);
    const auto probe = breaker.admit(at(seconds{5}));
    ASSERT_TRUE(probe);
    breaker.failed(*slow_failure, at(seconds{5}));
    breaker.abandoned(*slow_nothing);
    EXPECT_FALSE(breaker.admit(at(seconds{5})));
    breaker.succeeded(*probe, at(seconds{5}));
    EXPECT_EQ(breaker.state(at(seconds{5})), State::closed);
}

}  // namespace
}  // namespace meetings::chime
