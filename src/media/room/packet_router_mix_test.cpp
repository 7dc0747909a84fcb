// What listeners hear in meetings of three and more: real Opus in, what comes out is decoded again.
#include <map>

#include "media/mixing/test_sound.hpp"
#include "media/room/opus_packet.hpp"
#include "media/room/packet_router_harness.hpp"

namespace media::room::testing {
namespace {

using mixing::testing::Ear;
using mixing::testing::quietest;
using mixing::testing::Talker;

constexpr double kAudible = 0.1;  // Tones have an amplitude of 0.2.
constexpr double kInaudible = 0.01;

/// A microphone with a tone of its own: 300 Hz for peer 1, 410 for peer 2, …
class Singer {
  public:
    explicit Singer(PeerId peer, Talker::Settings settings = {})
        : peer_(peer), samples_(settings.samples), talker_(with_tone(peer, settings)) {}

    static double tone(PeerId peer) { return 190.0 + 110.0 * peer; }

    Bytes next(std::uint8_t level = 30) {
        const Bytes opus = talker_.next();
        Bytes payload;
        if (red) {
            for (const auto& [timestamp, copy] : last_) {
                const std::uint32_t header =
                    (0x80U | 111U) << 24 | (timestamp_ - timestamp) << 10 | static_cast<std::uint32_t>(copy.size());
                payload.resize(payload.size() + 4);
                wire::store_u32(payload.data() + payload.size() - 4, header);
            }
            payload.push_back(111);
            for (const auto& [timestamp, copy] : last_) payload.insert(payload.end(), copy.begin(), copy.end());
        }
        payload.insert(payload.end(), opus.begin(), opus.end());
        last_.emplace_back(timestamp_, opus);
        if (last_.size() > 2) last_.erase(last_.begin());

        Bytes packet(1500);
        const wire::RtpExtension extensions[] = {{1, {&level, 1}}};
        packet.resize(wire::write_rtp(packet,
                                      {.payload_type = static_cast<std::uint8_t>(red ? 63 : 111),
                                       .sequence = sequence_++,
                                       .timestamp = timestamp_,
                                       .ssrc = 1000 * peer_},
                                      extensions, payload));
        timestamp_ += static_cast<std::uint32_t>(samples_);
        return packet;
    }
    std::chrono::milliseconds length() const { return std::chrono::milliseconds(samples_ / 48); }

    bool red = false;

