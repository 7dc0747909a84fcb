// A captured call of a browser (Opus and VP9, with probing padding and header extensions) through the router.
#include "media/room/opus_packet.hpp"
#include "media/room/packet_router_harness.hpp"
#include "media/wire/codec_payload.hpp"

namespace media::room::testing {
namespace {

constexpr StreamId kStream = 101;

/// Payload type of the stream whose numbers are moved so that they wrap during the call; 0: as captured.
using Wrapping = std::uint8_t;

class RouterCall : public ::testing::TestWithParam<Wrapping> {
  protected:
    void start(PeerId receivers) {
        ASSERT_TRUE(meeting.router.add_peer(1, {.person = 1}, meeting.now));
        Uplink uplink;
        uplink.audio = {.ssrc = kCapturedAudioSsrc, .payload_type = 111, .extensions = {.audio_level = 1}};
        uplink.videos.push_back({.stream_id = kStream,
                                 .ssrc = kCapturedVideoSsrc,
                                 .rtx_ssrc = 7,
                                 .codecs = {{kVp8, 96, 97}, {kVp9, 98, 99}},
                                 .extensions = {}});
        meeting.router.set_uplink(1, uplink, meeting.now);
        meeting.router.set_downlink(1, TestMeeting::downlink(1), meeting.now);
        meeting.router.set_connected(1, true, meeting.now);
        for (PeerId peer = 2; peer < 2 + receivers; ++peer) meeting.join(peer, 0, {TestMeeting::watch(peer, kStream)});
        meeting.pass(200ms);
        meeting.rtp.clear();
    }
    /// Plays the capture in its own time; keeps what should arrive.
    void play() {
        const Time begin = meeting.now;
        std::uint16_t sequence_shift = 0;
        std::uint32_t timestamp_shift = 0;
        bool first = true;
        for (Captured packet : captured_call()) {
            meeting.advance_to(begin + packet.at);
            const auto original = *wire::RtpView::parse(packet.bytes);
            if (original.payload_type() == GetParam()) {
                if (first) {
                    // Fifty packets and a second before the wrap.
                    sequence_shift = static_cast<std::uint16_t>(65'536 - 50 - original.sequence());
                    timestamp_shift = 0U - (GetParam() == 111 ? 48'000U : 90'000U) - original.timestamp();
                    first = false;
                }
                wire::set_rtp_sequence(packet.bytes, static_cast<std::uint16_t>(original.sequence() + sequence_shift));
                wire::set_rtp_timestamp(packet.bytes, original.timestamp() + timestamp_shift);
            }
            if (!original.padding_only()) (original.payload_type() == 111 ? audio : video).push_back(packet.bytes);
            meeting.deliver(1, packet.bytes);
        }
        length = meeting.now - begin;
    }
    void expect_the_call(PeerId peer) {
        // Fifty a second, seamless; every word of it the speaker's.
        const auto heard = meeting.audio_to(peer);
        EXPECT_NEAR(static_cast<double>(heard.size()), std::chrono::duration<double>(length).count() * 50, 3);
        expect_steady(heard, 960);
        std::size_t words = 0;
        for (const Sent& sent : heard) {
            EXPECT_EQ(sent.rtp().payload_type(), 109);
            EXPECT_FALSE(sent.rtp().marker());
            EXPECT_EQ(sent.rtp().extension_form(), wire::RtpExtensionForm::none);
            if (words < audio.size() &&
                std::ranges::equal(sent.rtp().payload(), wire::RtpView::parse(audio[words])->payload())) {
                ++words;
            } else {
                EXPECT_TRUE(std::ranges::equal(sent.rtp().payload(), kOpusSilence));
            }
        }
        EXPECT_EQ(words, audio.size());

        const auto seen = meeting.video_to(peer);
        ASSERT_EQ(seen.size(), video.size());
        EXPECT_TRUE(wire::starts_keyframe(wire::CodecKind::vp9, seen[0].rtp().payload()));
        for (std::size_t i = 0; i < seen.size(); ++i) {
            const auto sent = *wire::RtpView::parse(video[i]);
            const auto got = seen[i].rtp();
            EXPECT_TRUE(std::ranges::equal(got.payload(), sent.payload())) << i;
            EXPECT_EQ(got.payload_type(), 120);
            EXPECT_EQ(got.marker(), sent.marker());
            EXPECT_EQ(got.extension_form(), wire::RtpExtensionForm::none);
            EXPECT_EQ(static_cast<std::uint16_t>(got.sequence() - seen[0].rtp().sequence()), i);
            EXPECT_EQ(got.timestamp() - seen[0].rtp().timestamp(),
                      sent.timestamp() - wire::RtpView::parse(video[0])->timestamp());
        }
    }

    TestMeeting meeting;
    std::vector<Bytes> audio;
    std::vector<Bytes> video;
    Time::duration length{};
};

INSTANTIATE_TEST_SUITE_P(AsCapturedAndWrapping, RouterCall, ::testing::Values<Wrapping>(0, 98, 111));

TEST_P(RouterCall, ReachesOneReceiver) {
    start(1);
    play();
    ASSERT_GT(video.size(), 200U);
    ASSERT_GT(audio.size(), 240U);
    expect_the_call(2);
    EXPECT_EQ(meeting.router.counters().dropped_padding, 39U);
    EXPECT_EQ(meeting.router.counters().nacks_sent, 0U);
}

TEST_P(RouterCall, ReachesThreeReceivers) {
    start(3);
    play();
    for (PeerId peer = 2; peer <= 4; ++peer) expect_the_call(peer);
    EXPECT_EQ(meeting.router.counters().video_forwarded, video.size() * 3);
}

TEST_P(RouterCall, EveryPacketOfTheLastSecondsCanBeRepeated) {
    start(1);
    play();
    const auto seen = meeting.video_to(2);
    meeting.pass(1s);
    for (std::size_t i = seen.size() - 40; i < seen.size(); ++i) {
        meeting.receive_nack(2, 2510, {seen[i].rtp().sequence()});
        const auto repeats = meeting.rtx_to(2);
        ASSERT_FALSE(repeats.empty());
        EXPECT_EQ(wire::load_u16(repeats.back().rtp().payload().data()), seen[i].rtp().sequence());
        EXPECT_TRUE(std::ranges::equal(repeats.back().rtp().payload().subspan(2), seen[i].rtp().payload()));
        meeting.pass(100ms);
    }
}

}  // namespace
}  // namespace media::room::testing
