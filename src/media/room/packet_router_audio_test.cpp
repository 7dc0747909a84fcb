// What listeners hear.
#include "media/room/opus_packet.hpp"
#include "media/room/packet_router_harness.hpp"

namespace media::room::testing {
namespace {

bool is_silence(const Sent& sent) {
    return std::ranges::equal(sent.rtp().payload(), kOpusSilence);
}
/// Whose packet it is: the mark of its microphone, 0 for silence.
int speaker_of(const Sent& sent) {
    return is_silence(sent) ? 0 : sent.rtp().payload()[1];
}
std::size_t heard(const std::vector<Sent>& packets, int speaker) {
    return static_cast<std::size_t>(
        std::ranges::count_if(packets, [&](const Sent& s) { return speaker_of(s) == speaker; }));
}

TEST(RouterAudio, AloneHearsFiftyPacketsOfSilenceASecond) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.pass(10s);
    const auto audio = meeting.audio_to(1);
    EXPECT_NEAR(static_cast<double>(audio.size()), 500, 1);
    expect_steady(audio, 960);
    for (const Sent& sent : audio) {
        EXPECT_TRUE(is_silence(sent));
        EXPECT_EQ(sent.rtp().payload_type(), 109);
        EXPECT_FALSE(sent.rtp().marker());
        EXPECT_EQ(sent.rtp().extension_form(), wire::RtpExtensionForm::none);
    }
}

TEST(RouterAudio, NothingIsSentBeforeThePathIsUp) {
    TestMeeting meeting;
    ASSERT_TRUE(meeting.router.add_peer(1, {.person = 1}, meeting.now));
    meeting.router.set_uplink(1, TestMeeting::uplink(1), meeting.now);
    meeting.router.set_downlink(1, TestMeeting::downlink(1), meeting.now);
    meeting.pass(3s);
    EXPECT_TRUE(meeting.rtp.empty());
    EXPECT_TRUE(meeting.rtcp.empty());
}

TEST(RouterAudio, SpeakerGoesToTheOtherAtOnceAndNeverBack) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    meeting.pass(100ms);
    meeting.rtp.clear();
    Microphone alice(1);
    for (int i = 0; i < 100; ++i) {
        meeting.deliver(1, alice.next());
        meeting.pass(20ms);
    }
    const auto bob = meeting.audio_to(2);
    EXPECT_NEAR(static_cast<double>(bob.size()), 100, 1);
    expect_steady(bob, 960);
    EXPECT_EQ(heard(bob, 1), 100U);
    EXPECT_EQ(bob.front().at, bob[1].at - 20ms) << "forwarded on arrival";
    EXPECT_EQ(heard(meeting.audio_to(1), 0), meeting.audio_to(1).size());
}

TEST(RouterAudio, JitterIsPassedOnWithoutSilenceInBetween) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Microphone alice(1);
    meeting.deliver(1, alice.next());
    meeting.rtp.clear();
    // Five packets in a burst every 100 ms.
    for (int i = 0; i < 30; ++i) {
        meeting.pass(100ms);
        for (int j = 0; j < 5; ++j) meeting.deliver(1, alice.next());
    }
    const auto bob = meeting.audio_to(2);
    EXPECT_EQ(heard(bob, 1), 150U);
    EXPECT_EQ(bob.size(), 150U);
    expect_steady(bob, 960);
}

TEST(RouterAudio, LostPacketLeavesItsSlotOpenForConcealment) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    meeting.pass(1s);
    Microphone alice(1);
    for (int i = 0; i < 20; ++i) {
        if (i == 10) {
            alice.lose(1);
        } else {
            meeting.deliver(1, alice.next());
        }
        if (i == 8) meeting.rtp.clear();
        meeting.pass(20ms);
    }
    const auto bob = meeting.audio_to(2);
    ASSERT_GE(bob.size(), 2U);
    EXPECT_EQ(static_cast<std::uint16_t>(bob[1].rtp().sequence() - bob[0].rtp().sequence()), 2);
    EXPECT_EQ(bob[1].rtp().timestamp() - bob[0].rtp().timestamp(), 2U * 960);
    EXPECT_EQ(meeting.router.counters().audio_open_slots, 1U);
    EXPECT_EQ(heard(bob, 0), 0U);
}

