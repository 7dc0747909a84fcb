// The estimate against a simulated bottleneck: what it finds, how quickly, and what queue it leaves on the way.
#include "media/congestion/send_side_estimate.hpp"

#include <gtest/gtest.h>

#include "media/congestion/simulated_path.hpp"

namespace media::congestion::testing {
namespace {

constexpr Time kStart{std::chrono::hours(1)};
constexpr std::uint64_t kWanted = 2'500'000;

class Call : public ::testing::Test {
  protected:
    void make(Bottleneck::Settings path, Flow::Settings flow = {.wanted_bps = kWanted}) {
        path_.emplace(path, 7);
        flow_.emplace(*path_, flow);
    }
    void play(std::chrono::milliseconds time) {
        path_->most_queue = 0us;
        const std::uint64_t sent = flow_->sent_packets;
        const std::uint64_t lost = flow_->lost_packets;
        const std::uint64_t arrived = flow_->arrived_bytes;
        const Time from = now_;
        double sum = 0;
        int steps = 0;
        pass(now_, time, [&](Time now) {
            flow_->step(now);
            sum += static_cast<double>(flow_->estimate.bps());
            ++steps;
        });
        mean_estimate_ = sum / steps;
        loss_ = static_cast<double>(flow_->lost_packets - lost) / static_cast<double>(flow_->sent_packets - sent);
        arrived_bps_ = static_cast<double>(flow_->arrived_bytes - arrived) * 8 /
                       std::chrono::duration<double>(now_ - from).count();
    }
    Us queue() const { return path_->most_queue; }

