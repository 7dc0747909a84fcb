// The parts of the mixer, each by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/mixing/arrival_delay.hpp"
#include "media/mixing/limiter.hpp"
#include "media/mixing/loudest_few.hpp"
#include "media/mixing/opus_codec.hpp"
#include "media/mixing/packet_buffer.hpp"
#include "media/mixing/test_sound.hpp"
#include "media/mixing/time_stretch.hpp"

namespace media::mixing::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Time kStart{1h};

std::vector<std::int64_t> stamps(const PacketBuffer& buffer) {
    std::vector<std::int64_t> result;
    result.reserve(buffer.count());
    for (std::size_t i = 0; i < buffer.count(); ++i) result.push_back(buffer[i].timestamp);
    return result;
}

TEST(PacketBuffer, KeepsTheOrderOfTimeWhateverTheOrderOfArrival) {
    PacketBuffer buffer;
    std::uint64_t unused = 0;
    const Bytes payload{1, 2, 3};
    for (const std::int64_t timestamp : {960, 2880, 1920, 0, 3840}) {
        EXPECT_TRUE(buffer.insert(timestamp, 960, payload, false, unused));
    }
    EXPECT_FALSE(buffer.insert(1920, 960, payload, true, unused)) << "is there";
    EXPECT_THAT(stamps(buffer), ElementsAre(0, 960, 1920, 2880, 3840));
    EXPECT_EQ(buffer.find(-100), 0U);
    EXPECT_EQ(buffer.find(959), 0U);
    EXPECT_EQ(buffer.find(960), 1U);
    EXPECT_EQ(buffer.find(4799), 4U);
    EXPECT_EQ(buffer.find(4800), 5U);
    EXPECT_THAT(buffer.payload(buffer[2]), ElementsAre(1, 2, 3));
    EXPECT_EQ(unused, 0U);
}