TEST(RouterAudio, LossWhileThePathGetsFasterLeavesAllItsSlotsOpen) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Microphone alice(1);
    for (int i = 0; i < 50; ++i) {
        if (i > 0) meeting.pass(20ms);
        meeting.deliver(1, alice.next());
    }
    // All that came 150 ms late; an outage of 190 ms empties the queue on the way.
    meeting.pass(190ms);
    alice.lose(16);
    meeting.deliver(1, alice.next());
    const auto bob = meeting.audio_to(2);
    EXPECT_EQ(heard(bob, 1), 51U);
    ASSERT_GE(bob.size(), 2U);
    const auto before = bob[bob.size() - 2].rtp();
    const auto after = bob.back().rtp();
    EXPECT_EQ(static_cast<std::uint16_t>(after.sequence() - before.sequence()), 17);
    EXPECT_EQ(after.timestamp() - before.timestamp(), 17U * 960);
    EXPECT_EQ(meeting.router.counters().audio_open_slots, 16U);
}

TEST(RouterAudio, ReconnectedListenerGetsNoNumberFromBefore) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Microphone alice(1);
    const auto talk = [&](int packets) {
        for (int i = 0; i < packets; ++i) {
            meeting.deliver(1, alice.next());
            meeting.pass(20ms);
        }
    };
    talk(20);
    alice.lose(3);
    meeting.pass(60ms);
    talk(1);
    ASSERT_EQ(meeting.router.counters().audio_open_slots, 3U);
    meeting.router.set_connected(2, false, meeting.now);
    meeting.router.set_connected(2, true, meeting.now);
    const Bytes straggler = alice.next();
    const Bytes other_straggler = alice.next();
    meeting.rtp.clear();
    talk(1);
    meeting.deliver(1, straggler);
    meeting.deliver(1, other_straggler);
    talk(5);
    EXPECT_EQ(meeting.router.counters().dropped_audio_late, 2U);
    expect_steady(meeting.audio_to(2), 960);
}

TEST(RouterAudio, HeavyLossNeverPushesAListenerBelowHalfRate) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Microphone alice(1);
    meeting.pass(1s);
    meeting.rtp.clear();
    for (int i = 0; i < 500; ++i) {
        if (i % 5 == 0) {
            meeting.deliver(1, alice.next());
        } else {
            alice.lose(1);
        }
        meeting.pass(20ms);
    }
    const auto bob = meeting.audio_to(2);
    EXPECT_GE(bob.size(), 300U);
    EXPECT_LE(bob.size(), 512U);
}

TEST(RouterAudio, OutageBecomesSilenceAndTheVoiceComesBack) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Microphone alice(1);
    const auto talk = [&](int packets) {
        for (int i = 0; i < packets; ++i) {
            meeting.deliver(1, alice.next());
            meeting.pass(20ms);
        }
    };
    talk(50);
    meeting.pass(2s);
    const std::size_t silence = meeting.router.counters().audio_silence;
    talk(50);
    const auto bob = meeting.audio_to(2);
    EXPECT_EQ(heard(bob, 1), 100U);
    EXPECT_NEAR(static_cast<double>(bob.size() + meeting.router.counters().audio_open_slots), 200, 4);
    EXPECT_GE(silence, 85U);
    // Sequence number and timestamp always go together.
    for (std::size_t i = 1; i < bob.size(); ++i) {
        const auto step = static_cast<std::uint16_t>(bob[i].rtp().sequence() - bob[i - 1].rtp().sequence());
        ASSERT_EQ(bob[i].rtp().timestamp() - bob[i - 1].rtp().timestamp(), step * 960U);
        ASSERT_GE(step, 1);
        ASSERT_LE(step, 10);
    }
}