  private:
    static Talker::Settings with_tone(PeerId peer, Talker::Settings settings) {
        settings.hz = tone(peer);
        return settings;
    }
    PeerId peer_;
    std::size_t samples_;
    Talker talker_;
    std::uint16_t sequence_ = 500;
    std::uint32_t timestamp_ = 77'000;
    std::vector<std::pair<std::uint32_t, Bytes>> last_;
};

struct Choir : TestMeeting {
    void join_singing(PeerId peer, Talker::Settings settings = {}) {
        join(peer);
        singers.emplace(peer, Singer(peer, settings));
        due[peer] = now;
    }
    /// A content share with sound, in stereo.
    void share_singing(PeerId peer, PersonId person) {
        ASSERT_TRUE(router.add_peer(peer, {.person = person, .content = true}, now));
        router.set_uplink(peer, uplink(peer), now);
        router.set_downlink(peer, downlink(peer), now);
        router.set_connected(peer, true, now);
        singers.emplace(peer, Singer(peer, {.right_hz = 900, .bps = 96'000}));
        due[peer] = now;
    }
    void sing(std::chrono::milliseconds time) {
        for (const Time end = now + time; now < end;) {
            for (auto& [peer, singer] : singers) {
                for (; due[peer] <= now; due[peer] += singer.length()) {
                    Bytes packet = singer.next();
                    if (!lost || !lost(peer)) deliver(peer, std::move(packet));
                }
            }
            pass(5ms);
        }
    }
    /// All that the peer has got since the last rtp.clear(), as sound; a slot that stays open sounds of nothing.
    Ear ear(PeerId peer) const {
        Ear result;
        for (const Sent& sent : audio_to(peer)) result.take(sent.rtp().payload());
        return result;
    }
    void receive_loss(PeerId from, std::uint8_t fraction) {
        Bytes buffer(200);
        wire::RtcpWriter writer(buffer);
        const wire::ReportBlock block{.ssrc = 1000 * from + 500, .fraction_lost = fraction};
        ASSERT_TRUE(writer.receiver_report(1, std::span(&block, 1)));
        router.on_rtcp(from, writer.written(), now);
    }

    std::map<PeerId, Singer> singers;
    std::map<PeerId, Time> due;
    std::function<bool(PeerId)> lost;
};

TEST(RouterMix, ThreeHearBothOthersAndNeverThemselves) {
    Choir choir;
    for (PeerId peer : {1U, 2U, 3U}) choir.join_singing(peer);
    choir.join(4);
    choir.sing(1s);
    choir.rtp.clear();
    const auto concealed = choir.router.counters().mixing.concealed;
    choir.sing(2s);
    for (PeerId listener : {1U, 2U, 3U, 4U}) {
        const auto packets = choir.audio_to(listener);
        EXPECT_NEAR(static_cast<double>(packets.size()), 100, 1);
        expect_steady(packets, 960);
        for (const Sent& sent : packets) {
            EXPECT_EQ(sent.rtp().payload_type(), 109);
            EXPECT_FALSE(sent.rtp().marker());
            EXPECT_EQ(opus_duration(sent.rtp().payload()), 20ms);
        }
        const Ear ear = choir.ear(listener);
        for (PeerId singer : {1U, 2U, 3U}) {
            const double heard = ear.hears(Singer::tone(singer), 1s);
            if (singer == listener) {
                EXPECT_LT(heard, kInaudible) << listener;
            } else {
                EXPECT_GT(heard, kAudible) << listener << " hears " << singer;
            }
        }
    }
    const RouterCounters& counters = choir.router.counters();
    EXPECT_GT(counters.audio_mixed, 400U);
    EXPECT_EQ(counters.mixing.concealed, concealed) << "none but while the buffers grew at the beginning";
}

TEST(RouterMix, TwoWhoSpeakGetPacketsAsTheyAreAndAThirdOneAMix) {
    Choir choir;
    choir.join_singing(1);
    choir.join_singing(2);
    choir.join_singing(3);
    choir.router.set_muted(3, true, choir.now);
    choir.sing(1s);
    choir.rtp.clear();
    const auto mixed_before = choir.router.counters().audio_mixed;
    const auto forwarded_before = choir.router.counters().audio_forwarded;
    choir.sing(2s);
    EXPECT_NEAR(static_cast<double>(choir.router.counters().audio_mixed - mixed_before), 100, 2);
    EXPECT_NEAR(static_cast<double>(choir.router.counters().audio_forwarded - forwarded_before), 200, 4);
    const Ear third = choir.ear(3);
    EXPECT_GT(third.hears(Singer::tone(1), 1s), kAudible);
    EXPECT_GT(third.hears(Singer::tone(2), 1s), kAudible);
    EXPECT_LT(choir.ear(1).hears(Singer::tone(3), 1s), kInaudible) << "muted";
    for (PeerId peer : {1U, 2U, 3U}) expect_steady(choir.audio_to(peer), 960);
}

TEST(RouterMix, ThirdPersonComesAndGoesWithoutAGapOrAHole) {
    Choir choir;
    choir.join_singing(1);
    choir.join_singing(2);
    choir.sing(2s);
    EXPECT_EQ(choir.router.counters().mixing.decoded, 0U) << "with two nothing is decoded";
    choir.rtp.clear();
    choir.sing(1s);
    choir.join_singing(3);
    choir.sing(3s);
    EXPECT_GT(choir.ear(1).hears(Singer::tone(3), 1s), kAudible);
    EXPECT_GT(choir.ear(1).hears(Singer::tone(2), 1s), kAudible);
    choir.singers.erase(3);
    choir.router.remove_peer(3, choir.now);
    const auto mixed = choir.router.counters().audio_mixed;
    choir.sing(3s);
    EXPECT_EQ(choir.router.counters().audio_mixed, mixed) << "packets as they are again";
    for (PeerId peer : {1U, 2U}) {
        const auto packets = choir.audio_to(peer);
        expect_steady(packets, 960);
        EXPECT_NEAR(static_cast<double>(packets.size()), 350, 4);
        for (const Sent& sent : packets) EXPECT_FALSE(std::ranges::equal(sent.rtp().payload(), kOpusSilence));
        const Ear ear = choir.ear(peer);
        // From 100 ms on: the ear's own decoder begins in the middle.
        EXPECT_GT(quietest(std::span(ear.left).subspan(4800)), 0.05) << peer;
    }
    EXPECT_EQ(choir.router.counters().mixing.concealed, 0U);
}

TEST(RouterMix, MutedOnesAreLeftOutAndComeBack) {
    Choir choir;
    for (PeerId peer : {1U, 2U, 3U, 4U}) choir.join_singing(peer);
    choir.sing(1s);
    choir.router.set_muted(1, true, choir.now);
    choir.sing(500ms);
    choir.rtp.clear();
    choir.sing(1s);
    EXPECT_LT(choir.ear(2).hears(Singer::tone(1), 500ms), kInaudible);
    EXPECT_GT(choir.ear(2).hears(Singer::tone(3), 500ms), kAudible);
    choir.router.set_muted(1, false, choir.now);
    choir.sing(1s);
    EXPECT_GT(choir.ear(2).hears(Singer::tone(1), 500ms), kAudible);
    expect_steady(choir.audio_to(2), 960);
}

TEST(RouterMix, WhoMayNotReceiveGetsSilenceAndWhoMayNotSendIsNotHeard) {
    Choir choir;
    for (PeerId peer : {1U, 2U, 3U, 4U}) choir.join_singing(peer);
    choir.router.set_capabilities(1, {.audio = core::Flow::send}, choir.now);
    choir.router.set_capabilities(2, {.audio = core::Flow::receive}, choir.now);
    choir.sing(500ms);
    choir.rtp.clear();
    choir.sing(1s);
    const auto packets = choir.audio_to(1);
    EXPECT_NEAR(static_cast<double>(packets.size()), 50, 1);
    expect_steady(packets, 960);
    for (const Sent& sent : packets) EXPECT_TRUE(std::ranges::equal(sent.rtp().payload(), kOpusSilence));
    const Ear ear = choir.ear(3);
    EXPECT_GT(ear.hears(Singer::tone(1), 500ms), kAudible);
    EXPECT_LT(ear.hears(Singer::tone(2), 500ms), kInaudible);
    EXPECT_GT(ear.hears(Singer::tone(4), 500ms), kAudible);
}

TEST(RouterMix, SharedSoundIsHeardByAllOthersAndItsOwnerHearsTheRest) {
    Choir choir;
    for (PeerId peer : {1U, 2U, 3U}) choir.join_singing(peer);
    choir.share_singing(11, 1);
    choir.sing(1s);
    choir.rtp.clear();
    choir.sing(1s);
    EXPECT_LT(choir.ear(1).hears(Singer::tone(11), 500ms), kInaudible);
    EXPECT_LT(choir.ear(1).hears(900, 500ms), kInaudible);
    EXPECT_GT(choir.ear(1).hears(Singer::tone(2), 500ms), kAudible);
    EXPECT_GT(choir.ear(2).hears(Singer::tone(11), 500ms), kAudible / 2) << "half of it: this ear is mono";
    EXPECT_TRUE(mixing::opus_is_stereo(choir.audio_to(2).back().rtp().payload()));
    EXPECT_FALSE(mixing::opus_is_stereo(choir.audio_to(1).back().rtp().payload()));
    EXPECT_TRUE(choir.audio_to(11).empty());
}

TEST(RouterMix, OfTwoPeopleOneIsHeardTogetherWithWhatItShares) {
    Choir choir;
    for (PeerId peer : {1U, 2U}) choir.join_singing(peer);
    choir.sing(1s);
    EXPECT_EQ(choir.router.counters().audio_mixed, 0U);
    choir.share_singing(11, 1);
    choir.sing(1s);
    choir.rtp.clear();
    choir.sing(2s);
    EXPECT_GT(choir.ear(2).hears(Singer::tone(1), 1s), kAudible);
    EXPECT_GT(choir.ear(2).hears(Singer::tone(11), 1s), kAudible / 2) << "half of it: this ear is mono";
    EXPECT_GT(choir.ear(1).hears(Singer::tone(2), 1s), kAudible);
    EXPECT_LT(choir.ear(1).hears(Singer::tone(11), 1s), kInaudible);
    EXPECT_NEAR(static_cast<double>(choir.router.counters().audio_mixed), 150, 10) << "for the one who hears both only";
    choir.router.remove_peer(11, choir.now);
    choir.singers.erase(11);
    const auto mixed = choir.router.counters().audio_mixed;
    choir.sing(1s);
    EXPECT_LE(choir.router.counters().audio_mixed, mixed + 5) << "packets as they are again";
    for (PeerId peer : {1U, 2U}) expect_steady(choir.audio_to(peer), 960);
}

TEST(RouterMix, OfTwoPeopleBothAreHeardWhateverTheLengthOfTheirPackets) {
    Choir choir;
    choir.join_singing(1, {.samples = 480});
    choir.join_singing(2);
    choir.sing(1s);
    choir.rtp.clear();
    choir.sing(2s);
    EXPECT_GT(choir.ear(1).hears(Singer::tone(2), 1s), kAudible);
    EXPECT_GT(choir.ear(2).hears(Singer::tone(1), 1s), kAudible);
    for (PeerId peer : {1U, 2U}) EXPECT_NEAR(static_cast<double>(choir.audio_to(peer).size()), 100, 1);
}

TEST(RouterMix, SendersOfOtherPacketLengthsAreHeard) {
    Choir choir;
    choir.join_singing(1, {.samples = 480});
    choir.join_singing(2, {.samples = 2880});
    choir.join(3);
    choir.sing(2s);
    choir.rtp.clear();
    choir.sing(2s);
    const Ear third = choir.ear(3);
    EXPECT_GT(third.hears(Singer::tone(1), 1s), kAudible);
    EXPECT_GT(third.hears(Singer::tone(2), 1s), kAudible);
    // Also where there is only one to hear: such packets do not fit the slots as they are.
    EXPECT_GT(choir.ear(1).hears(Singer::tone(2), 1s), kAudible);
    EXPECT_GT(choir.ear(2).hears(Singer::tone(1), 1s), kAudible);
    for (PeerId peer : {1U, 2U, 3U}) {
        expect_steady(choir.audio_to(peer), 960);
        EXPECT_NEAR(static_cast<double>(choir.audio_to(peer).size()), 100, 1);
    }
}

TEST(RouterMix, RedundantCopiesReachTheMix) {
    Choir choir;
    for (PeerId peer : {1U, 2U, 3U}) choir.join_singing(peer);
    Uplink uplink = TestMeeting::uplink(1);
    uplink.audio.red_payload_type = 63;
    choir.router.set_uplink(1, uplink, choir.now);
    choir.singers.at(1).red = true;
    int count = 0;
    choir.lost = [&](PeerId peer) { return peer == 1 && ++count % 10 == 0; };
    choir.sing(4s);
    EXPECT_GE(choir.router.counters().mixing.redundant, 17U);
    EXPECT_LE(choir.router.counters().mixing.concealed, 2U);
    EXPECT_GT(choir.ear(2).hears(Singer::tone(1), 2s), kAudible);
}

TEST(RouterMix, ListenersThatLosePacketsGetInBandFec) {
    Choir choir;
    choir.join_singing(1, {.speech = true});
    choir.join_singing(2, {.speech = true});
    choir.join(3);
    choir.join(4);
    const auto with_fec = [&](PeerId peer) {
        return std::ranges::count_if(choir.audio_to(peer),
                                     [](const Sent& sent) { return mixing::opus_carries_fec(sent.rtp().payload()); });
    };
    choir.sing(2s);
    EXPECT_EQ(with_fec(3), 0);
    for (int second = 0; second < 6; ++second) {
        choir.receive_loss(4, 64);
        choir.sing(1s);
    }
    choir.rtp.clear();
    choir.sing(2s);
    EXPECT_GT(with_fec(4), 20) << "a quarter is lost";
    EXPECT_EQ(with_fec(3), with_fec(4)) << "they share an encode";
    EXPECT_EQ(with_fec(1), 0) << "this one has its own, and no losses";
}

TEST(RouterMix, StalledThreadAndReconnectedListenerGoOnWithTheirNumbers) {
    Choir choir;
    for (PeerId peer : {1U, 2U, 3U}) choir.join_singing(peer);
    choir.sing(1s);
    choir.rtp.clear();
    choir.sing(500ms);
    choir.now += 50ms;  // Nobody called us.
    choir.sing(500ms);
    choir.router.set_connected(1, false, choir.now);
    choir.sing(500ms);
    choir.router.set_connected(1, true, choir.now);
    choir.sing(500ms);
    for (PeerId peer : {1U, 2U, 3U}) expect_steady(choir.audio_to(peer), 960);
    EXPECT_NEAR(static_cast<double>(choir.audio_to(2).size()), 102, 3);
    EXPECT_NEAR(static_cast<double>(choir.audio_to(1).size()), 77, 3);
}

TEST(RouterMix, FiftyGetFiftyPacketsASecondEachAndFourAreHeard) {
    Choir choir;
    for (PeerId peer = 1; peer <= 50; ++peer) choir.join(peer);
    std::vector<Microphone> quiet;
    for (PeerId peer = 6; peer <= 50; ++peer) quiet.emplace_back(peer);
    for (PeerId peer : {1U, 2U, 3U, 4U}) {
        choir.singers.emplace(peer, Singer(peer));
        choir.due[peer] = choir.now;
    }
    for (int i = 0; i < 75; ++i) {
        for (std::size_t q = 0; q < quiet.size(); ++q) choir.deliver(static_cast<PeerId>(6 + q), quiet[q].next(100));
        choir.sing(20ms);
    }
    for (PeerId peer : {1U, 5U, 50U}) {
        expect_steady(choir.audio_to(peer), 960);
        EXPECT_NEAR(static_cast<double>(choir.audio_to(peer).size()), 75, 2);
        const Ear ear = choir.ear(peer);
        for (PeerId singer : {1U, 2U, 3U, 4U}) {
            EXPECT_EQ(ear.hears(Singer::tone(singer), 500ms) > kAudible, singer != peer) << peer << " hears " << singer;
        }
    }
    const RouterCounters& counters = choir.router.counters();
    EXPECT_LE(counters.mixing.encoded, 76U * 5);
    EXPECT_LE(counters.mixing.decoded, 76U * 4);
}

}  // namespace
}  // namespace media::room::testing
