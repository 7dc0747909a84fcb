// What viewers see: starts, pauses, switches, repeats.
#include <set>

#include "media/room/packet_router_harness.hpp"

namespace media::room::testing {
namespace {

constexpr StreamId kStream = 101;

class RouterVideo : public ::testing::Test {
  protected:
    void SetUp() override {
        meeting.join(1, kStream);
        meeting.join(2, 0, {TestMeeting::watch(2, kStream)});
        meeting.pass(10ms);
    }
    void send(const std::vector<Bytes>& frame) {
        for (const Bytes& packet : frame) meeting.deliver(1, packet);
    }
    /// Frames at 30 a second.
    void play(int frames, bool key_first = false) {
        for (int i = 0; i < frames; ++i) {
            send(camera.frame(key_first && i == 0));
            meeting.pass(35ms);
        }
    }
    void expect_no_gap(const std::vector<Sent>& packets) {
        for (std::size_t i = 1; i < packets.size(); ++i) {
            ASSERT_EQ(static_cast<std::uint16_t>(packets[i].rtp().sequence() - packets[i - 1].rtp().sequence()), 1)
                << i;
        }
    }

    TestMeeting meeting;
    Camera camera{1};
};

TEST_F(RouterVideo, StartsAtAKeyFrameAndAsksForIt) {
    EXPECT_EQ(meeting.key_frame_requests(1).size(), 1U);
    play(3);
    EXPECT_TRUE(meeting.video_to(2).empty());
    EXPECT_EQ(meeting.router.counters().dropped_before_key_frame, 6U);
    play(3, true);
    const auto video = meeting.video_to(2);
    ASSERT_EQ(video.size(), 6U);
    EXPECT_EQ(video[0].rtp().payload()[0], 0x10);
    EXPECT_EQ(video[0].rtp().payload()[1], 0);
    EXPECT_EQ(video[0].rtp().payload_type(), 122);
    EXPECT_FALSE(video[0].rtp().marker());
    EXPECT_TRUE(video[1].rtp().marker());
    EXPECT_EQ(video[2].rtp().timestamp() - video[0].rtp().timestamp(), 3000U);
    expect_no_gap(video);
}

TEST_F(RouterVideo, AsksAgainWhenNoKeyFrameComes) {
    meeting.pass(5s);
    const auto asked = meeting.key_frame_requests(1);
    EXPECT_GE(asked.size(), 4U);
    EXPECT_LE(asked.size(), 6U);
}

TEST_F(RouterVideo, RequestsOfReceiversAreThrottled) {
    play(1, true);
    meeting.rtcp.clear();
    meeting.pass(3s, [&] { meeting.receive_pli(2, 2510); });
    const auto asked = meeting.key_frame_requests(1);
    EXPECT_GE(asked.size(), 9U);
    for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_GE(asked[i] - asked[i - 1], 300ms);
    EXPECT_EQ(meeting.router.counters().key_frame_requests_received, 600U);
}

TEST_F(RouterVideo, PaddingLeavesNoGap) {
    play(1, true);
    for (int i = 0; i < 5; ++i) {
        for (int j = 0; j <= i; ++j) meeting.deliver(1, camera.padding());
        play(1);
    }
    EXPECT_EQ(meeting.video_to(2).size(), 12U);
    EXPECT_EQ(meeting.router.counters().dropped_padding, 15U);
    expect_no_gap(meeting.video_to(2));
}

TEST_F(RouterVideo, LatePaddingFillsTheNumberThatWasKeptForIt) {
    play(1, true);
    const Bytes padding = camera.padding();
    play(1);
    ASSERT_EQ(meeting.video_to(2).size(), 4U);
    meeting.deliver(1, padding);
    auto video = meeting.video_to(2);
    ASSERT_EQ(video.size(), 5U);
    EXPECT_TRUE(video.back().rtp().padding_only());
    std::ranges::sort(video, {}, [&](const Sent& s) {
        return static_cast<std::uint16_t>(s.rtp().sequence() - video[0].rtp().sequence());
    });
    expect_no_gap(video);
}

TEST_F(RouterVideo, PauseAndResume) {
    play(3, true);
    meeting.router.set_paused(2, kStream, true, meeting.now);
    play(5);
    EXPECT_EQ(meeting.video_to(2).size(), 6U);
    EXPECT_EQ(meeting.router.counters().dropped_paused, 10U);
    meeting.rtcp.clear();
    meeting.router.set_paused(2, kStream, false, meeting.now);
    meeting.pass(300ms);
    EXPECT_EQ(meeting.key_frame_requests(1).size(), 1U);
    play(2);
    EXPECT_EQ(meeting.video_to(2).size(), 6U);
    play(2, true);
    const auto video = meeting.video_to(2);
    ASSERT_EQ(video.size(), 10U);
    expect_no_gap(video);
    // The source's clock ran on meanwhile: three, five and two frames since the first.
    EXPECT_EQ(video[6].rtp().timestamp() - video[0].rtp().timestamp(), 10U * 3000);
}

TEST_F(RouterVideo, LatePacketKeepsItsPlace) {
    play(1, true);
    const auto frame = camera.frame(false, 3);
    meeting.deliver(1, frame[0]);
    meeting.deliver(1, frame[2]);
    meeting.deliver(1, frame[1]);
    const auto numbers = sequences(meeting.video_to(2));
    ASSERT_EQ(numbers.size(), 5U);
    EXPECT_EQ(static_cast<std::uint16_t>(numbers[3] - numbers[2]), 2);
    EXPECT_EQ(static_cast<std::uint16_t>(numbers[4] - numbers[2]), 1);
}

TEST_F(RouterVideo, UnaskedRepeatsAreDropped) {
    play(1, true);
    std::vector<Bytes> sent;
    for (int i = 0; i < 10; ++i) {
        for (const Bytes& packet : camera.frame(false)) sent.push_back(packet);
        send({sent.end() - 2, sent.end()});
    }
    const std::size_t before = meeting.video_to(2).size();
    for (std::size_t i = 0; i < sent.size(); ++i) {
        meeting.deliver(1, Camera::as_rtx(sent[i], static_cast<std::uint16_t>(i)));
        meeting.deliver(1, sent[i]);
    }
    EXPECT_EQ(meeting.video_to(2).size(), before);
    EXPECT_EQ(meeting.router.counters().dropped_duplicate, 40U);
}

TEST_F(RouterVideo, NackIsAnsweredWithRtxButNotTooOften) {
    play(5, true);
    const auto video = meeting.video_to(2);
    const auto lost = video[4].rtp();
    meeting.receive_nack(2, 2510, {lost.sequence()});
    auto repeats = meeting.rtx_to(2);
    ASSERT_EQ(repeats.size(), 1U);
    EXPECT_EQ(repeats[0].rtp().payload_type(), 123);
    EXPECT_EQ(repeats[0].rtp().timestamp(), lost.timestamp());
    EXPECT_EQ(repeats[0].rtp().marker(), lost.marker());
    EXPECT_EQ(wire::load_u16(repeats[0].rtp().payload().data()), lost.sequence());
    EXPECT_TRUE(std::ranges::equal(repeats[0].rtp().payload().subspan(2), lost.payload()));

    meeting.receive_nack(2, 2510, {lost.sequence()});
    EXPECT_EQ(meeting.rtx_to(2).size(), 1U) << "within one round trip";
    for (int i = 0; i < 20; ++i) {
        meeting.pass(400ms);
        meeting.receive_nack(2, 2510, {lost.sequence()});
    }
    repeats = meeting.rtx_to(2);
    EXPECT_EQ(repeats.size(), 5U) << "a handful in all";
    EXPECT_EQ(static_cast<std::uint16_t>(repeats[1].rtp().sequence() - repeats[0].rtp().sequence()), 1);
    EXPECT_EQ(meeting.router.counters().repeats_limited, 17U);
}

TEST_F(RouterVideo, NackForWhatNeverCameIsIgnored) {
    play(2, true);
    const auto numbers = sequences(meeting.video_to(2));
    meeting.receive_nack(
        2, 2510, {static_cast<std::uint16_t>(numbers.back() + 1), static_cast<std::uint16_t>(numbers.front() - 1)});
    meeting.receive_nack(2, 9999, {numbers.front()});
    EXPECT_TRUE(meeting.rtx_to(2).empty());
    EXPECT_EQ(meeting.router.counters().repeats_unknown, 3U);
}

TEST_F(RouterVideo, WithoutRtxTheSamePacketIsSentAgain) {
    Subscription plain = TestMeeting::watch(2, kStream, "3", 1);
    plain.rtx_ssrc = 0;
    meeting.router.set_downlink(2, TestMeeting::downlink(2, {plain}), meeting.now);
    play(3, true);
    const auto video = meeting.video_to(2, 1);
    ASSERT_EQ(video.size(), 6U);
    meeting.receive_nack(2, 2511, {video[3].rtp().sequence()});
    const auto after = meeting.video_to(2, 1);
    ASSERT_EQ(after.size(), 7U);
    EXPECT_EQ(after[6].bytes, video[3].bytes);
}

TEST_F(RouterVideo, RepeatsStayWithinTheirBudget) {
    play(1, true);
    const auto big = [&] {
        auto frame = camera.frame(false, 10);
        for (auto& packet : frame) packet.resize(1100);
        return frame;
    };
    for (int i = 0; i < 14; ++i) send(big());
    meeting.receive_remb(2, 400'000);
    const auto& counters = meeting.router.counters();
    const auto numbers = sequences(meeting.video_to(2));
    for (const std::uint16_t number : numbers) meeting.receive_nack(2, 2510, {number});
    const std::size_t burst = counters.repeats_sent;
    EXPECT_GE(burst, 40U);
    EXPECT_LE(burst, 46U);
    EXPECT_GT(counters.repeats_over_budget, 90U);
    meeting.pass(1s);
    for (const std::uint16_t number : numbers) meeting.receive_nack(2, 2510, {number});
    // A quarter of 400 kbit/s for a second.
    EXPECT_NEAR(static_cast<double>(counters.repeats_sent - burst), 12'500.0 / 1100, 3);
    meeting.pass(2s);
    EXPECT_EQ(meeting.rtx_to(2).size(), counters.repeats_sent) << "at the pace of the link, but all";
}

TEST_F(RouterVideo, SourceSwitchGoesOnWithoutAJump) {
    play(3, true);
    meeting.join(3, 202);
    meeting.router.set_downlink(2, TestMeeting::downlink(2, {TestMeeting::watch(2, 202)}), meeting.now);
    play(2);
    EXPECT_EQ(meeting.video_to(2).size(), 6U);
    Camera other(3, 60'000, 4'000'000'000);
    meeting.pass(1s);
    for (const Bytes& packet : other.frame(true)) meeting.deliver(3, packet);
    for (const Bytes& packet : other.frame(false)) meeting.deliver(3, packet);
    const auto video = meeting.video_to(2);
    ASSERT_EQ(video.size(), 10U);
    expect_no_gap(video);
    const std::uint32_t step = video[6].rtp().timestamp() - video[5].rtp().timestamp();
    EXPECT_NEAR(step, 90 * 1105, 90 * 10);
    EXPECT_EQ(video[8].rtp().timestamp() - video[6].rtp().timestamp(), 3000U);
    EXPECT_FALSE(meeting.key_frame_requests(3).empty());
}

TEST_F(RouterVideo, UnpublishedCameraStopsAndANewOneStarts) {
    play(2, true);
    meeting.router.set_uplink(1, TestMeeting::uplink(1), meeting.now);
    play(2, true);
    EXPECT_EQ(meeting.video_to(2).size(), 4U);
    EXPECT_EQ(meeting.router.counters().dropped_unknown_stream, 4U);
    meeting.router.set_uplink(1, TestMeeting::uplink(1, 102), meeting.now);
    meeting.router.set_downlink(2, TestMeeting::downlink(2, {TestMeeting::watch(2, 102)}), meeting.now);
    play(2, true);
    EXPECT_EQ(meeting.video_to(2).size(), 8U);
    expect_no_gap(meeting.video_to(2));
}

TEST_F(RouterVideo, RenegotiationThatChangesNothingDisturbsNothing) {
    play(2, true);
    meeting.router.set_uplink(1, TestMeeting::uplink(1, kStream), meeting.now);
    meeting.router.set_downlink(2, TestMeeting::downlink(2, {TestMeeting::watch(2, kStream)}), meeting.now);
    play(2);
    EXPECT_EQ(meeting.video_to(2).size(), 8U);
    expect_no_gap(meeting.video_to(2));
    meeting.receive_nack(2, 2510, {meeting.video_to(2)[0].rtp().sequence()});
    EXPECT_EQ(meeting.rtx_to(2).size(), 1U);
}

TEST_F(RouterVideo, CodecTheReceiverDidNotNegotiateIsNotSent) {
    Subscription vp9_only = TestMeeting::watch(2, kStream);
    vp9_only.codecs.resize(1);
    meeting.router.set_downlink(2, TestMeeting::downlink(2, {vp9_only}), meeting.now);
    play(2, true);
    EXPECT_TRUE(meeting.video_to(2).empty());
    EXPECT_EQ(meeting.router.counters().dropped_no_payload_type, 4U);
}

TEST_F(RouterVideo, RestartedNumbersNeedAKeyFrame) {
    play(2, true);
    Camera again(1, 40'000, 123);
    for (int i = 0; i < 3; ++i) send(again.frame(false));
    EXPECT_EQ(meeting.video_to(2).size(), 4U);
    send(again.frame(true));
    EXPECT_EQ(meeting.video_to(2).size(), 6U);
    expect_no_gap(meeting.video_to(2));
}

TEST_F(RouterVideo, LostReceiverGetsNothingAndStartsAgainAtAKeyFrame) {
    play(2, true);
    meeting.router.set_connected(2, false, meeting.now);
    play(2, true);
    EXPECT_EQ(meeting.video_to(2).size(), 4U);
    meeting.rtcp.clear();
    meeting.router.set_connected(2, true, meeting.now);
    meeting.pass(400ms);
    EXPECT_EQ(meeting.key_frame_requests(1).size(), 1U);
    play(1);
    EXPECT_EQ(meeting.video_to(2).size(), 4U);
    play(2, true);
    EXPECT_EQ(meeting.video_to(2).size(), 8U);
    expect_no_gap(meeting.video_to(2));
}

TEST_F(RouterVideo, NobodyIsSentItsOwnCamera) {
    meeting.router.set_downlink(1, TestMeeting::downlink(1, {TestMeeting::watch(1, kStream)}), meeting.now);
    play(2, true);
    EXPECT_TRUE(meeting.video_to(1).empty());
    EXPECT_EQ(meeting.video_to(2).size(), 4U);
}

TEST_F(RouterVideo, MeetingAndListsAreBounded) {
    EXPECT_FALSE(meeting.router.add_peer(1, {.person = 1}, meeting.now)) << "is there already";
    for (PeerId peer = 10; peer < 10 + kMaxPeers - 2; ++peer) {
        ASSERT_TRUE(meeting.router.add_peer(peer, {.person = peer}, meeting.now));
    }
    EXPECT_FALSE(meeting.router.add_peer(9999, {.person = 9999}, meeting.now));
    std::vector<Subscription> many;
    many.reserve(50);
    for (std::uint32_t line = 0; line < 50; ++line) {
        many.push_back(TestMeeting::watch(2, kStream, std::to_string(line), line));
    }
    meeting.router.set_downlink(2, TestMeeting::downlink(2, many), meeting.now);
    play(1, true);
    EXPECT_EQ(meeting.router.counters().video_forwarded, 2 * kMaxSubscriptionsPerPeer);
}

TEST_F(RouterVideo, PeersComeAndGoInTheMiddleOfACall) {
    play(1, true);
    meeting.join(3, 0, {TestMeeting::watch(3, kStream)});
    play(1, true);
    meeting.router.remove_peer(2, meeting.now);
    play(1);
    EXPECT_EQ(meeting.video_to(2).size(), 4U);
    EXPECT_EQ(meeting.video_to(3).size(), 4U);
    meeting.router.remove_peer(1, meeting.now);
    const std::size_t sent = meeting.video_to(3).size();
    send(camera.frame(true));
    meeting.pass(100ms);
    meeting.receive_nack(3, 3510, sequences(meeting.video_to(3)));
    meeting.receive_pli(3, 3510);
    EXPECT_EQ(meeting.video_to(3).size(), sent);
    EXPECT_TRUE(meeting.rtx_to(3).empty());
}

}  // namespace
}  // namespace media::room::testing