TEST(RouterAudio, LongRunKeepsPaceWithADriftingSender) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Microphone alice(1);
    // 0.2 % slow: 20.04 ms for a packet, ten minutes.
    Time next = meeting.now;
    const Time end = meeting.now + 10min;
    while (meeting.now < end) {
        meeting.advance_to(next);
        meeting.deliver(1, alice.next());
        next += 20'040us;
    }
    const auto bob = meeting.audio_to(2);
    EXPECT_NEAR(static_cast<double>(bob.size()), 600.0 / 0.02004, 3);
    expect_steady(bob, 960);
    EXPECT_EQ(heard(bob, 0), 0U);
}

TEST(RouterAudio, SenderThatRunsAheadIsCut) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Microphone alice(1);
    meeting.pass(1s, [&] {
        for (int i = 0; i < 5; ++i) meeting.deliver(1, alice.next());
    });
    meeting.pass(1s);
    EXPECT_LE(meeting.audio_to(2).size(), 115U);
    EXPECT_GT(meeting.router.counters().dropped_audio_too_fast, 800U);
    expect_steady(meeting.audio_to(2), 960);
}

TEST(RouterAudio, MutedPeerIsNotHeardAndHasNoLevel) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Microphone alice(1);
    const auto talk = [&] {
        for (int i = 0; i < 50; ++i) {
            meeting.deliver(1, alice.next(25));
            meeting.pass(20ms);
        }
    };
    talk();
    ASSERT_EQ(meeting.router.report(meeting.now).levels.size(), 1U);
    EXPECT_EQ(meeting.router.report(meeting.now).levels[0].peer, 1U);
    EXPECT_EQ(meeting.router.report(meeting.now).levels[0].level, 25);

    meeting.router.set_muted(1, true, meeting.now);
    EXPECT_TRUE(meeting.router.report(meeting.now).levels.empty());
    meeting.rtp.clear();
    talk();
    EXPECT_EQ(heard(meeting.audio_to(2), 0), meeting.audio_to(2).size());
    EXPECT_NEAR(static_cast<double>(meeting.audio_to(2).size()), 50, 2);

    meeting.router.set_muted(1, false, meeting.now);
    meeting.rtp.clear();
    talk();
    EXPECT_EQ(heard(meeting.audio_to(2), 1), 50U);
    EXPECT_EQ(meeting.router.counters().dropped_audio_muted, 50U);
}

TEST(RouterAudio, OwnContentShareIsNotHeardAndHearsNothing) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    ASSERT_TRUE(meeting.router.add_peer(3, {.person = 1, .content = true}, meeting.now));
    meeting.router.set_uplink(3, TestMeeting::uplink(3), meeting.now);
    meeting.router.set_downlink(3, TestMeeting::downlink(3), meeting.now);
    meeting.router.set_connected(3, true, meeting.now);
    Microphone content(3);
    for (int i = 0; i < 50; ++i) {
        meeting.deliver(3, content.next(10));
        meeting.pass(20ms);
    }
    EXPECT_EQ(heard(meeting.audio_to(1), 3), 0U);
    EXPECT_EQ(heard(meeting.audio_to(2), 3), 50U);
    EXPECT_TRUE(meeting.audio_to(3).empty());
}

TEST(RouterAudio, PaddingOnTheAudioStreamUsesUpNoTime) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    meeting.pass(1s);
    Microphone alice(1, 100);
    std::uint16_t shift = 0;
    for (int i = 0; i < 50; ++i) {
        Bytes packet = alice.next();
        const auto view = *wire::RtpView::parse(packet);
        if (i == 25) {
            Bytes padding(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(view.header_size()));
            padding[0] |= 0x20;
            padding.insert(padding.end(), {0, 0, 0, 4});
            wire::set_rtp_timestamp(padding, view.timestamp() - 960);
            meeting.deliver(1, padding);
            shift = 1;
        }
        wire::set_rtp_sequence(packet, static_cast<std::uint16_t>(view.sequence() + shift));
        meeting.deliver(1, packet);
        meeting.pass(20ms);
    }
    EXPECT_EQ(heard(meeting.audio_to(2), 1), 50U);
    EXPECT_EQ(meeting.router.counters().audio_open_slots, 0U);
    EXPECT_EQ(meeting.router.counters().dropped_padding, 1U);
    expect_steady(meeting.audio_to(2), 960);
}

