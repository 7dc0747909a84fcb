// Loss, jitter and clocks: what the mix does about them.
#include <algorithm>

#include "media/mixing/mixer.hpp"
#include "media/mixing/test_room.hpp"

namespace media::mixing::testing {
namespace {

constexpr double kHz = 300;
using Delay = TestRoom::Delay;

/// One speaker and one listener.
struct Line : TestRoom {
    explicit Line(Talker::Settings settings) : speaker(add(1, settings)), ear(listen(9)) {}
    double dropped(std::chrono::milliseconds time) const { return quietest(ear.last(time)); }
    /// How strong the tone was on average; piece by piece, as its phase does not survive what a buffer does.
    double heard(std::chrono::milliseconds time) const {
        const auto sound = ear.last(time);
        double sum = 0;
        std::size_t pieces = 0;
        for (; (pieces + 1) * 4800 <= sound.size(); ++pieces) {
            sum += amplitude_of(sound.subspan(pieces * 4800, 4800), kHz);
        }
        return sum / static_cast<double>(pieces);
    }
    /// Packets that are there and not played yet.
    std::size_t waiting() const {
        std::size_t count = 0;
        mixer.each_waiting(1, [&](std::int64_t, core::BytesView) { ++count; });
        return count;
    }
    Speaker& speaker;
    Ear& ear;
};

std::function<Delay(std::size_t)> losing(int percent, unsigned seed) {
    return [random = std::mt19937(seed), percent](std::size_t) mutable {
        return std::uniform_int_distribution(0, 99)(random) < percent ? Delay() : Delay(10ms);
    };
}

class Loss : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Percent, Loss, ::testing::Values(1, 5, 20));

TEST_P(Loss, IsRestoredFromTheInBandFecOfThePacketBehind) {
    Line line({.hz = kHz, .speech = true, .expected_loss = 25});
    line.speaker.path = losing(GetParam(), 7);
    line.pass(20s);
    const double lost = 1000.0 * GetParam() / 100;
    const auto& counters = line.counters;
    EXPECT_NEAR(static_cast<double>(counters.restored + counters.concealed), lost, lost / 3 + 5);
    // What stands before a packet that did come; in a row of losses only the last one.
    EXPECT_GT(static_cast<double>(counters.restored), 0.4 * lost);
    EXPECT_EQ(counters.silenced, 0U);
    EXPECT_EQ(line.ear.left.size(), 20U * 48'000) << "a frame for each beat";
    EXPECT_GT(line.heard(10s), 0.07);
}

TEST_P(Loss, IsConcealedWithoutFec) {
    Line line({.hz = kHz});
    line.speaker.path = losing(GetParam(), 8);
    line.pass(20s);
    const double lost = 1000.0 * GetParam() / 100;
    EXPECT_EQ(line.counters.restored, 0U);
    EXPECT_NEAR(static_cast<double>(line.counters.concealed), lost, lost / 3 + 5);
    EXPECT_EQ(line.ear.left.size(), 20U * 48'000);
    EXPECT_GT(line.heard(10s), 0.1);
}

TEST_P(Loss, IsMadeGoodByRedundantCopies) {
    Line line({.hz = kHz});
    line.speaker.path = losing(GetParam(), 9);
    line.speaker.copies = 2;
    line.pass(20s);
    const double lost = 1000.0 * GetParam() / 100;
    EXPECT_GT(static_cast<double>(line.counters.redundant), 0.7 * lost);
    EXPECT_LT(static_cast<double>(line.counters.concealed), 0.25 * lost + 3);
    EXPECT_EQ(line.counters.duplicate, 0U) << "copies of what has come are nothing special";
    EXPECT_GT(line.heard(10s), 0.18);
}

TEST(Network, JitterIsTakenUpByTheBuffer) {
    Line line({.hz = kHz});
    line.speaker.path = [random = std::mt19937(3)](std::size_t) mutable {
        return Delay(std::chrono::milliseconds(std::uniform_int_distribution(10, 70)(random)));
    };
    line.pass(10s);  // Learns.
    const auto before = line.counters;
    line.pass(20s);
    EXPECT_LE(line.counters.concealed - before.concealed, 25U) << "at most 2 of 100 packets come later than the target";
    EXPECT_GT(line.dropped(20s), 0.05);
    EXPECT_GT(line.heard(10s), 0.18);
    // Reordered on the way, played in order.
    EXPECT_EQ(line.counters.duplicate, 0U);
}

TEST(Network, QuietLineIsPlayedWithLittleDelay) {
    Line line({.hz = kHz});
    line.pass(10s);
    EXPECT_LE(line.waiting(), 2U);
    EXPECT_EQ(line.counters.concealed, 0U);
    EXPECT_EQ(line.counters.late, 0U);
}

TEST(Network, BurstsAreHeldAndTheDelayComesDownAgain) {
    Line line({.hz = kHz});
    // Every 100 ms five packets at once.
    line.speaker.path = [](std::size_t index) { return Delay((4 - index % 5) * 20ms); };
    line.pass(8s);
    const auto learnt = line.counters.concealed;
    line.pass(8s);
    EXPECT_LE(line.counters.concealed - learnt, 2U);
    line.speaker.path = [](std::size_t) { return Delay(10ms); };
    line.pass(20s);
    EXPECT_LE(line.waiting(), 2U) << "shortened again";
    EXPECT_GT(line.counters.shortened, 0U);
    EXPECT_GT(line.dropped(20s), 0.08);
    EXPECT_LT(strongest_click(line.ear.last(20s)), 0.02);
}

TEST(Network, DuplicatesAndLatePacketsAreCounted) {
    Line line({.hz = kHz});
    line.pass(1s);
    const auto [timestamp, packet] = line.speaker.sent.back();
    const auto before = line.counters;
    line.mixer.push(1, {timestamp, packet}, line.now);
    line.mixer.push(1, {timestamp, packet}, line.now);
    EXPECT_GE(line.counters.duplicate - before.duplicate, 1U);
    line.mixer.push(1, {timestamp - 4800, packet}, line.now);
    EXPECT_EQ(line.counters.late - before.late, 1U);
}

TEST(Network, OutageFadesToSilenceAndTheVoiceComesBack) {
    Line line({.hz = kHz});
    line.pass(2s);
    line.speaker.path = [](std::size_t) { return Delay(); };
    line.pass(1s);
    EXPECT_EQ(line.counters.silenced, 1U);
    EXPECT_LE(line.counters.concealed, 7U);
    EXPECT_LT(line.ear.hears(kHz, 400ms), 0.001);
    line.speaker.path = [](std::size_t) { return Delay(10ms); };
    line.pass(1s);
    EXPECT_GT(line.ear.hears(kHz, 400ms), 0.18);
    EXPECT_LT(strongest_click(line.ear.last(3s)), 0.02);
}

TEST(Network, DelayedPacketsArePlayedLaterInsteadOfBeingLost) {
    Line line({.hz = kHz});
    line.pass(4s);
    // For once everything stands still for 80 ms.
    const std::size_t first = line.speaker.packets;
    line.speaker.path = [first](std::size_t index) {
        const auto behind = static_cast<int>(first + 4) - static_cast<int>(index);
        return Delay(10ms + std::max(behind, 0) * 20ms);
    };
    line.pass(4s);
    EXPECT_EQ(line.counters.late, 0U);
    EXPECT_LE(line.counters.concealed, 4U);
    EXPECT_EQ(line.counters.decoded, line.speaker.packets - line.waiting() - 1);
}

TEST(Network, NewClockOfTheSenderIsFollowed) {
    Line line({.hz = kHz});
    line.pass(1s);
    line.speaker.timestamp += 100'000'000;
    line.pass(1s);
    EXPECT_GT(line.ear.hears(kHz), 0.18);
    line.speaker.timestamp -= 50'000'000;
    line.pass(1s);
    EXPECT_GT(line.ear.hears(kHz), 0.18);
    EXPECT_EQ(line.counters.restarted, 2U);
}

class Drift : public ::testing::TestWithParam<double> {};
INSTANTIATE_TEST_SUITE_P(PartsPerMillion, Drift, ::testing::Values(-200.0, 200.0));

TEST_P(Drift, OfTenMinutesNeitherStarvesNorPilesUp) {
    Line line({.hz = kHz});
    line.speaker.clock = 1 + GetParam() / 1'000'000;
    line.pass(5s);
    const auto before = line.counters;
    for (int minute = 0; minute < 10; ++minute) {
        // Listening takes longer than all the rest.
        auto listener = minute % 3 == 0 ? decltype(line.ears)::node_type{} : line.ears.extract(9);
        line.ear.left.clear();
        line.pass(60s);
        EXPECT_LE(line.waiting(), 3U) << minute;
        if (listener) {
            line.ears.insert(std::move(listener));
        } else {
            EXPECT_GT(quietest(line.ear.left), 0.08) << minute;
        }
    }
    EXPECT_LE(line.counters.concealed - before.concealed, 2U);
    EXPECT_EQ(line.counters.late, 0U);
    // 120 ms in all, a few milliseconds at a time.
    EXPECT_GE((GetParam() > 0 ? line.counters.shortened : line.counters.lengthened), 10U);
    EXPECT_LT(strongest_click(line.ear.left), 0.02);
}

}  // namespace
}  // namespace media::mixing::testing
