#include "media/congestion/pacer.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "media/wire/rtp.hpp"

namespace media::congestion {
namespace {

using namespace std::chrono_literals;
using Lane = Pacer::Lane;

std::vector<std::uint8_t> packet(std::uint32_t ssrc, std::uint16_t sequence, std::uint32_t timestamp,
                                 std::size_t size = 1'000) {
    std::vector<std::uint8_t> bytes(size, 0);
    wire::write_rtp(bytes, {.sequence = sequence, .timestamp = timestamp, .ssrc = ssrc}, {}, {});
    return bytes;
}

class PacerTest : public ::testing::Test {
  protected:
    /// As the router does: sent now, or queued; false: neither.
    bool offer(Lane lane, const std::vector<std::uint8_t>& bytes) {
        if (pacer.may_send(lane, now)) {
            pacer.spend(bytes.size());
            sent.push_back(wire::load_u16(&bytes[2]));
            sent_bytes += bytes.size();
            return true;
        }
        return pacer.queue(pool, lane, bytes, now);
    }
    std::size_t release() {
        std::size_t count = 0;
        pacer.release(pool, now, [&](WaitingPacket& waiting) {
            sent.push_back(wire::load_u16(&waiting.packet()[2]));
            sent_bytes += waiting.size;
            ++count;
        });
        return count;
    }
    void TearDown() override {
        pacer.clear(pool);
        EXPECT_EQ(pool.in_use(), 0U);
    }
    Time now{std::chrono::hours(1)};
    PacketPool pool;
    Pacer pacer;
    std::vector<std::uint16_t> sent;
    std::size_t sent_bytes = 0;
};

TEST_F(PacerTest, WithoutARateEverythingGoesAtOnce) {
    for (std::uint16_t i = 0; i < 1000; ++i) ASSERT_TRUE(offer(Lane::video, packet(1, i, i)));
    EXPECT_EQ(sent.size(), 1000U);
    EXPECT_TRUE(pacer.idle());
}

TEST_F(PacerTest, KeyFrameIsOutWithinASecond) {
    // As a receiver's link sets them for 600 kbit/s.
    pacer.set_rates(1'500'000, 630'000);
    for (std::uint16_t i = 0; i < 40; ++i) ASSERT_TRUE(offer(Lane::video, packet(1, i, 1)));
    for (int i = 0; i < 200; ++i) {
        now += 5ms;
        release();
    }
    EXPECT_EQ(sent.size(), 40U);
    EXPECT_TRUE(pacer.idle());
}

TEST_F(PacerTest, HoldsThePeakRateInOrder) {
    pacer.set_rates(1'000'000, 0);
    for (std::uint16_t i = 0; i < 30; ++i) ASSERT_TRUE(offer(Lane::video, packet(1, i, 0)));
    EXPECT_LE(sent.size(), 4U);
    for (int tick = 0; tick < 30; ++tick) {
        now += 5ms;
        EXPECT_LE(release(), 2U) << "625 bytes a tick";
    }
    EXPECT_NEAR(static_cast<double>(sent_bytes), 3'000 + 150 * 125, 2'000);
    for (; !pacer.idle(); now += 5ms) release();
    for (std::uint16_t i = 0; i < 30; ++i) EXPECT_EQ(sent[i], i);
}

TEST_F(PacerTest, HoldsTheAverageRateOverTime) {
    pacer.set_rates(2'500'000, 1'000'000);
    std::uint16_t number = 0;
    for (int tick = 0; tick < 2000; ++tick) {
        now += 5ms;
        release();
        // 2 Mbit/s arrive.
        if (tick % 4 == 0) {
            for (int i = 0; i < 5; ++i) (void)offer(Lane::video, packet(1, number++, 0));
        }
    }
    EXPECT_NEAR(static_cast<double>(sent_bytes) * 8 / 10, 1'000'000, 250'000) << "with the first second's credit";
}

TEST_F(PacerTest, RepairsOvertakeVideo) {
    pacer.set_rates(400'000, 0);
    for (std::uint16_t i = 0; i < 10; ++i) ASSERT_TRUE(offer(Lane::video, packet(1, i, 0)));
    ASSERT_TRUE(offer(Lane::repair, packet(2, 1000, 0)));
    const std::size_t before = sent.size();
    while (release() == 0) now += 5ms;
    EXPECT_EQ(sent[before], 1000);
}

TEST_F(PacerTest, QueueIsBoundedInBytesAndTime) {
    pacer.set_rates(200'000, 0);
    int taken = 0;
    while (offer(Lane::video, packet(1, static_cast<std::uint16_t>(taken), 0)) && taken < 1000) ++taken;
    EXPECT_LE(pacer.waiting_bytes(), 24'000U);
    EXPECT_LT(taken, 33);
    pacer.clear(pool);
    pacer.set_rates(1'000, 0);
    ASSERT_TRUE(pacer.queue(pool, Lane::video, packet(1, 1, 0), now));
    now += 801ms;
    EXPECT_FALSE(pacer.queue(pool, Lane::video, packet(1, 2, 0), now));
    EXPECT_EQ(pacer.overdue(now), nullptr);
    now += 1200ms;
    EXPECT_NE(pacer.overdue(now), nullptr);
    EXPECT_EQ(pacer.drop_stream(pool, 1), 1U);
    EXPECT_EQ(pacer.overdue(now), nullptr);
}

TEST_F(PacerTest, DropsOneFrameOnly) {
    pacer.set_rates(10'000, 0);
    pacer.spend(100'000);
    for (std::uint16_t i = 0; i < 9; ++i) {
        ASSERT_TRUE(offer(Lane::video, packet(1 + i % 2, i, 3000U * (i / 4))));
    }
    EXPECT_EQ(pacer.first_of(2)->room[kHeadRoom + 3], 1) << "its number";
    EXPECT_EQ(pacer.first_of(3), nullptr);
    EXPECT_EQ(pacer.drop_frame(pool, 1, 3000), 2U);
    EXPECT_EQ(pacer.drop_frame(pool, 3, 3000), 0U);
    pacer.set_rates(0, 0);
    EXPECT_EQ(release(), 7U);
    EXPECT_EQ(sent, (std::vector<std::uint16_t>{0, 1, 2, 3, 5, 7, 8}));
}

TEST_F(PacerTest, ANewBoundOwesNothing) {
    for (std::uint16_t i = 0; i < 1000; ++i) offer(Lane::video, packet(1, i, i));
    pacer.set_rates(1'000'000, 500'000);
    EXPECT_TRUE(pacer.may_send(Lane::video, now));
}

TEST_F(PacerTest, ManyReceiversShareABoundedPool) {
    std::vector<Pacer> pacers(300);
    std::size_t refused = 0;
    for (Pacer& one : pacers) {
        one.set_rates(100'000, 0);
        one.spend(100'000);
        for (std::uint16_t i = 0; i < 15; ++i) refused += one.queue(pool, Lane::video, packet(1, i, 0), now) ? 0 : 1;
    }
    EXPECT_EQ(pool.in_use(), PacketPool::kMostPackets);
    EXPECT_EQ(refused, 300 * 15 - PacketPool::kMostPackets);
    for (Pacer& one : pacers) one.clear(pool);
}

}  // namespace
}  // namespace media::congestion