/// The last packets as one with redundant copies in front, as payload type 63.
Bytes as_red(const std::vector<Bytes>& packets) {
    const auto primary = *wire::RtpView::parse(packets.back());
    Bytes payload;
    for (std::size_t i = 0; i + 1 < packets.size(); ++i) {
        const auto copy = *wire::RtpView::parse(packets[i]);
        const std::uint32_t offset = primary.timestamp() - copy.timestamp();
        const std::uint32_t header =
            (0x80U | 111U) << 24 | offset << 10 | static_cast<std::uint32_t>(copy.payload().size());
        payload.resize(payload.size() + 4);
        wire::store_u32(payload.data() + payload.size() - 4, header);
    }
    payload.push_back(111);
    for (const Bytes& packet : packets) {
        const auto view = *wire::RtpView::parse(packet);
        payload.insert(payload.end(), view.payload().begin(), view.payload().end());
    }
    Bytes result(200);
    const std::uint8_t level = 30;
    const wire::RtpExtension extensions[] = {{1, {&level, 1}}};
    result.resize(wire::write_rtp(
        result,
        {.payload_type = 63, .sequence = primary.sequence(), .timestamp = primary.timestamp(), .ssrc = primary.ssrc()},
        extensions, payload));
    return result;
}
void offer_red(TestMeeting& meeting, PeerId peer) {
    Uplink uplink = TestMeeting::uplink(peer);
    uplink.audio.red_payload_type = 63;
    meeting.router.set_uplink(peer, uplink, meeting.now);
}

TEST(RouterAudio, RedundantAudioIsUnwrappedAndItsCopiesFillGaps) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    offer_red(meeting, 1);
    meeting.pass(1s);
    meeting.rtp.clear();
    Microphone alice(1);
    std::vector<Bytes> last;
    for (int i = 0; i < 100; ++i) {
        last.push_back(alice.next());
        if (last.size() > 3) last.erase(last.begin());
        // One, then two in a row are lost again and again; the last packet is not.
        const bool lost = i % 10 == 3 || i % 10 == 6 || i % 10 == 7;
        if (!lost) meeting.deliver(1, as_red(last));
        meeting.pass(20ms);
    }
    const auto bob = meeting.audio_to(2);
    expect_steady(bob, 960);
    EXPECT_EQ(heard(bob, 1), 100U);
    for (std::size_t i = 1; i < 100; ++i) {
        EXPECT_EQ(bob[i].rtp().payload()[2], static_cast<std::uint8_t>(bob[i - 1].rtp().payload()[2] + 1));
        EXPECT_EQ(bob[i].rtp().payload_type(), 109);
        EXPECT_EQ(bob[i].rtp().payload().size(), 3U);
    }
    const RouterCounters& counters = meeting.router.counters();
    EXPECT_EQ(counters.audio_recovered, 30U);
    EXPECT_EQ(counters.audio_forwarded, 70U);
    EXPECT_EQ(counters.audio_open_slots, 0U);
    EXPECT_EQ(counters.dropped_audio_late, 0U) << "copies of what has come are nothing special";
}

