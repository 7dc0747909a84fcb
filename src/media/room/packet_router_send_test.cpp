// The way down: numbers on what is sent, an estimate from what comes back, pacing, probes, and audio before all.
#include <cmath>
#include <deque>
#include <map>
#include <set>

#include "media/congestion/simulated_path.hpp"
#include "media/room/packet_router_harness.hpp"
#include "media/wire/transport_feedback.hpp"

namespace media::room::testing {
namespace {

constexpr StreamId kStream = 101;
constexpr std::uint8_t kNumber = 4;

/// Peer 1 sends camera and microphone; peer 2 receives over a bottleneck and sends feedback as a browser does.
class ThinLine : public ::testing::Test {
  protected:
    void SetUp() override { start(true); }
    void start(bool rtx) {
        meeting.join(1, kStream);
        Downlink downlink = TestMeeting::downlink(2, {TestMeeting::watch(2, kStream)});
        downlink.audio.extensions.transport_cc = kNumber;
        downlink.subscriptions[0].extensions.transport_cc = kNumber;
        if (!rtx) downlink.subscriptions[0].rtx_ssrc = 0;
        ASSERT_TRUE(meeting.router.add_peer(2, {.person = 2}, meeting.now));
        meeting.router.set_uplink(2, TestMeeting::uplink(2), meeting.now);
        meeting.router.set_downlink(2, downlink, meeting.now);
        meeting.router.set_connected(2, true, meeting.now);
    }
    static std::optional<std::uint16_t> number_of(const Sent& sent) {
        const auto value = sent.rtp().extension(kNumber);
        return value ? wire::parse_transport_sequence(*value) : std::nullopt;
    }

    /// A camera of that rate at 30 frames a second, key frames of six times the size when they are asked for, 1,000
    /// bytes a packet; its cap is what the router says with REMB.
    void play(std::chrono::milliseconds time, std::uint64_t camera_bps) {
        for (const Time end = meeting.now + time; meeting.now < end;) {
            meeting.pass(5ms);
            look_at_rtcp();
            if (meeting.now >= next_audio_) {
                next_audio_ += 20ms;
                if (next_audio_ < meeting.now) next_audio_ = meeting.now + 20ms;
                meeting.deliver(1, microphone.next());
            }
            if (meeting.now >= next_frame_) {
                next_frame_ = meeting.now + 33ms;
                frame(std::min(camera_bps, cap_));
            }
            carry();
            if (meeting.now >= next_feedback_) {
                next_feedback_ = meeting.now + 70ms;
                feed_back();
            }
        }
    }
    void want_key() { key_wanted_ = true; }
    void frame(std::uint64_t bps) {
        const bool key = std::exchange(key_wanted_, false);
        const double bytes = static_cast<double>(bps) / 8 * 0.033 * (key ? 6 : 1);
        const int packets = std::max(1, static_cast<int>(std::lround(bytes / 1000)));
        for (Bytes& packet : camera.frame(key, packets)) {
            packet.resize(packets == 1 ? std::max<std::size_t>(100, static_cast<std::size_t>(bytes)) : 1000);
            meeting.deliver(1, packet);
        }
    }
    void look_at_rtcp() {
        for (; rtcp_seen_ < meeting.rtcp.size(); ++rtcp_seen_) {
            const Sent& sent = meeting.rtcp[rtcp_seen_];
            if (sent.to != 1) continue;
            wire::RtcpReader reader(sent.bytes);
            while (const auto view = reader.next()) {
                if (wire::parse_pli(*view)) key_wanted_ = true;
                if (const auto remb = wire::RtcpRemb::parse(*view)) cap_ = remb->bitrate_bps();
            }
        }
    }
    /// What the router has sent to peer 2 goes into the bottleneck.
    void carry() {
        for (; carried_ < meeting.rtp.size(); ++carried_) {
            const Sent& sent = meeting.rtp[carried_];
            if (sent.to != 2) continue;
            const bool audio = sent.rtp().ssrc() == 2500;
            ++(audio ? audio_sent : video_sent);
            const auto number = number_of(sent);
            ASSERT_TRUE(number) << "every packet carries one";
            const std::int64_t wide = numbers_.unwrap(*number);
            ASSERT_EQ(wide, expected_++) << "one number space, without a gap";
            const auto at = path.send(sent.bytes.size() + 44, sent.at);
            if (!at) {
                ++(audio ? audio_lost : video_lost);
                continue;
            }
            if (!audio) video_bytes += sent.bytes.size();
            if (audio) worst_audio = std::max(worst_audio, *at - sent.at);
            arrivals_.push_back({wide, *at});
        }
    }
    void feed_back() {
        std::vector<wire::PacketArrival> arrived;
        for (; !arrivals_.empty() && arrivals_.front().second <= meeting.now; arrivals_.pop_front()) {
            arrived.push_back({arrivals_.front().first, std::chrono::duration_cast<std::chrono::microseconds>(
                                                            arrivals_.front().second.time_since_epoch())
                                                            .count()});
        }
        std::span<const wire::PacketArrival> rest(arrived);
        while (!rest.empty()) {
            Bytes buffer(1200);
            wire::RtcpWriter writer(buffer);
            const std::size_t taken = writer.transport_feedback(1, 2500, count_++, begin_, rest);
            ASSERT_NE(taken, 0U);
            begin_ = rest[taken - 1].sequence + 1;
            rest = rest.subspan(taken);
            meeting.router.on_rtcp(2, writer.written(), meeting.now);
        }
    }
    std::uint32_t available() {
        for (const LinkReport& link : meeting.router.report(meeting.now).links) {
            if (link.peer == 2) return link.available_kbps;
        }
        return 0;
    }
    void restart_counts() {
        audio_sent = audio_lost = video_sent = video_lost = 0;
        video_bytes = 0;
        worst_audio = {};
        path.most_queue = {};
    }