    Time now_ = kStart;
    std::optional<Bottleneck> path_;
    std::optional<Flow> flow_;
    // Of the last `play`.
    double mean_estimate_ = 0;
    double arrived_bps_ = 0;
    double loss_ = 0;
};

TEST_F(Call, FindsANarrowLinkWithinTwoSeconds) {
    make({.bps = 300'000});
    play(2s);
    play(2s);
    EXPECT_GT(mean_estimate_, 200'000);
    EXPECT_LT(mean_estimate_, 320'000);
    EXPECT_EQ(loss_, 0);
    play(10s);
    EXPECT_GT(mean_estimate_, 230'000);
    EXPECT_LT(mean_estimate_, 330'000);
    EXPECT_GT(arrived_bps_, 230'000);
    EXPECT_EQ(loss_, 0);
    EXPECT_LT(queue(), 260ms) << "most of the time far less";
}

TEST_F(Call, FindsAMegabitWithinASecond) {
    make({.bps = 1'000'000});
    play(1s);
    EXPECT_LT(queue(), 100ms);
    play(1s);
    EXPECT_GT(mean_estimate_, 800'000);
    EXPECT_LT(mean_estimate_, 1'050'000);
    play(20s);
    EXPECT_GT(arrived_bps_, 850'000);
    EXPECT_EQ(loss_, 0);
    EXPECT_LT(queue(), 100ms);
}

TEST_F(Call, DeepBuffersStayEmpty) {
    make({.bps = 1'000'000, .longest_queue = 3s});
    play(30s);
    EXPECT_LT(queue(), 150ms);
    EXPECT_GT(arrived_bps_, 800'000);
}

TEST_F(Call, VeryThinLinkKeepsRoomForAudio) {
    make({.bps = 100'000});
    play(5s);
    play(20s);
    EXPECT_LT(mean_estimate_, 115'000);
    EXPECT_LT(loss_, 0.03);
}

TEST_F(Call, GrowsBackAfterALimitIsLifted) {
    make({.bps = 2'000'000});
    play(5s);
    EXPECT_GT(mean_estimate_, 1'200'000);
    path_->settings.bps = 300'000;
    play(3s);
    play(10s);
    EXPECT_LT(mean_estimate_, 340'000);
    EXPECT_LT(loss_, 0.02);
    path_->settings.bps = 2'000'000;
    play(18s);
    play(2s);
    EXPECT_GT(mean_estimate_, 1'400'000) << "20 s later";
}

TEST_F(Call, GrowsBackWithoutProbesToo) {
    make({.bps = 300'000}, {.wanted_bps = 0});
    play(10s);
    path_->settings.bps = 2'000'000;
    play(20s);
    play(1s);
    EXPECT_GT(mean_estimate_, 900'000);
}

TEST_F(Call, RandomLossDoesNotCollapseIt) {
    for (const double bps : {1'000'000.0, 2'000'000.0}) {
        make({.bps = bps, .random_loss = 0.05});
        play(3s);
        play(30s);
        EXPECT_GT(mean_estimate_, 0.75 * bps);
        EXPECT_LT(queue(), 100ms);
    }
}

TEST_F(Call, HeavyRandomLossLeavesAPicture) {
    make({.bps = 2'000'000, .random_loss = 0.2});
    play(10s);
    play(30s);
    EXPECT_GT(mean_estimate_, 270'000);
    EXPECT_EQ(queue() / 100ms, 0);
}

TEST_F(Call, LinkWithoutAQueueIsLimitedByItsLosses) {
    make({.bps = 1'000'000, .longest_queue = 12ms});
    play(5s);
    play(20s);
    EXPECT_GT(arrived_bps_, 850'000);
    EXPECT_LT(mean_estimate_, 1'250'000);
    EXPECT_LT(loss_, 0.15);
}

TEST_F(Call, JitterIsNoCongestion) {
    make({.bps = 2'000'000, .jitter = 30ms});
    play(20s);
    play(10s);
    EXPECT_GT(mean_estimate_, 1'400'000);
}

TEST_F(Call, ShortOfTrafficItIsProbedAndHeld) {
    make({.bps = 10'000'000}, {.camera_bps = 500'000, .wanted_bps = kWanted});
    play(2s);
    EXPECT_GT(flow_->estimate.bps(), 2'000'000U) << "found by probes";
    play(10s);
    EXPECT_GT(flow_->estimate.bps(), 2'000'000U) << "and not forgotten";
    EXPECT_LT(arrived_bps_, 700'000) << "without filling the link";
}

TEST_F(Call, WithoutTrafficNothingIsMadeUp) {
    make({.bps = 10'000'000}, {.camera_bps = 200'000, .wanted_bps = 0});
    play(60s);
    EXPECT_LE(flow_->estimate.bps(), 600'000U) << "half as much again as ever arrived, or the start";
}

TEST_F(Call, CrossTrafficTakesItsShareAndGivesItBack) {
    make({.bps = 2'000'000});
    play(8s);
    // A stream that yields to nobody.
    const auto crossed = [&](Time now) {
        path_->send(750, now);
        flow_->step(now);
    };
    pass(now_, 3s, crossed);
    path_->most_queue = 0us;
    pass(now_, 10s, crossed);
    EXPECT_LT(flow_->estimate.bps(), 950'000U);
    EXPECT_GT(flow_->estimate.bps(), 350'000U);
    EXPECT_LT(queue(), 250ms);
    play(20s);
    EXPECT_GT(flow_->estimate.bps(), 1'400'000U);
}

TEST_F(Call, TwoFlowsShare) {
    Bottleneck path({.bps = 2'000'000}, 3);
    Flow first(path, {.wanted_bps = kWanted});
    Flow second(path, {.wanted_bps = kWanted});
    pass(now_, 10s, [&](Time now) { first.step(now); });
    pass(now_, 20s, [&](Time now) {
        first.step(now);
        second.step(now);
    });
    const auto before = std::pair(first.arrived_bytes, second.arrived_bytes);
    path.most_queue = 0us;
    pass(now_, 30s, [&](Time now) {
        first.step(now);
        second.step(now);
    });
    const double one = static_cast<double>(first.arrived_bytes - before.first);
    const double two = static_cast<double>(second.arrived_bytes - before.second);
    EXPECT_GT(std::min(one, two) / (one + two), 0.3);
    EXPECT_GT((one + two) * 8 / 30, 1'500'000);
    EXPECT_LT(path.most_queue, 200ms);
}

TEST_F(Call, SilenceOfTheReceiverBringsItDown) {
    make({.bps = 2'000'000});
    play(5s);
    const std::uint64_t before = flow_->estimate.bps();
    flow_->unanswered = true;
    play(1s);
    EXPECT_EQ(flow_->estimate.bps(), before) << "a lost feedback packet or two mean nothing";
    play(20s);
    EXPECT_EQ(flow_->estimate.bps(), 50'000U);
    EXPECT_FALSE(flow_->estimate.fresh(now_));
    flow_->unanswered = false;
    play(20s);
    EXPECT_GT(flow_->estimate.bps(), 500'000U);
}

TEST_F(Call, LineThatWasAwayIsUsedAgainAtOnce) {
    for (const double bps : {500'000.0, 2'000'000.0}) {
        make({.bps = bps});
        play(10s);
        path_->away = true;
        flow_->unanswered = true;
        play(4s);
        path_->away = false;
        flow_->unanswered = false;
        play(1s);
        play(1s);
        EXPECT_GT(arrived_bps_, 0.35 * bps);
        play(15s);
        EXPECT_GT(flow_->estimate.bps(), 0.6 * bps);
    }
}

TEST_F(Call, EstimateIsBackWithinASecondOfTheFirstWord) {
    for (const double bps : {500'000.0, 1'000'000.0}) {
        make({.bps = bps});
        play(15s);
        const std::uint64_t before = flow_->estimate.bps();
        path_->away = true;
        flow_->unanswered = true;
        play(4s);
        path_->away = false;
        flow_->unanswered = false;
        play(1200ms);
        EXPECT_GT(flow_->estimate.bps(), before / 2) << bps;
    }
}

TEST_F(Call, ProbesAreRareWhereTheyFindNothing) {
    make({.bps = 500'000}, {.camera_bps = 2'000'000, .wanted_bps = kWanted});
    play(10s);
    const std::uint64_t before = flow_->probe_bytes;
    play(60s);
    const std::uint64_t probed = flow_->probe_bytes - before;
    EXPECT_LT(static_cast<double>(probed) * 8 / 60, 5'000) << "bit/s, on average";
}

}  // namespace
}  // namespace media::congestion::testing