TEST(RouterAudio, CopyFillsASlotThatWasLeftOpen) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    offer_red(meeting, 1);
    meeting.pass(1s);
    Microphone alice(1);
    for (int i = 0; i < 10; ++i) {
        meeting.deliver(1, alice.next());
        meeting.pass(20ms);
    }
    const Bytes lost = alice.next();
    meeting.pass(20ms);
    const Bytes without_copies = alice.next();
    meeting.deliver(1, without_copies);
    EXPECT_EQ(meeting.router.counters().audio_open_slots, 1U);
    meeting.pass(20ms);
    meeting.rtp.clear();
    meeting.deliver(1, as_red({lost, without_copies, alice.next()}));
    const auto bob = meeting.audio_to(2);
    ASSERT_EQ(bob.size(), 2U);
    EXPECT_EQ(bob[1].rtp().timestamp() - bob[0].rtp().timestamp(), 2 * 960U);
    EXPECT_EQ(meeting.router.counters().audio_recovered, 1U);
}

TEST(RouterAudio, RedThatWasNotAgreedOnOrIsBrokenIsDropped) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Microphone alice(1);
    meeting.deliver(1, as_red({alice.next()}));
    EXPECT_EQ(meeting.router.counters().dropped_unknown_stream, 1U);
    offer_red(meeting, 1);
    Bytes broken = as_red({alice.next(), alice.next()});
    broken.resize(broken.size() - 5);
    meeting.deliver(1, broken);
    Bytes foreign = as_red({alice.next()});
    foreign[foreign.size() - 4] = 9;
    meeting.deliver(1, foreign);
    EXPECT_EQ(meeting.router.counters().dropped_malformed, 2U);
    EXPECT_EQ(meeting.router.counters().audio_forwarded, 0U);
}

TEST(RouterAudio, DuplicatesAndForeignPacketsAreDroppedByReason) {
    TestMeeting meeting;
    meeting.join(1);
    Microphone alice(1);
    const Bytes packet = alice.next();
    meeting.deliver(1, packet);
    meeting.deliver(1, packet);
    Bytes foreign = alice.next();
    wire::set_rtp_ssrc(foreign, 77);
    meeting.deliver(1, foreign);
    Bytes wrong_type = alice.next();
    wire::set_rtp_payload_type(wrong_type, 63);
    meeting.deliver(1, wrong_type);
    Bytes empty = alice.next();
    empty[empty.size() - 3] = 0xFB;  // The next byte says how many frames there are: none.
    empty[empty.size() - 2] = 0;
    meeting.deliver(1, empty);
    meeting.deliver(1, Bytes{0x80, 0x6F, 0x00});
    meeting.deliver(9, packet);
    const RouterCounters& counters = meeting.router.counters();
    EXPECT_EQ(counters.rtp_in, 7U);
    EXPECT_EQ(counters.dropped_duplicate, 1U);
    EXPECT_EQ(counters.dropped_unknown_stream, 2U);
    EXPECT_EQ(counters.dropped_malformed, 2U);
    EXPECT_EQ(counters.dropped_unknown_peer, 1U);
}

TEST(RouterAudio, ReconnectedListenerGoesOnWithItsNumbers) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.pass(1s);
    meeting.router.set_connected(1, false, meeting.now);
    meeting.pass(2s);
    const std::size_t before = meeting.audio_to(1).size();
    EXPECT_NEAR(static_cast<double>(before), 50, 1);
    meeting.router.set_connected(1, true, meeting.now);
    meeting.pass(1s);
    EXPECT_NEAR(static_cast<double>(meeting.audio_to(1).size()), static_cast<double>(before + 50), 1);
    expect_steady(meeting.audio_to(1), 960);
}

TEST(RouterAudio, SsrcThatTheOfferDidNotNameIsLearnt) {
    TestMeeting meeting;
    meeting.join(1);
    meeting.join(2);
    Uplink uplink = TestMeeting::uplink(1);
    uplink.audio.ssrc = 0;
    meeting.router.set_uplink(1, uplink, meeting.now);
    Microphone alice(1);
    for (int i = 0; i < 10; ++i) {
        if (i == 5) meeting.router.set_uplink(1, uplink, meeting.now);
        meeting.deliver(1, alice.next());
        meeting.pass(20ms);
    }
    EXPECT_EQ(heard(meeting.audio_to(2), 1), 10U);
}

}  // namespace
}  // namespace media::room::testing