    TestMeeting meeting;
    Microphone microphone{1};
    Camera camera{1};
    congestion::testing::Bottleneck path{{.bps = 10e6}, 5};
    std::size_t audio_sent = 0;
    std::size_t audio_lost = 0;
    std::size_t video_sent = 0;
    std::size_t video_lost = 0;
    std::size_t video_bytes = 0;
    Time::duration worst_audio{};

  private:
    wire::SequenceUnwrapper numbers_;
    std::int64_t expected_ = 0;
    std::deque<std::pair<std::int64_t, Time>> arrivals_;
    std::int64_t begin_ = 0;
    std::uint8_t count_ = 0;
    std::uint64_t cap_ = 10'000'000;
    bool key_wanted_ = true;
    std::size_t rtcp_seen_ = 0;
    std::size_t carried_ = 0;
    Time next_audio_{};
    Time next_frame_{};
    Time next_feedback_{};
};

TEST_F(ThinLine, EverythingIsNumberedAndTheWayIsMeasured) {
    EXPECT_EQ(available(), 0U) << "nobody knows yet";
    play(5s, 800'000);
    EXPECT_GT(available(), 1'500U) << "probes found more than the camera sends";
    EXPECT_GT(meeting.router.counters().probes_sent, 5U);
    EXPECT_EQ(meeting.router.counters().dropped_pacer_full, 0U);
    EXPECT_EQ(audio_lost, 0U);
    for (const Sent& sent : meeting.rtp_to(2, 2610)) EXPECT_TRUE(sent.rtp().padding_only());
}

TEST_F(ThinLine, ProbesStopWhenThereIsEnough) {
    play(20s, 800'000);
    const auto before = meeting.router.counters().probes_sent;
    play(30s, 800'000);
    EXPECT_EQ(meeting.router.counters().probes_sent, before);
    EXPECT_LT(before, 400U);
}

TEST_F(ThinLine, SenderIsToldWhatTheReceiverCanTake) {
    path.settings.bps = 300'000;
    play(5s, 1'500'000);
    restart_counts();
    play(15s, 1'500'000);
    EXPECT_LT(available(), 340U);
    EXPECT_GT(available(), 200U);
    EXPECT_EQ(audio_lost, 0U);
    EXPECT_LT(static_cast<double>(video_lost), 0.02 * static_cast<double>(video_sent));
    EXPECT_GT(static_cast<double>(video_bytes) * 8 / 15, 150'000);
    EXPECT_LT(worst_audio, 400ms);
    path.settings.bps = 3'000'000;
    play(20s, 1'500'000);
    EXPECT_GT(available(), 1'000U) << "back 20 s after the limit is gone";
}

/// A camera that is never told less than 150 kbit/s, on lines of so many kbit/s.
class AnyLine : public ThinLine, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Kbps, AnyLine, ::testing::Values(60, 80, 100, 120, 160, 250, 500, 1000));

TEST_P(AnyLine, AudioWins) {
    path.settings.bps = GetParam() * 1000;
    play(6s, 1'500'000);
    restart_counts();
    play(20s, 1'500'000);
    EXPECT_LT(static_cast<double>(audio_lost), 0.02 * static_cast<double>(audio_sent));
    EXPECT_LT(worst_audio, 400ms);
    EXPECT_GT(static_cast<double>(video_bytes) * 8 / 20, 300.0 * GetParam()) << "and video gets the rest";
    EXPECT_LT(static_cast<double>(video_lost), 0.02 * static_cast<double>(video_sent));
}

TEST_F(ThinLine, VideoNeverDelaysAudioHere) {
    path.settings.bps = 200'000;
    play(5s, 1'500'000);
    // Every packet of audio leaves in the moment it comes.
    meeting.rtp.clear();
    std::size_t heard = 0;
    for (int i = 0; i < 100; ++i) {
        for (Bytes& packet : camera.frame(i % 20 == 0, 20)) {
            packet.resize(1100);
            meeting.deliver(1, packet);
        }
        const std::size_t before = meeting.audio_to(2).size();
        meeting.deliver(1, microphone.next());
        if (meeting.audio_to(2).size() == before + 1) ++heard;
        meeting.pass(20ms);
    }
    EXPECT_GE(heard, 95U);
    EXPECT_GE(meeting.audio_to(2).size(), 98U);
}

TEST_F(ThinLine, OverflowDropsWholeFramesAndStartsAgainAtAKeyFrame) {
    path.settings.bps = 200'000;
    play(6s, 1'500'000);
    const auto asked = meeting.key_frame_requests(1).size();
    const std::size_t before = meeting.video_to(2).size();
    for (int i = 0; i < 10; ++i) {
        for (Bytes& packet : camera.frame(false, 20)) {
            packet.resize(1100);
            meeting.deliver(1, packet);
        }
    }
    const auto& counters = meeting.router.counters();
    EXPECT_GT(counters.dropped_pacer_full, 0U);
    meeting.pass(1500ms);
    EXPECT_GT(meeting.key_frame_requests(1).size(), asked);
    // What was sent are whole frames, in order.
    const auto video = meeting.video_to(2);
    std::map<std::uint32_t, std::set<std::uint8_t>> frames;
    for (std::size_t i = before; i < video.size(); ++i) {
        const auto view = video[i].rtp();
        if (view.payload().size() > 1000) frames[view.timestamp()].insert(view.payload()[3]);
    }
    const auto broken = std::ranges::count_if(frames, [](const auto& entry) { return entry.second.size() != 20; });
    EXPECT_LE(broken, 1) << "the one that had begun to go out";
    // A NACK for what was given up is not answered.
    const std::uint16_t last = video.back().rtp().sequence();
    const auto unknown = counters.repeats_unknown;
    meeting.receive_nack(2, 2510, {static_cast<std::uint16_t>(last + 1)});
    EXPECT_GT(counters.repeats_unknown, unknown);
}

TEST_F(ThinLine, SignalStrengthFollowsTheLine) {
    const auto strength = [&](PeerId peer) {
        for (const LinkReport& link : meeting.router.report(meeting.now).links) {
            if (link.peer == peer) return int{link.signal_strength};
        }
        return -1;
    };
    play(3s, 500'000);
    EXPECT_EQ(strength(2), 2);
    path.settings.random_loss = 0.25;
    play(6s, 500'000);
    EXPECT_EQ(strength(2), 1);
    path.settings.random_loss = 0;
    play(12s, 500'000);
    EXPECT_EQ(strength(2), 2);
    meeting.pass(6s);
    EXPECT_EQ(strength(2), 0) << "nothing comes from it";
    EXPECT_EQ(strength(1), 0);
}

TEST_F(ThinLine, QueuedPacketsOfAPeerThatLeavesAreGone) {
    path.settings.bps = 200'000;
    play(6s, 1'500'000);
    for (Bytes& packet : camera.frame(true, 15)) {
        packet.resize(1100);
        meeting.deliver(1, packet);
    }
    const std::size_t sent = meeting.rtp.size();
    meeting.router.remove_peer(2, meeting.now);
    meeting.pass(500ms);
    EXPECT_EQ(std::ranges::count(std::span(meeting.rtp).subspan(sent), PeerId{2}, &Sent::to), 0);
}

TEST_F(ThinLine, QueuedPacketsOfAPausedVideoAreGone) {
    meeting.receive_remb(2, 100'000);
    meeting.pass(150ms);
    want_key();
    frame(600'000);  // Fifteen packets.
    ASSERT_GT(meeting.router.counters().paced, 8U);
    const std::size_t sent = meeting.video_to(2).size();
    meeting.router.set_paused(2, kStream, true, meeting.now);
    meeting.pass(1s);
    EXPECT_EQ(meeting.video_to(2).size(), sent);
    EXPECT_EQ(meeting.router.counters().dropped_paused, meeting.router.counters().paced);
    // It goes on at the next key frame, behind the numbers that were thrown away.
    meeting.receive_remb(2, 5'000'000);
    meeting.router.set_paused(2, kStream, false, meeting.now);
    meeting.pass(1500ms);
    camera.skip_time(2500 * 90);
    want_key();
    frame(500'000);
    meeting.pass(200ms);
    const auto video = meeting.video_to(2);
    ASSERT_GT(video.size(), sent);
    EXPECT_GT(static_cast<std::uint16_t>(video[sent].rtp().sequence() - video[sent - 1].rtp().sequence()), 8);
}

TEST_F(ThinLine, LateReportIsIgnoredWhileFeedbackComes) {
    play(3s, 500'000);
    const std::uint32_t before = available();
    meeting.receive_remb(2, 70'000);
    EXPECT_EQ(available(), before);
}

TEST_F(ThinLine, FeedbackOfOthersIsHarmless) {
    Bytes buffer(1200);
    wire::RtcpWriter writer(buffer);
    const wire::PacketArrival arrivals[] = {{70'000, 1'000'000}, {70'001, 1'100'000}};
    ASSERT_NE(writer.transport_feedback(1, 2, 0, 70'000, arrivals), 0U);
    meeting.router.on_rtcp(1, writer.written(), meeting.now);
    meeting.router.on_rtcp(2, writer.written(), meeting.now);
    EXPECT_EQ(available(), 0U);
    EXPECT_EQ(meeting.router.counters().rtcp_malformed, 0U);
}

}  // namespace
}  // namespace media::room::testing
