// The small parts of feedback: repeats and their budget, key-frame requests, limits, reception statistics, the cache.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "media/room/arrival_feedback.hpp"
#include "media/room/key_frame_requests.hpp"
#include "media/room/opus_packet.hpp"
#include "media/room/packet_cache.hpp"
#include "media/room/reception_stats.hpp"
#include "media/room/repeat_limit.hpp"
#include "media/room/uplink_limit.hpp"
#include "media/wire/transport_feedback.hpp"

namespace media::room {
namespace {

using namespace std::chrono_literals;
constexpr Time kStart{1h};

TEST(RepeatLimit, OncePerRoundTripAndAHandfulInAll) {
    RepeatLimit limit;
    EXPECT_TRUE(limit.take(5, kStart, 100ms));
    EXPECT_FALSE(limit.take(5, kStart + 99ms, 100ms));
    EXPECT_TRUE(limit.take(6, kStart + 99ms, 100ms));
    EXPECT_TRUE(limit.take(5, kStart + 100ms, 100ms));
    int more = 0;
    for (int i = 2; i < 20; ++i) more += limit.take(5, kStart + i * 150ms, 100ms);
    EXPECT_EQ(more, 3);
    EXPECT_TRUE(limit.take(5, kStart + 1h, 100ms)) << "the same number one wrap later";
}

TEST(RepeatLimit, RoundTripsAreTakenWithinReason) {
    RepeatLimit limit;
    EXPECT_TRUE(limit.take(1, kStart, 0ms));
    EXPECT_FALSE(limit.take(1, kStart + 29ms, 0ms));
    EXPECT_TRUE(limit.take(1, kStart + 30ms, 0ms));
    EXPECT_FALSE(limit.take(1, kStart + 1029ms, 5s));
    EXPECT_TRUE(limit.take(1, kStart + 1030ms, 5s));
}

TEST(RepeatBudget, RefillsWithAQuarterOfTheEstimate) {
    RepeatBudget budget;
    budget.set_estimate(800'000);
    std::int64_t sent = 0;
    while (budget.take(1000, kStart)) sent += 1000;
    EXPECT_EQ(sent, 48'000);
    sent = 0;
    for (Time now = kStart; now < kStart + 10s; now += 1ms) {
        if (budget.take(1000, now)) sent += 1000;
    }
    EXPECT_NEAR(static_cast<double>(sent), 250'000, 2000);
}

TEST(KeyFrameRequests, ThrottledAndRepeatedWhileSomebodyWaits) {
    KeyFrameRequests requests;
    EXPECT_FALSE(requests.poll(kStart, false));
    requests.request();
    EXPECT_TRUE(requests.poll(kStart, true));
    requests.request();
    EXPECT_FALSE(requests.poll(kStart + 299ms, true));
    EXPECT_TRUE(requests.poll(kStart + 300ms, true));
    EXPECT_FALSE(requests.poll(kStart + 1299ms, true));
    EXPECT_TRUE(requests.poll(kStart + 1300ms, true));
    requests.request();
    requests.on_key_frame(kStart + 2s);
    EXPECT_FALSE(requests.poll(kStart + 10s, false)) << "has come in the meantime";
}

TEST(KeyFrameRequests, WhatWasAskedInVainDoesNotCount) {
    KeyFrameRequests requests;
    requests.request();
    EXPECT_TRUE(requests.poll(kStart, true));
    requests.request();
    EXPECT_FALSE(requests.poll(kStart + 10ms, true));
    requests.request_anew();
    EXPECT_TRUE(requests.poll(kStart + 20ms, true));
    EXPECT_FALSE(requests.poll(kStart + 30ms, true)) << "once";
}

TEST(KeyFrameRequests, SlowSourcesAreAskedLessOften) {
    for (const auto& [bps, wait] : {std::pair{300'000U, 300ms}, {299'999U, 500ms}, {99'999U, 1000ms}}) {
        KeyFrameRequests requests;
        requests.request();
        EXPECT_TRUE(requests.poll(kStart, true, true, bps));
        requests.request();
        EXPECT_FALSE(requests.poll(kStart + wait - 1ms, true, true, bps));
        EXPECT_TRUE(requests.poll(kStart + wait, true, true, bps));
    }
}

TEST(KeyFrameRequests, SharesEveryTenSecondsWhileSomebodyWatches) {
    KeyFrameRequests requests;
    requests.set_periodic(true);
    requests.on_key_frame(kStart);
    EXPECT_FALSE(requests.poll(kStart + 9999ms, false));
    EXPECT_FALSE(requests.poll(kStart + 20s, false, false));
    EXPECT_TRUE(requests.poll(kStart + 20s, false));
    requests.on_key_frame(kStart + 20s);
    EXPECT_FALSE(requests.poll(kStart + 29s, false));
    EXPECT_TRUE(requests.poll(kStart + 30s, false));
}

TEST(UplinkLimit, WeakestDecidesBetweenFloorAndCeiling) {
    UplinkLimit limit;
    limit.begin();
    EXPECT_EQ(limit.allowed(0, 100), std::nullopt);
    EXPECT_EQ(limit.allowed(5000, 100), 5000U);
    limit.add(3000);
    limit.add(std::nullopt);
    limit.add(2000);
    EXPECT_EQ(limit.allowed(5000, 100), 2000U);
    EXPECT_EQ(limit.allowed(1000, 100), 1000U);
    EXPECT_EQ(limit.allowed(0, 2500), 2500U);
}

TEST(UplinkLimit, ToldEverySecondAndSoonerWhenItFalls) {
    UplinkLimit limit;
    EXPECT_TRUE(limit.poll(1000, kStart));
    EXPECT_FALSE(limit.poll(2000, kStart + 999ms));
    EXPECT_FALSE(limit.poll(500, kStart + 199ms));
    EXPECT_TRUE(limit.poll(500, kStart + 200ms));
    EXPECT_FALSE(limit.poll(490, kStart + 600ms)) << "hardly less";
    EXPECT_TRUE(limit.poll(490, kStart + 1200ms));
}

TEST(ReceiverEstimate, Ages) {
    ReceiverEstimate estimate;
    EXPECT_FALSE(estimate.bps(kStart));
    estimate.set(1'060'000, kStart);
    EXPECT_EQ(estimate.bps(kStart + 10s), 1'060'000U);
    EXPECT_FALSE(estimate.bps(kStart + 11s));
}

TEST(ReceptionStats, LossesAndWrap) {
    ReceptionStats stats(90'000);
    EXPECT_FALSE(stats.report(7, kStart));
    Time now = kStart;
    std::uint32_t timestamp = 0xFFFFF000;
    for (std::int64_t n = 0x10000 + 65'500; n < 0x10000 + 65'600; ++n) {
        now += 20ms;
        timestamp += 1800;
        if (n % 2 == 0) stats.on_packet(n, timestamp, false, now);
    }
    const auto block = stats.report(7, now).value();
    EXPECT_EQ(block.ssrc, 7U);
    EXPECT_NEAR(block.fraction_lost, 128, 4);
    EXPECT_EQ(block.cumulative_lost, 49);
    EXPECT_EQ(block.highest_sequence, 0x10000U + 65'598 - 65'536);
    EXPECT_LE(block.jitter, 1U);
    EXPECT_EQ(stats.report(7, now)->fraction_lost, 0) << "nothing expected since";
}

TEST(ReceptionStats, JitterOfAlternatingDelay) {
    ReceptionStats stats(48'000);
    for (std::int64_t n = 0; n < 500; ++n) {
        stats.on_packet(0x10000 + n, static_cast<std::uint32_t>(n * 960), false, kStart + n * 20ms + (n % 2) * 10ms);
    }
    EXPECT_NEAR(stats.report(1, kStart)->jitter, 480, 10);
}

/// A payload that tells which packet it is of.
core::Bytes payload_of(std::int64_t sequence, std::size_t size) {
    core::Bytes payload(size, static_cast<std::uint8_t>(sequence % 251));
    payload[0] = static_cast<std::uint8_t>(sequence / 251);
    return payload;
}

bool holds(const PacketCache& cache, std::int64_t sequence, std::size_t size) {
    const auto packet = cache.find(sequence);
    return packet && std::ranges::equal(packet->payload, payload_of(sequence, size));
}

TEST(PacketCache, KeepsTheLastOnes) {
    PacketCache cache;
    const core::Bytes payload{1, 2, 3};
    for (std::int64_t n = 100'000; n < 101'000; ++n)
        cache.keep({.sequence = n, .timestamp = static_cast<std::uint32_t>(n), .codec = 3, .marker = n % 2 == 0},
                   payload);
    EXPECT_FALSE(cache.find(100'000));
    ASSERT_TRUE(cache.find(100'999));
    ASSERT_TRUE(cache.find(100'488));
    EXPECT_FALSE(cache.find(100'487));
    EXPECT_EQ(cache.find(100'700)->timestamp, 100'700U);
    EXPECT_TRUE(cache.find(100'700)->marker);
    EXPECT_EQ(cache.find(100'700)->codec, 3);
    EXPECT_TRUE(std::ranges::equal(cache.find(100'700)->payload, payload));
    cache.keep({.sequence = 100'000}, payload);
    EXPECT_FALSE(cache.find(100'000)) << "an old one never replaces a newer one";
    cache.keep({.sequence = 101'000}, core::Bytes(PacketCache::kMaxPayload + 1));
    EXPECT_FALSE(cache.find(101'000));
    cache.clear();
    EXPECT_FALSE(cache.find(100'999));
    EXPECT_FALSE(cache.find(-1));
}

TEST(PacketCache, GrowsUntilItHoldsHalfASecondAndNoFurther) {
    PacketCache cache;
    const std::size_t empty = cache.bytes();
    // 100 packets of 1,000 bytes a second: 800 kbit/s.
    constexpr std::size_t kSize = 1000;
    std::int64_t n = 0;
    const auto half_second = [&] {
        for (int i = 0; i < 50; ++i, ++n)
            cache.keep({.sequence = n, .timestamp = static_cast<std::uint32_t>(n * 900)}, payload_of(n, kSize));
    };
    half_second();
    for (std::int64_t k = 0; k < n; ++k) EXPECT_TRUE(holds(cache, k, kSize)) << k << ": growing moves nothing";
    half_second();
    const std::size_t grown = cache.bytes();
    EXPECT_GE(grown - empty, 50 * kSize);
    EXPECT_LT(grown - empty, 50 * kSize + 2 * PacketCache::kStep);
    for (int i = 0; i < 40; ++i) half_second();
    EXPECT_EQ(cache.bytes(), grown);
    for (std::int64_t k = n - 49; k < n; ++k) EXPECT_TRUE(holds(cache, k, kSize)) << k << " of " << n;
    EXPECT_FALSE(cache.find(n - 100)) << "written over";
}

TEST(PacketCache, IsBoundedWhateverTheClockSays) {
    PacketCache cache;
    const std::size_t empty = cache.bytes();
    constexpr std::size_t kSize = PacketCache::kMaxPayload;
    for (std::int64_t n = 0; n < 3000; ++n) cache.keep({.sequence = n, .timestamp = 7}, payload_of(n, kSize));
    EXPECT_EQ(cache.bytes() - empty, PacketCache::kMostBytes);
    for (std::int64_t n = 3000 - 400; n < 3000; ++n) EXPECT_TRUE(holds(cache, n, kSize)) << n;
}

TEST(PacketCache, NeverGivesBytesOfAnotherPacket) {
    PacketCache cache;
    std::vector<std::size_t> sizes;
    std::uint32_t state = 5;
    for (std::int64_t n = 0; n < 4000; ++n) {
        state = state * 1664525 + 1013904223;
        sizes.push_back(1 + (state >> 8) % PacketCache::kMaxPayload);
        // Every fourth packet comes three places late.
        const std::int64_t which = n % 4 == 0 && n >= 4 ? n - 3 : n;
        const auto at = static_cast<std::size_t>(which);
        cache.keep({.sequence = which, .timestamp = static_cast<std::uint32_t>(which * 1500)},
                   payload_of(which, sizes[at]));
        if (n % 16 != 0) continue;
        for (std::int64_t k = std::max<std::int64_t>(0, n - 600); k <= n; ++k) {
            const auto place = static_cast<std::size_t>(k);
            EXPECT_TRUE(!cache.find(k) || holds(cache, k, sizes[place])) << k << " at " << n;
        }
        EXPECT_TRUE(holds(cache, which, sizes[at]));
    }
}

TEST(PacketCache, AnEarlierNumberFillsItsOwnPlace) {
    PacketCache cache;
    for (const std::int64_t n : {10, 12, 13, 11}) cache.keep({.sequence = n}, payload_of(n, 50));
    for (const std::int64_t n : {10, 11, 12, 13}) EXPECT_TRUE(holds(cache, n, 50)) << n;
}

TEST(PacketCache, BeginsAnewInTheSameRoom) {
    PacketCache cache;
    for (std::int64_t n = 0; n < 300; ++n)
        cache.keep({.sequence = n, .timestamp = static_cast<std::uint32_t>(n * 450)}, payload_of(n, 1000));
    const std::size_t before = cache.bytes();
    cache.clear();
    for (std::int64_t n = 0; n < 300; ++n) EXPECT_FALSE(cache.find(n));
    cache.keep({.sequence = 70'000, .timestamp = 1}, payload_of(70'000, 900));
    EXPECT_TRUE(holds(cache, 70'000, 900));
    EXPECT_EQ(cache.bytes(), before);
}

TEST(ArrivalFeedback, LatePacketIsReportedAgainWithItsNeighbours) {
    ArrivalFeedback feedback;
    for (std::uint16_t n = 0; n < 10; ++n) {
        if (n != 4) feedback.on_packet(n, kStart + n * 5ms);
    }
    EXPECT_FALSE(feedback.due(kStart + 79ms));
    ASSERT_TRUE(feedback.due(kStart + 80ms));
    core::Bytes buffer(1000);
    wire::RtcpWriter first(buffer);
    ASSERT_TRUE(feedback.write(first, 1, 2, kStart + 80ms));
    EXPECT_FALSE(feedback.due(kStart + 10s)) << "nothing new";

    feedback.on_packet(4, kStart + 100ms);
    feedback.on_packet(4, kStart + 101ms);
    ASSERT_TRUE(feedback.due(kStart + 160ms));
    wire::RtcpWriter second(buffer);
    ASSERT_TRUE(feedback.write(second, 1, 2, kStart + 160ms));
    wire::RtcpReader reader(second.written());
    const auto parsed = wire::TransportFeedback::parse(reader.next().value()).value();
    EXPECT_EQ(parsed.base_sequence(), 4);
    EXPECT_EQ(parsed.status_count(), 6);
    EXPECT_EQ(parsed.feedback_count(), 1);
}

TEST(ArrivalFeedback, WhatDoesNotFitFollowsNextTime) {
    ArrivalFeedback feedback;
    for (std::uint16_t n = 0; n < 900; ++n) feedback.on_packet(n, kStart + n * 1ms);
    std::size_t reported = 0;
    for (int round = 0; round < 10 && feedback.due(kStart + 1s + round * 80ms); ++round) {
        core::Bytes buffer(400);
        wire::RtcpWriter writer(buffer);
        feedback.write(writer, 1, 2, kStart + 1s + round * 80ms);
        wire::RtcpReader reader(writer.written());
        while (const auto view = reader.next()) reported += wire::TransportFeedback::parse(*view)->status_count();
    }
    EXPECT_EQ(reported, 900U);
}

TEST(ArrivalFeedback, WildNumbersDoNotMakeLongReports) {
    ArrivalFeedback feedback;
    feedback.on_packet(10, kStart);
    feedback.on_packet(20'000, kStart + 1ms);
    feedback.on_packet(40'000, kStart + 2ms);
    core::Bytes buffer(1000);
    wire::RtcpWriter writer(buffer);
    ASSERT_TRUE(feedback.write(writer, 1, 2, kStart + 80ms));
    EXPECT_LT(writer.size(), 60U);
}

TEST(ArrivalFeedback, WhatAnOutageTookIsNotReportedAsLost) {
    ArrivalFeedback feedback;
    feedback.on_packet(10, kStart);
    std::vector<std::uint8_t> buffer(1200);
    wire::RtcpWriter first(buffer);
    ASSERT_TRUE(feedback.write(first, 1, 2, kStart + 80ms));
    const Time back = kStart + 4s;
    feedback.on_packet(260, back);
    feedback.on_packet(262, back + 20ms);
    EXPECT_TRUE(feedback.due(back + 20ms)) << "the sender waits for it";
    wire::RtcpWriter out(buffer);
    ASSERT_TRUE(feedback.write(out, 1, 2, back + 20ms));
    wire::RtcpReader reader(out.written());
    const auto report = wire::TransportFeedback::parse(*reader.next());
    ASSERT_TRUE(report);
    std::vector<std::pair<std::uint16_t, bool>> seen;
    auto cursor = report->statuses();
    while (const auto status = cursor.next()) seen.emplace_back(status->sequence, status->received);
    EXPECT_EQ(seen, (std::vector<std::pair<std::uint16_t, bool>>{{260, true}, {261, false}, {262, true}}));
}

TEST(OpusPacket, Durations) {
    EXPECT_EQ(opus_duration(kOpusSilence), 20ms);
    EXPECT_EQ(opus_duration(core::Bytes{0x08, 1}), 20ms);             // SILK, one frame.
    EXPECT_EQ(opus_duration(core::Bytes{0x00, 1}), 10ms);             // SILK.
    EXPECT_EQ(opus_duration(core::Bytes{0x01, 1}), 20ms);             // Two of 10 ms.
    EXPECT_EQ(opus_duration(core::Bytes{0x18, 1}), 60ms);             // SILK.
    EXPECT_EQ(opus_duration(core::Bytes{0x68, 1}), 20ms);             // Hybrid.
    EXPECT_EQ(opus_duration(core::Bytes{0xE0, 1}), 2500us);           // CELT.
    EXPECT_EQ(opus_duration(core::Bytes{0xE3, 8, 1}), 20ms);          // Eight of 2.5 ms.
    EXPECT_EQ(opus_duration(core::Bytes{0x1B, 3, 1}), std::nullopt);  // 180 ms.
    EXPECT_EQ(opus_duration(core::Bytes{0x1B}), std::nullopt);
    EXPECT_EQ(opus_duration(core::Bytes{0x1B, 0}), std::nullopt);
    EXPECT_EQ(opus_duration({}), std::nullopt);
}

}  // namespace
}  // namespace media::room
