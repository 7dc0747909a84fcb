// The parts of the estimate one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "media/congestion/delay_trend.hpp"
#include "media/congestion/delivery_rate.hpp"
#include "media/congestion/loss_limit.hpp"
#include "media/congestion/prober.hpp"
#include "media/congestion/queue_delay.hpp"
#include "media/congestion/send_history.hpp"

namespace media::congestion {
namespace {

using namespace std::chrono_literals;
using News = SendHistory::News;
constexpr Time kStart{std::chrono::hours(1)};

TEST(SendHistory, NumbersGoOnOverTheWrap) {
    SendHistory history;
    for (int i = 0; i < 70'000; ++i) {
        ASSERT_EQ(history.add(kStart + i * 1ms, 100 + i % 1000, 0), static_cast<std::uint16_t>(i));
    }
    const auto answer = history.answer(static_cast<std::uint16_t>(69'990), true);
    ASSERT_EQ(answer.news, News::received);
    EXPECT_EQ(answer.packet.bytes, 100 + 69'990 % 1000);
    EXPECT_EQ(
        answer.packet.sent_us,
        std::chrono::duration_cast<std::chrono::microseconds>((kStart + 69'990 * 1ms).time_since_epoch()).count());
}

TEST(SendHistory, EachPacketIsNewsOnce) {
    SendHistory history;
    EXPECT_EQ(history.answer(0, true).news, News::none) << "nothing was sent";
    for (int i = 0; i < 10; ++i) history.add(kStart, 100, 0);
    EXPECT_EQ(history.answer(3, true).news, News::received);
    EXPECT_EQ(history.answer(3, true).news, News::none);
    EXPECT_EQ(history.answer(3, false).news, News::none);
    EXPECT_EQ(history.answer(4, false).news, News::lost);
    EXPECT_EQ(history.answer(4, false).news, News::none);
    EXPECT_EQ(history.answer(4, true).news, News::late);
    EXPECT_EQ(history.answer(4, true).news, News::none);
    EXPECT_EQ(history.answer(10, true).news, News::none) << "not sent yet";
    EXPECT_EQ(history.answer(40'000, true).news, News::none);
    history.repeated(5);
    EXPECT_EQ(history.answer(5, true).news, News::none) << "which of the two arrived?";
}

TEST(SendHistory, OldPacketsAreForgotten) {
    SendHistory history;
    for (std::size_t i = 0; i < SendHistory::kPackets + 5; ++i) history.add(kStart, 100, 0);
    EXPECT_EQ(history.answer(4, true).news, News::none);
    EXPECT_EQ(history.answer(5, true).news, News::received);
}

TEST(SendHistory, TimeThatStepsBackALittleIsHarmless) {
    SendHistory history;
    history.add(kStart + 3ms, 100, 0);
    history.add(kStart, 100, 0);
    EXPECT_EQ(history.answer(0, true).packet.sent_us, history.answer(1, true).packet.sent_us);
}

/// Packets every 10 ms whose delay changes by `step_us` each.
LinkUse watch(DelayTrend& trend, int packets, std::int64_t step_us, std::int64_t& at_us, std::int64_t& delay_us) {
    LinkUse worst = LinkUse::normal;
    for (int i = 0; i < packets; ++i) {
        at_us += 10'000;
        delay_us += step_us;
        trend.on_packet(at_us, at_us + delay_us);
        if (trend.use() == LinkUse::over) worst = LinkUse::over;
    }
    return worst;
}

TEST(DelayTrend, SeesAQueueGrowAndShrink) {
    DelayTrend trend;
    std::int64_t at = 0;
    std::int64_t delay = 50'000;
    EXPECT_EQ(watch(trend, 100, 0, at, delay), LinkUse::normal);
    EXPECT_EQ(watch(trend, 30, 3'000, at, delay), LinkUse::over);
    watch(trend, 25, -3'000, at, delay);
    EXPECT_EQ(trend.use(), LinkUse::under);
    watch(trend, 100, 0, at, delay);
    EXPECT_EQ(trend.use(), LinkUse::normal);
}

TEST(DelayTrend, ClockDriftIsNoQueue) {
    DelayTrend trend;
    std::int64_t at = 0;
    std::int64_t delay = 50'000;
    // 200 millionths: far more than clocks differ.
    EXPECT_EQ(watch(trend, 60'000, 2, at, delay), LinkUse::normal);
}

TEST(DelayTrend, ThresholdFollowsJitter) {
    DelayTrend trend;
    std::int64_t at = 0;
    int over = 0;
    std::uint32_t state = 1;
    for (int i = 0; i < 6000; ++i) {
        at += 10'000;
        state = state * 1'664'525 + 1'013'904'223;
        trend.on_packet(at, at + 50'000 + state % 9'000);
        if (i > 1000 && trend.use() == LinkUse::over) ++over;
    }
    EXPECT_LT(over, 60) << "of 5,000";
}

TEST(DelayTrend, StartsAnewAfterABreak) {
    DelayTrend trend;
    std::int64_t at = 0;
    std::int64_t delay = 50'000;
    watch(trend, 50, 0, at, delay);
    at += 10'000'000;
    delay += 500'000;
    EXPECT_EQ(watch(trend, 60, 0, at, delay), LinkUse::normal);
}

/// A second of feedback about packets that wait so long; whether less should be sent.
bool stand(QueueDelay& queue, Time& now, std::int64_t wait_us, std::int64_t jitter_us = 0,
           std::uint64_t sent_bps = 500'000) {
    bool less = false;
    for (int i = 0; i < 14; ++i) {
        for (int packet = 0; packet < 5; ++packet) queue.take(0, 40'000 + wait_us + jitter_us * packet / 4);
        less = queue.turn(sent_bps, now) || less;
        now += 70ms;
    }
    return less;
}

TEST(QueueDelay, StandingQueueIsWorthSendingLess) {
    QueueDelay queue;
    Time now = kStart;
    EXPECT_FALSE(stand(queue, now, 0));
    EXPECT_FALSE(stand(queue, now, 80'000));
    EXPECT_TRUE(queue.grown());
    EXPECT_TRUE(stand(queue, now, 200'000));
    EXPECT_FALSE(stand(queue, now, 10'000));
    EXPECT_FALSE(queue.grown());
}

TEST(QueueDelay, WhatDoesNotGoAwayIsSomebodyElses) {
    QueueDelay queue;
    Time now = kStart;
    stand(queue, now, 0);
    int asked = 0;
    std::uint64_t sent = 1'000'000;
    for (int i = 0; i < 20; ++i) {
        if (!stand(queue, now, 250'000, 0, sent)) continue;
        ++asked;
        sent = sent * 85 / 100;
    }
    EXPECT_GE(asked, 3);
    EXPECT_LE(asked, 5);
    EXPECT_FALSE(queue.grown());
}

TEST(QueueDelay, AsLongAsNotLessIsSentItIsOurs) {
    QueueDelay queue;
    Time now = kStart;
    stand(queue, now, 0);
    int asked = 0;
    for (int i = 0; i < 20; ++i) asked += stand(queue, now, 250'000) ? 1 : 0;
    EXPECT_GE(asked, 15);
}

TEST(QueueDelay, JitterIsNoQueue) {
    QueueDelay queue;
    Time now = kStart;
    stand(queue, now, 0, 80'000);
    EXPECT_FALSE(stand(queue, now, 70'000, 80'000));
    EXPECT_FALSE(queue.grown());
}

TEST(DeliveryRate, IsThatOfTheLastHalfSecond) {
    DeliveryRate rate;
    EXPECT_EQ(rate.bps(), 0U);
    std::int64_t at = 1'000'000;
    for (int i = 0; i < 200; ++i) rate.take(at += 10'000, 1'250);
    EXPECT_NEAR(static_cast<double>(rate.bps()), 1e6, 5e4);
    for (int i = 0; i < 30; ++i) rate.take(at += 10'000, 2'500);
    EXPECT_NEAR(static_cast<double>(rate.latest_bps()), 2e6, 1.5e5);
    EXPECT_LT(rate.bps(), 1'800'000U);
    rate.take(at + 60'000'000, 100);
    EXPECT_EQ(rate.bps(), 0U) << "after a minute it is another stream";
}

std::int64_t us(Time time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

void lose(LossLimit& limit, Time& now, int seconds, double share, LossLimit::Rates rates) {
    double owed = 0;
    for (int i = 0; i < seconds * 100; ++i) {
        now += 10ms;
        owed += share;
        if (owed >= 1) {
            owed -= 1;
            limit.lost(us(now));
        } else {
            limit.received(us(now));
        }
        limit.update(rates, 50ms, now);
    }
}

TEST(LossLimit, LetsALittleLossPass) {
    LossLimit limit(50'000);
    Time now = kStart;
    lose(limit, now, 20, 0.05, {.allowed_bps = 1'000'000, .delay_bps = 1'000'000, .sent_bps = 1'000'000});
    EXPECT_EQ(limit.bps(), LossLimit::kNone);
    EXPECT_NEAR(limit.loss(), 0.05, 0.02);
}

TEST(LossLimit, MuchLossLowersAndLessLetsItGrow) {
    LossLimit limit(50'000);
    Time now = kStart;
    lose(limit, now, 1, 0.3, {.allowed_bps = 1'000'000, .delay_bps = 1'000'000, .sent_bps = 1'000'000});
    ASSERT_NE(limit.bps(), LossLimit::kNone);
    const std::uint64_t lowered = limit.bps();
    EXPECT_NEAR(static_cast<double>(lowered), 850'000, 60'000);
    lose(limit, now, 3, 0, {.allowed_bps = lowered, .delay_bps = 1'000'000, .sent_bps = lowered});
    EXPECT_GT(limit.bps(), lowered);
    lose(limit, now, 10, 0, {.allowed_bps = 1'000'000, .delay_bps = 1'000'000, .sent_bps = 1'000'000});
    EXPECT_EQ(limit.bps(), LossLimit::kNone) << "out of the way again";
}

TEST(LossLimit, SlowStreamsBearMore) {
    EXPECT_GT(LossLimit::bearable(300'000), 0.2);
    EXPECT_LT(LossLimit::bearable(3'000'000), 0.08);
    EXPECT_LE(LossLimit::bearable(1), 0.3);
}

TEST(LossLimit, LineThatWasAwayIsNotCongested) {
    LossLimit limit(50'000);
    Time now = kStart;
    constexpr LossLimit::Rates kRates{.allowed_bps = 1'000'000, .delay_bps = 1'000'000, .sent_bps = 1'000'000};
    lose(limit, now, 5, 0, kRates);
    lose(limit, now, 4, 1, kRates);
    lose(limit, now, 5, 0, kRates);
    EXPECT_EQ(limit.bps(), LossLimit::kNone);
    EXPECT_EQ(limit.loss(), 0);
}

TEST(LossLimit, NeverBelowTheFloor) {
    LossLimit limit(50'000);
    Time now = kStart;
    lose(limit, now, 30, 0.9, {.allowed_bps = 60'000, .delay_bps = 60'000, .sent_bps = 60'000});
    EXPECT_EQ(limit.bps(), 50'000U);
}

/// Sends one burst over a link of that rate; what the prober makes of it.
std::optional<Prober::Found> burst(Prober& prober, Prober::Link link, double link_bps, Time& now) {
    struct Sent {
        SendHistory::Packet packet;
    };
    std::vector<Sent> sent;
    std::size_t left = prober.due(link, now);
    if (prober.running() == 0) return std::nullopt;
    while (prober.running() != 0) {
        for (; left >= 300; left -= 300) {
            prober.on_sent(300);
            sent.push_back({{us(now), 300, prober.running()}});
        }
        now += 5ms;
        left = prober.due(link, now);
    }
    double free_at = 0;
    for (const Sent& one : sent) {
        free_at = std::max(free_at, static_cast<double>(one.packet.sent_us)) + 300 * 8e6 / link_bps;
        prober.on_answer(one.packet, true, static_cast<std::int64_t>(free_at) + 40'000);
    }
    now += 100ms;
    return prober.result(now);
}

TEST(Prober, MeasuresWhatTheLinkCarries) {
    Prober prober;
    Time now = kStart;
    const auto narrow = burst(prober, {.estimate_bps = 600'000, .wanted_bps = 5'000'000}, 800'000, now);
    ASSERT_TRUE(narrow);
    EXPECT_TRUE(narrow->limited);
    EXPECT_NEAR(static_cast<double>(narrow->bps), 780'000, 90'000);
    EXPECT_EQ(prober.due({.estimate_bps = 600'000, .wanted_bps = 5'000'000}, now), 0U) << "not again at once";
    now += 6s;
    const auto wide = burst(prober, {.estimate_bps = 600'000, .wanted_bps = 5'000'000}, 50'000'000, now);
    ASSERT_TRUE(wide);
    EXPECT_FALSE(wide->limited);
    EXPECT_NEAR(static_cast<double>(wide->bps), 1'200'000, 200'000);
    EXPECT_GT(prober.due({.estimate_bps = 1'200'000, .wanted_bps = 5'000'000}, now), 0U) << "further up";
}

TEST(Prober, OnlyWhereItIsOfUse) {
    Prober prober;
    Time now = kStart;
    EXPECT_EQ(prober.due({.estimate_bps = 600'000, .wanted_bps = 0}, now), 0U);
    EXPECT_EQ(prober.due({.estimate_bps = 600'000, .wanted_bps = 620'000}, now), 0U);
    EXPECT_EQ(prober.due({.estimate_bps = 600'000, .wanted_bps = 5'000'000, .over_at = now - 1s}, now), 0U);
    EXPECT_GT(prober.due({.estimate_bps = 600'000, .wanted_bps = 5'000'000, .over_at = now - 10s}, now), 0U);
}

TEST(Prober, BecomesRareWhenNothingIsFound) {
    Prober prober;
    Time now = kStart;
    int bursts = 0;
    const Prober::Link link{.estimate_bps = 600'000, .wanted_bps = 5'000'000};
    for (const Time end = now + 5min; now < end; now += 5ms) {
        if (burst(prober, link, 620'000, now)) ++bursts;
    }
    EXPECT_GE(bursts, 8);
    EXPECT_LE(bursts, 12);
}

TEST(Prober, UnansweredBurstIsForgotten) {
    Prober prober;
    Time now = kStart;
    const Prober::Link link{.estimate_bps = 600'000, .wanted_bps = 5'000'000, .round_trip = 50ms};
    for (int i = 0; i < 10; ++i, now += 5ms) {
        if (prober.due(link, now) != 0) prober.on_sent(300);
    }
    EXPECT_TRUE(prober.waiting());
    EXPECT_FALSE(prober.result(now));
    now += 2s;
    EXPECT_FALSE(prober.result(now));
    EXPECT_FALSE(prober.waiting());
}

}  // namespace
}  // namespace media::congestion