TEST(PacketBuffer, NewerOnesPushOutOlderOnesAndNothingGetsMixedUp) {
    PacketBuffer buffer;
    std::uint64_t unused = 0;
    for (std::int64_t i = 0; i < 1000; ++i) {
        const Bytes payload(static_cast<std::size_t>(50 + i * 37 % 1200), static_cast<std::uint8_t>(i));
        ASSERT_TRUE(buffer.insert(i * 960, 960, payload, false, unused));
        ASSERT_LE(buffer.count(), PacketBuffer::kPackets);
        for (std::size_t at = 0; at < buffer.count(); ++at) {
            const auto mark = static_cast<std::uint8_t>(buffer[at].timestamp / 960);
            ASSERT_THAT(buffer.payload(buffer[at]), ::testing::Each(mark));
        }
        ASSERT_EQ(buffer[buffer.count() - 1].timestamp, i * 960);
    }
    EXPECT_GT(unused, 900U);
    const Bytes too_large(PacketBuffer::kBytes + 1);
    EXPECT_FALSE(buffer.insert(1'000'000'000, 960, too_large, false, unused));
}

TEST(ArrivalDelay, TargetFollowsTheJitterUpQuicklyAndDownSlowly) {
    ArrivalDelay delay;
    Time sent = kStart;
    std::int64_t timestamp = 0;
    const auto packets = [&](int count, auto&& late) {
        for (int i = 0; i < count; ++i, sent += 20ms, timestamp += 960) delay.take(timestamp, sent + late(i));
    };
    EXPECT_FALSE(delay.position(kStart));
    packets(1500, [](int) { return 0ms; });
    EXPECT_LE(delay.target(), 25 * 48);
    packets(50, [](int i) { return i % 2 * 60ms; });
    EXPECT_GE(delay.target(), 80 * 48);
    EXPECT_LE(delay.target(), 90 * 48);
    packets(200, [](int i) { return i % 2 * 900ms; });
    EXPECT_EQ(delay.target(), ArrivalDelay::kMost);
    packets(1500, [](int) { return 0ms; });
    EXPECT_LE(delay.target(), 45 * 48);
}

TEST(ArrivalDelay, PositionIsTheTimestampWhoseTurnItIs) {
    ArrivalDelay delay;
    for (std::int64_t i = 0; i < 500; ++i) ASSERT_TRUE(delay.take(7'000'000 + i * 960, kStart + i * 20ms));
    const std::int64_t newest = 7'000'000 + 499 * 960;
    EXPECT_NEAR(static_cast<double>(*delay.position(kStart + 499 * 20ms)), static_cast<double>(newest - delay.target()),
                1);
    // A slower way, for good: the least transit of the last seconds is what counts.
    for (std::int64_t i = 500; i < 1500; ++i) ASSERT_TRUE(delay.take(7'000'000 + i * 960, kStart + i * 20ms + 80ms));
    EXPECT_LE(delay.target(), 45 * 48);
    EXPECT_FALSE(delay.take(90'000'000, kStart + 1500 * 20ms)) << "another clock";
}

TEST(ArrivalDelay, LongPauseForgetsTheClock) {
    ArrivalDelay delay;
    for (std::int64_t i = 0; i < 100; ++i) delay.take(i * 960, kStart + i * 20ms);
    // An hour later, 500 ms of drift.
    const Time later = kStart + 1h;
    EXPECT_TRUE(delay.take(3600LL * 48'000 - 24'000, later));
    EXPECT_NEAR(static_cast<double>(*delay.position(later)),
                static_cast<double>(3600LL * 48'000 - 24'000 - delay.target()), 1);
}

class Few : public ::testing::Test {
  protected:
    std::span<const SourceId> hear(std::vector<Candidate> candidates, std::chrono::milliseconds time) {
        std::span<const SourceId> chosen;
        for (const Time end = now + time; now < end; now += 20ms) chosen = few.update(candidates, now);
        return chosen;
    }
    Time now = kStart;
    LoudestFew few{2};
};

TEST_F(Few, TheLoudestAreChosenAtOnce) {
    EXPECT_THAT(hear({}, 20ms), IsEmpty());
    EXPECT_THAT(hear({{1, 50}, {2, 30}, {3, 40}}, 20ms), UnorderedElementsAre(2, 3));
}

TEST_F(Few, SilenceTakesNoSeatAndGivesItUpAfterAWhile) {
    EXPECT_THAT(hear({{1, 90}, {2, 127}}, 1s), IsEmpty());
    EXPECT_THAT(hear({{1, 30}, {2, 127}}, 20ms), ElementsAre(1));
    EXPECT_THAT(hear({{1, 127}, {2, 127}}, 1s), ElementsAre(1)) << "a pause between two words";
    EXPECT_THAT(hear({{1, 127}, {2, 127}}, 2s), IsEmpty());
}

TEST_F(Few, SeatIsTakenOnlyByWhoeverIsClearlyLouderForAWhile) {
    EXPECT_THAT(hear({{1, 30}, {2, 35}, {3, 60}}, 1s), UnorderedElementsAre(1, 2));
    EXPECT_THAT(hear({{1, 30}, {2, 35}, {3, 32}}, 2s), UnorderedElementsAre(1, 2)) << "within the margin";
    EXPECT_THAT(hear({{1, 30}, {2, 35}, {3, 20}}, 300ms), UnorderedElementsAre(1, 2)) << "not yet";
    EXPECT_THAT(hear({{1, 30}, {2, 35}, {3, 20}}, 200ms), UnorderedElementsAre(1, 3));
    EXPECT_THAT(hear({{1, 30}, {3, 70}, {2, 35}}, 100ms), UnorderedElementsAre(1, 2)) << "who does not speak yields";
}

TEST_F(Few, WhoIsGoneIsReplacedAtOnce) {
    hear({{1, 30}, {2, 35}, {3, 60}}, 1s);
    EXPECT_THAT(hear({{2, 35}, {3, 60}}, 20ms), UnorderedElementsAre(2, 3));
}

TEST_F(Few, SharesDoNotCompeteWithVoices) {
    EXPECT_THAT(hear({{1, 30}, {2, 35}, {3, 20, true}, {4, 60}}, 1s), UnorderedElementsAre(1, 2, 3));
    EXPECT_THAT(hear({{1, 30}, {2, 35}, {3, 127, true}}, 3s), UnorderedElementsAre(1, 2));
    EXPECT_THAT(hear({{3, 20, true}, {5, 30, true}, {6, 40, true}}, 1s), UnorderedElementsAre(3, 5));
}

TEST(Limiter, LeavesAloneWhatIsNotTooLoud) {
    Limiter limiter;
    std::vector<float> frame(kFrame, 0.5F);
    limiter.process(frame, 1);
    EXPECT_THAT(frame, ::testing::Each(0.5F));
}

TEST(Limiter, KeepsEverythingWithinBoundsAndComesBack) {
    Limiter limiter;
    std::vector<float> frame(2 * kFrame);
    const auto fill = [&](double amplitude) {
        for (std::size_t i = 0; i < frame.size(); ++i) {
            frame[i] = static_cast<float>(amplitude * std::sin(0.05 * static_cast<double>(i)));
        }
    };
    for (int i = 0; i < 20; ++i) {
        fill(3.5);
        limiter.process(frame, 2);
        for (const float value : frame) ASSERT_LE(std::abs(value), 1.0F);
    }
    EXPECT_NEAR(limiter.gain(), Limiter::kCeiling / 3.5, 0.01);
    for (int i = 0; i < 100; ++i) {
        fill(0.3);
        limiter.process(frame, 2);
    }
    EXPECT_EQ(limiter.gain(), 1);
    frame.assign(frame.size(), std::numeric_limits<float>::quiet_NaN());
    limiter.process(frame, 2);
    fill(2);
    limiter.process(frame, 2);
    for (const float value : frame) ASSERT_LE(std::abs(value), 1.0F);
}

TEST(TimeStretch, LeavesOutOrRepeatsAPeriodWithoutASeam) {
    std::vector<float> sound(4 * kMostPeriod);
    for (std::size_t i = 0; i < sound.size(); ++i) {
        sound[i] = 0.3F * static_cast<float>(std::sin(2 * std::numbers::pi * 200.0 * static_cast<double>(i) / 48'000));
    }
    const double tone = strongest_click(sound);
    const Period period = find_period(std::span(sound).subspan(kMostPeriod), 1);
    EXPECT_GT(period.likeness, 0.95F);
    EXPECT_EQ(period.samples % 240, 0U) << "200 Hz: 240 samples";

    auto shorter = sound;
    shorten(shorter, 1, period.samples);
    EXPECT_LT(strongest_click(std::span(shorter).subspan(period.samples)), 1.5 * tone);
    auto longer = sound;
    lengthen(std::span(longer), 1, period.samples);
    EXPECT_LT(strongest_click(longer), 1.5 * tone + 1e-4);
    EXPECT_NEAR(amplitude_of(longer, 200), 0.3, 0.01);

    auto drawn_out = std::vector(sound.begin(), sound.begin() + kStretchWindow + 100);
    drawn_out.resize(drawn_out.size() + 2 * kFrame);
    const auto past = std::span<const float>(drawn_out).subspan(100, kStretchWindow);
    const std::size_t more = repeat(past, 1, kFrame, std::span(drawn_out).subspan(100 + kStretchWindow));
    ASSERT_GE(more, kFrame);
    // The real sound goes on behind it.
    std::copy_n(sound.begin() + 100 + kStretchWindow, 200,
                drawn_out.begin() + static_cast<std::ptrdiff_t>(100 + kStretchWindow + more));
    EXPECT_LT(strongest_click(std::span(drawn_out).first(300 + kStretchWindow + more)), 1.5 * tone + 1e-4);

    EXPECT_EQ(find_period(std::vector<float>(kStretchWindow), 1).likeness, 1) << "silence is like itself";
}

TEST(OpusCodec, TellsWhatAPacketIs) {
    Talker plain({.hz = 300});
    Talker careful({.hz = 300, .speech = true, .expected_loss = 30});
    Talker music({.hz = 300, .right_hz = 500, .bps = 96'000});
    Talker slow({.hz = 300, .samples = 2880, .speech = true, .expected_loss = 30});
    bool fec = false;
    bool slow_fec = false;
    for (int i = 0; i < 20; ++i) {
        const Bytes packet = plain.next();
        EXPECT_EQ(opus_samples(packet), kFrame);
        EXPECT_FALSE(opus_carries_fec(packet));
        EXPECT_FALSE(opus_is_stereo(packet));
        fec = opus_carries_fec(careful.next()) || fec;
        EXPECT_TRUE(opus_is_stereo(music.next()));
        const Bytes long_packet = slow.next();
        EXPECT_EQ(opus_samples(long_packet), 2880U);
        slow_fec = opus_carries_fec(long_packet) || slow_fec;
    }
    EXPECT_TRUE(fec);
    EXPECT_TRUE(slow_fec);
    EXPECT_EQ(opus_samples({}), 0U);
    EXPECT_FALSE(opus_carries_fec({}));
    EXPECT_FALSE(opus_carries_fec(Bytes{0x00}));
}

TEST(OpusCodec, EncoderPutsInFecWhenLossIsExpected) {
    Encoder encoder({});
    encoder.set_complexity(1);
    std::vector<float> sound(kFrame);
    std::size_t with = 0;
    std::size_t bytes = 0;
    for (int loss : {0, 15}) {
        encoder.set_expected_loss(loss);
        with = bytes = 0;
        for (std::size_t frame = 0; frame < 100; ++frame) {
            for (std::size_t i = 0; i < kFrame; ++i) {
                const std::size_t at = frame * kFrame + i;
                sound[i] = static_cast<float>(0.2 * Talker::syllable(at) * (at % 400 < 100 ? 1 : -0.3));
            }
            const auto packet = encoder.encode(sound, false);
            ASSERT_FALSE(packet.empty());
            if (opus_carries_fec(packet)) ++with;
            bytes += packet.size();
        }
        EXPECT_EQ(with > 40, loss > 0) << with;
    }
    EXPECT_GT(bytes * 8 / 2, 10'000U) << "bit/s";
    EXPECT_LT(bytes * 8 / 2, 40'000U);
}

}  // namespace
}  // namespace media::mixing::testing
