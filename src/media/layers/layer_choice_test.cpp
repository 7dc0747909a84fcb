#include "media/layers/layer_choice.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace media::layers {
namespace {

using namespace std::chrono_literals;
using enum QualityPreference;

/// Rates of L3T3: every spatial layer twice the one below, half of it in T0, a quarter each in T1 and T2.
LayerRates svc(std::uint32_t base_bps, std::uint8_t spatial = 3, std::uint8_t temporal = 3) {
    LayerRates rates;
    rates.turn(Time{1h});
    for (std::uint8_t s = 0; s < spatial; ++s) {
        for (std::uint8_t t = 0; t < temporal; ++t) {
            const std::uint32_t share = temporal == 1 || t == 0 ? 2 : 1;
            rates.take({.spatial = s, .temporal = t}, (base_bps << s) / 8 * share / (temporal == 1 ? 2 : 4));
        }
    }
    rates.turn(Time{1h} + 1s);
    return rates;
}
LayerRates plain(std::uint32_t bps) {
    return svc(bps, 1, 1);
}

std::vector<LayerLimit> way_down(QualityPreference preference) {
    Ladder ladder;
    ladder.add_stream(0, svc(100'000), preference, 0);
    std::vector<LayerLimit> result;
    for (std::size_t i = ladder.size(); i-- > 0;) result.push_back(ladder[i].limit);
    return result;
}

TEST(Ladder, PreferenceSaysWhatIsGivenUpFirst) {
    constexpr std::uint8_t kAll = LayerLimit::kAll;
    EXPECT_EQ(way_down(maintain_resolution),
              (std::vector<LayerLimit>{{kAll, kAll}, {kAll, 1}, {kAll, 0}, {1, 0}, {0, 0}}));
    EXPECT_EQ(way_down(maintain_framerate),
              (std::vector<LayerLimit>{{kAll, kAll}, {1, kAll}, {0, kAll}, {0, 1}, {0, 0}}));
    EXPECT_EQ(way_down(balanced), (std::vector<LayerLimit>{{kAll, kAll}, {kAll, 1}, {1, 1}, {1, 0}, {0, 0}}));
}

TEST(Ladder, RungsCostWhatTheirLayersTake) {
    Ladder ladder;
    ladder.add_stream(0, svc(100'000), maintain_framerate, 0);
    ASSERT_EQ(ladder.size(), 5U);
    EXPECT_EQ(ladder[0].bps, 50'000U);
    EXPECT_EQ(ladder[2].bps, 100'000U);
    EXPECT_EQ(ladder[4].bps, 700'000U);
}

TEST(Ladder, SimulcastLayersStandAboveEachOther) {
    Ladder ladder;
    ladder.add_stream(0, plain(300'000), balanced, 0);
    ladder.add_stream(2, LayerRates{}, balanced, 1'200'000);
    ASSERT_EQ(ladder.size(), 2U);
    EXPECT_EQ(ladder[1].bps, 1'200'000U) << "announced, not measured yet";
    EXPECT_EQ(ladder[1].stream, 2);
    EXPECT_EQ(ladder.find({0, 2, {}}), 1U);
    EXPECT_EQ(ladder.find({0, 1, {}}), 0U) << "the layer between is gone";
    EXPECT_EQ(ladder.find({0, 0, {0, 0}}), 0U);

    ladder.clear();
    ladder.add_stream(0, plain(300'000), balanced, 0);
    ladder.add_stream(1, plain(200'000), balanced, 0);
    EXPECT_EQ(ladder.size(), 1U) << "better and cheaper";
    EXPECT_EQ(ladder[0].stream, 1);
}

class Choice : public ::testing::Test {
  protected:
    Candidate& add(std::uint32_t priority, std::uint64_t target_bps = 0, bool may_pause = true) {
        const std::size_t at = used++;
        candidates[at].state = &states[at];
        candidates[at].priority = priority;
        candidates[at].target_bps = target_bps;
        candidates[at].may_pause = may_pause;
        return candidates[at];
    }
    /// Three simulcast layers of 100, 300 and 1000 kbit/s.
    Candidate& camera(std::uint32_t priority, std::uint64_t target_bps = 0) {
        Candidate& one = add(priority, target_bps);
        one.ladder.add_stream(0, plain(100'000), balanced, 0);
        one.ladder.add_stream(1, plain(300'000), balanced, 0);
        one.ladder.add_stream(2, plain(1'000'000), balanced, 0);
        return one;
    }
    /// The stream chosen for each; -1: paused.
    std::vector<int> choose(std::optional<std::uint64_t> budget, std::chrono::milliseconds later = 0ms) {
        now += later;
        choose_layers(std::span(candidates).first(used), budget, now);
        std::vector<int> result;
        result.reserve(used);
        for (std::size_t i = 0; i < used; ++i) result.push_back(states[i].paused ? -1 : states[i].rung.stream);
        return result;
    }
    using List = std::vector<int>;
    Time now{2h};
    std::array<Candidate, 4> candidates;
    std::array<ChoiceState, 4> states;
    std::size_t used = 0;
};

TEST_F(Choice, TableOfBudgets) {
    struct Row {
        std::optional<std::uint64_t> budget;
        List expected;
    };
    const Row rows[] = {
        {std::nullopt, {2, 2, 1}},  // 1000, 1000, target 600
        {3'000'000, {2, 2, 1}},     //
        {2'300'000, {2, 2, 1}},     //
        {2'299'999, {2, 2, 0}},     // the least important gives first
        {2'100'000, {2, 2, 0}},     //
        {1'400'000, {2, 1, 0}},     // 1000 + 300 + 100
        {1'200'000, {2, 0, 0}},     //
        {1'199'999, {1, 1, 1}},     // 300 each: the most important cannot have more
        {500'000, {1, 0, 0}},       //
        {300'000, {0, 0, 0}},       //
        {299'999, {0, 0, -1}},      // not even a base layer
        {100'000, {0, -1, -1}},     //
        {99'999, {-1, -1, -1}},     //
    };
    for (const Row& row : rows) {
        used = 0;
        candidates = {};
        states = {};
        camera(30);
        camera(20);
        camera(10, 600'000);
        EXPECT_EQ(choose(row.budget), row.expected) << row.budget.value_or(0);
    }
}

TEST_F(Choice, EqualsAreRaisedInTurn) {
    camera(5);
    camera(5);
    camera(5);
    EXPECT_EQ(choose(1'000'000), (List{1, 1, 1}));
    states = {};
    EXPECT_EQ(choose(1'700'000), (List{2, 1, 1}));
}

TEST_F(Choice, DownAtOnceAndUpWithHeadroomAndPatience) {
    camera(1);
    EXPECT_EQ(choose(1'000'000), List{2});
    EXPECT_EQ(choose(999'999, 100ms), List{1}) << "at once";
    EXPECT_EQ(choose(99'999, 100ms), List{-1}) << "at once again";
    EXPECT_EQ(choose(5'000'000, 100ms), List{-1}) << "patience";
    EXPECT_EQ(choose(114'000, 900ms), List{-1}) << "headroom";
    EXPECT_EQ(choose(116'000, 100ms), List{0});
    EXPECT_EQ(choose(5'000'000, 900ms), List{0});
    EXPECT_EQ(choose(1'100'000, 100ms), List{1}) << "for the highest the headroom is missing";
    EXPECT_EQ(choose(1'100'000, 60s), List{1});
    EXPECT_EQ(choose(1'151'000, 100ms), List{2});
    EXPECT_EQ(choose(1'000'000, 10s), List{2}) << "what is given stays while it fits";
}

TEST_F(Choice, PatienceGrowsWhenRaisesDoNotLast) {
    camera(1);
    choose(300'000);
    int raises = 0;
    // The link carries 1.2 Mbit/s until the high layer is sent, and half of that then.
    for (int i = 0; i < 600; ++i) {
        const bool high = states[0].rung.stream == 2;
        choose(high ? 600'000 : 1'200'000, 100ms);
        raises += states[0].rung.stream == 2 ? 1 : 0;
    }
    EXPECT_GE(raises, 3);
    EXPECT_LE(raises, 8) << "in a minute";
    EXPECT_EQ(states[0].patience, ChoiceRules::kMostPatience);
}

TEST_F(Choice, WaveringRatesDoNotMoveWhatIsNearItsTarget) {
    Candidate& one = add(1, 300'000);
    const auto rates = [&](std::uint32_t percent) {
        one.ladder.clear();
        one.ladder.add_stream(0, plain(1000 * percent), balanced, 0);
        one.ladder.add_stream(1, plain(3000 * percent), balanced, 0);
    };
    rates(100);
    EXPECT_EQ(choose(1'000'000), List{1});
    for (const std::uint32_t percent : {105U, 95U, 125U, 90U, 129U}) {
        rates(percent);
        EXPECT_EQ(choose(1'000'000, 100ms), List{1}) << percent;
    }
    rates(131);
    EXPECT_EQ(choose(1'000'000, 100ms), List{0});
    rates(112);
    EXPECT_EQ(choose(1'000'000, 100s), List{0});
    rates(109);
    EXPECT_EQ(choose(1'000'000, 100ms), List{1});
}

TEST_F(Choice, TheImportantTakesFromTheOthers) {
    camera(1);
    camera(9);
    EXPECT_EQ(choose(1'150'000), (List{0, 2}));
    candidates[0].priority = 20;
    EXPECT_EQ(choose(1'150'000, 2s), (List{1, 1})) << "for the highest the headroom is missing";
    EXPECT_EQ(choose(1'300'000, 2s), (List{2, 1}));
    EXPECT_EQ(choose(1'299'999, 0ms), (List{2, 0}));
}

TEST_F(Choice, WhatMayNotPauseKeepsItsBase) {
    add(1, 0, false).ladder.add_stream(0, svc(100'000), balanced, 0);
    camera(2);
    EXPECT_EQ(choose(1000), (List{0, -1}));
    EXPECT_EQ(states[0].rung.limit, (LayerLimit{0, 0}));
    EXPECT_EQ(choose(60'000, 10s), (List{0, -1})) << "its base is paid first";
}

TEST_F(Choice, ASenderThatKeepsToItsShareCostsNoMoreThanThat) {
    add(2).ladder.add_stream(0, plain(1'500'000), balanced, 0);
    add(1).ladder.add_stream(0, plain(1'500'000), balanced, 0);
    EXPECT_EQ(choose(800'000, 2s), (List{-1, -1}));
    for (Candidate& candidate : candidates) candidate.most_bps = 300'000;
    EXPECT_EQ(choose(680'000, 2s), (List{0, -1})) << "headroom for what comes back";
    EXPECT_EQ(choose(800'000, 2s), (List{0, 0}));
    EXPECT_EQ(choose(600'000), (List{0, 0}));
    EXPECT_EQ(choose(599'999), (List{0, -1}));
    EXPECT_EQ(choose(299'999), (List{-1, -1}));
}

TEST_F(Choice, EmptyLaddersAreLeftAlone) {
    add(1);
    camera(2);
    EXPECT_EQ(choose(2'000'000), (List{0, 2}));
    EXPECT_FALSE(states[0].decided);
    choose_layers({}, 5, now);
}

/// Whatever the rates and budgets: the sum fits what may be paused, and the more important is never paused before the
/// less important one.
TEST_F(Choice, RandomTablesFit) {
    std::mt19937 random(11);  // NOLINT(bugprone-random-generator-seed): the same table every time.
    const auto upto = [&](std::uint32_t most) { return std::uniform_int_distribution<std::uint32_t>(0, most)(random); };
    for (int round = 0; round < 2000; ++round) {
        if (round % 10 == 0) states = {};
        used = 0;
        candidates = {};
        for (int i = 0; i < 4; ++i) {
            Candidate& one = add(upto(3), upto(1) * upto(1'500'000));
            const std::uint32_t streams = 1 + upto(2);
            for (std::uint32_t stream = 0; stream < streams; ++stream) {
                one.ladder.add_stream(static_cast<std::uint8_t>(stream),
                                      svc(50'000 + upto(200'000), static_cast<std::uint8_t>(1 + upto(2)),
                                          static_cast<std::uint8_t>(1 + upto(2))),
                                      static_cast<QualityPreference>(upto(2)), 0);
            }
        }
        const std::uint64_t budget = upto(3'000'000);
        choose(budget, std::chrono::milliseconds(upto(2000)));
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < used; ++i) {
            if (!states[i].paused) sum += states[i].rung.bps;
        }
        ASSERT_LE(sum, budget) << round;
    }
}

}  // namespace
}  // namespace media::layers
