#include "media/wire/transport_feedback.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "media/wire/rtcp_writer.hpp"
#include "media/wire/testdata.hpp"

namespace media::wire {
namespace {

using testdata::from_hex;

std::optional<TransportFeedback> parse(core::BytesView bytes) {
    RtcpReader reader(bytes);
    const auto view = reader.next();
    return view ? TransportFeedback::parse(*view) : std::nullopt;
}

std::vector<PacketStatus> statuses(const TransportFeedback& feedback) {
    std::vector<PacketStatus> all;
    auto cursor = feedback.statuses();
    while (const auto status = cursor.next()) all.push_back(*status);
    return all;
}

TEST(TransportFeedback, ReadsEveryKindOfChunk) {
    // Base 65534, 26 statuses, reference time 2: a run of 3 small deltas, a one-bit vector 1000…1 (14), a two-bit
    // vector (lost, small, large, lost, lost, lost, small), and a run of 2 lost.
    const auto bytes = from_hex(
        "afcd000a 00000001 00000002 fffe001a 00000207"
        "2003 a001 c601 0002"
        "04 08 0c 10 14 18 fffc 1c"
        "000000 00000007");
    const auto feedback = parse(bytes);
    ASSERT_TRUE(feedback);
    EXPECT_EQ(feedback->sender_ssrc(), 1U);
    EXPECT_EQ(feedback->media_ssrc(), 2U);
    EXPECT_EQ(feedback->base_sequence(), 0xFFFE);
    EXPECT_EQ(feedback->reference_time(), 2U);
    EXPECT_EQ(feedback->feedback_count(), 7);
    const auto all = statuses(*feedback);
    ASSERT_EQ(all.size(), 26U);
    EXPECT_EQ(all[0], (PacketStatus{.sequence = 0xFFFE, .received = true, .arrival_us = 129'000}));
    EXPECT_EQ(all[2], (PacketStatus{.sequence = 0, .received = true, .arrival_us = 134'000}));
    EXPECT_EQ(all[3].received, true);
    EXPECT_EQ(all[3].arrival_us, 138'000);
    EXPECT_FALSE(all[4].received);
    EXPECT_TRUE(all[16].received);
    EXPECT_EQ(all[16].arrival_us, 143'000);
    EXPECT_FALSE(all[17].received);
    EXPECT_EQ(all[18].arrival_us, 149'000);
    EXPECT_EQ(all[19].arrival_us, 148'000);  // a negative delta
    EXPECT_TRUE(all[23].received);
    EXPECT_EQ(all[23].arrival_us, 155'000);
    EXPECT_FALSE(all[25].received);
    EXPECT_EQ(all[25].sequence, 23);
}

TEST(TransportFeedback, RefusesWhatDoesNotFit) {
    const auto good = from_hex("8fcd0005 00000001 00000002 00010002 00000200 20020408");
    ASSERT_TRUE(parse(good));
    auto changed = good;
    changed[15] = 3;  // one status more than the chunk covers
    EXPECT_FALSE(parse(changed));
    changed = good;
    changed[14] = 0xFF;  // many more
    EXPECT_FALSE(parse(changed));
    changed = good;
    changed[15] = 0;  // nothing
    EXPECT_FALSE(parse(changed));
    changed = good;
    changed[20] = 0x60;  // reserved symbol
    EXPECT_FALSE(parse(changed));
    changed = good;
    changed[20] = 0x40;  // two-byte deltas do not fit
    EXPECT_FALSE(parse(changed));
    changed = good;
    changed[0] = 0x8E;
    EXPECT_FALSE(parse(changed));
}

TEST(TransportFeedback, WritesTheExpectedBytes) {
    const std::vector<PacketArrival> arrivals{{.sequence = 1, .arrival_us = 129'000},
                                              {.sequence = 2, .arrival_us = 131'000}};
    core::Bytes out(64);
    RtcpWriter writer(out);
    EXPECT_EQ(writer.transport_feedback(1, 2, 7, 1, arrivals), 2U);
    EXPECT_EQ(testdata::first(out, writer.size()), from_hex("8fcd0005 00000001 00000002 00010002 00000207 20020408"));
}

/// Writes everything in as many packets as needed and reads it back.
void expect_round_trip(std::int64_t begin, const std::vector<PacketArrival>& arrivals, std::size_t room) {
    std::span<const PacketArrival> rest(arrivals);
    std::int64_t next = begin;
    while (!rest.empty()) {
        core::Bytes out(room);
        RtcpWriter writer(out);
        const std::size_t taken = writer.transport_feedback(1, 2, 3, next, rest);
        ASSERT_GT(taken, 0U);
        ASSERT_LE(taken, rest.size());
        const auto feedback = parse(writer.written());
        ASSERT_TRUE(feedback);
        const auto all = statuses(*feedback);
        ASSERT_EQ(all.size(), static_cast<std::size_t>(rest[taken - 1].sequence - next + 1));
        std::size_t arrival = 0;
        for (const PacketStatus& status : all) {
            ASSERT_EQ(status.sequence, static_cast<std::uint16_t>(next));
            const bool received = rest[arrival].sequence == next;
            ASSERT_EQ(status.received, received) << next;
            if (received) {
                const std::int64_t expected = rest[arrival].arrival_us / 250 * 250;
                ASSERT_EQ(status.arrival_us, expected % kTransportFeedbackPeriodUs);
                ++arrival;
            }
            ++next;
        }
        rest = rest.subspan(taken);
    }
}

TEST(TransportFeedback, RoundTripOfEveryShape) {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        const int loss_percent = static_cast<int>(random() % 100);
        const int jitter_us = 1 << random() % 20;
        const std::size_t count = 1 + random() % 400;
        std::int64_t sequence = random() % 70'000;
        const std::int64_t begin = sequence;
        std::int64_t time = random() % 1'000'000'000 * std::int64_t{10'000};
        std::vector<PacketArrival> arrivals;
        for (std::size_t i = 0; i < count; ++i, ++sequence) {
            time += random() % 3000;
            if (static_cast<int>(random() % 100) < loss_percent) continue;
            arrivals.push_back(
                {.sequence = sequence, .arrival_us = time + static_cast<int>(random()) % jitter_us + jitter_us});
        }
        expect_round_trip(begin, arrivals, 1200);
        if (testing::Test::HasFatalFailure()) return;
        expect_round_trip(begin, arrivals, 64);
        if (testing::Test::HasFatalFailure()) return;
    }
}

TEST(TransportFeedback, SplitsAtLongPausesAndLargeGaps) {
    expect_round_trip(0, {{.sequence = 0, .arrival_us = 0}, {.sequence = 1, .arrival_us = 20'000'000}}, 1200);
    std::vector<PacketArrival> many;
    many.reserve(5000);
    for (std::int64_t i = 0; i < 5000; ++i) many.push_back({.sequence = i * 2, .arrival_us = i * 100});
    expect_round_trip(0, many, 1200);
    expect_round_trip(0, many, 64 * 1024);
}

TEST(TransportFeedback, LossesTooFarBackAreLeftOut) {
    const std::vector<PacketArrival> arrivals{{.sequence = 100'000, .arrival_us = 5}};
    core::Bytes out(1200);
    RtcpWriter writer(out);
    ASSERT_EQ(writer.transport_feedback(1, 2, 3, 0, arrivals), 1U);
    const auto all = statuses(parse(writer.written()).value());
    ASSERT_EQ(all.size(), kMaxFeedbackStatuses);
    EXPECT_EQ(all.back().sequence, static_cast<std::uint16_t>(100'000));
    EXPECT_TRUE(all.back().received);
    EXPECT_FALSE(all.front().received);
    EXPECT_LT(writer.size(), 64U);  // one run
}

TEST(TransportFeedback, NothingToSayIsNothingWritten) {
    core::Bytes out(100);
    RtcpWriter writer(out);
    EXPECT_EQ(writer.transport_feedback(1, 2, 3, 0, {}), 0U);
    const std::vector<PacketArrival> before_begin{{.sequence = 4, .arrival_us = 5}};
    EXPECT_EQ(writer.transport_feedback(1, 2, 3, 5, before_begin), 0U);
    const std::vector<PacketArrival> negative{{.sequence = 4, .arrival_us = -5}};
    EXPECT_EQ(writer.transport_feedback(1, 2, 3, 4, negative), 0U);
    EXPECT_EQ(writer.size(), 0U);
}

}  // namespace
}  // namespace media::wire
