// Simulcast: which layer of a camera a viewer gets, and how it changes.
#include "media/room/layer_senders.hpp"
#include "media/room/video_source.hpp"

namespace media::room::testing {
namespace {

constexpr StreamId kLow = 101;
constexpr StreamId kMid = 102;
constexpr StreamId kHigh = 103;
constexpr GroupId kGroup = 7;

class RouterSimulcast : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(meeting.router.add_peer(1, {.person = 1}, meeting.now));
        meeting.router.set_uplink(1, camera.uplink(kLow, kGroup), meeting.now);
        meeting.router.set_downlink(1, TestMeeting::downlink(1), meeting.now);
        meeting.router.set_connected(1, true, meeting.now);
        meeting.join(2, 0, {TestMeeting::watch(2, kHigh)});
    }
    void ask_for(StreamId stream) {
        meeting.router.set_downlink(2, TestMeeting::downlink(2, {TestMeeting::watch(2, stream)}), meeting.now);
    }
    std::vector<Viewer::Shown> shown() {
        viewer.take(meeting);
        return viewer.shown();
    }
    std::set<int> streams_since(Time since) {
        std::set<int> result;
        for (const auto& frame : shown()) {
            if (frame.at >= since) result.insert(frame.stream);
        }
        return result;
    }
    /// The longest time without a new picture.
    static std::chrono::milliseconds longest_wait(const std::vector<Viewer::Shown>& frames) {
        Time::duration longest{};
        for (std::size_t i = 1; i < frames.size(); ++i) longest = std::max(longest, frames[i].at - frames[i - 1].at);
        return std::chrono::duration_cast<std::chrono::milliseconds>(longest);
    }

    TestMeeting meeting;
    SimulcastCamera camera{1};
    LayerPath<SimulcastCamera> path{meeting, 1, camera, 5};
    Viewer viewer{2};
};

TEST_F(RouterSimulcast, LayersAreKnownByTheirRidsAndTheNamedOneIsServed) {
    meeting.join(3, 0, {TestMeeting::watch(3, kLow)});
    path.play(60);
    EXPECT_EQ(streams_since(meeting.now - 1s), std::set<int>{2});
    Viewer other(3);
    other.take(meeting);
    for (const auto& frame : other.shown()) EXPECT_EQ(frame.stream, 0);
    EXPECT_GT(other.shown().size(), 50U);
    EXPECT_EQ(meeting.router.counters().dropped_unknown_stream, 0U);
    EXPECT_TRUE(viewer.missing().empty());
    for (const Sent& sent : meeting.video_to(2)) EXPECT_EQ(sent.rtp().extension_form(), wire::RtpExtensionForm::none);
}

TEST_F(RouterSimulcast, PacketsWithoutAKnownRidBelongToNothing) {
    LayerStream nameless(9001, 96, "", 1, 1);
    LayerStream stranger(9002, 96, "other", 1, 1);
    const Bytes payload{0x10, 0, 1, 2};
    meeting.deliver(1, nameless.packet(0us, true, payload));
    meeting.deliver(1, stranger.packet(0us, true, payload));
    EXPECT_EQ(meeting.router.counters().dropped_unknown_stream, 2U);
    path.play(10);
    EXPECT_EQ(meeting.router.counters().dropped_unknown_stream, 2U);
}

TEST_F(RouterSimulcast, ALayerUnderAnotherSsrcGoesOnAtItsKeyFrame) {
    path.play(30);
    camera.streams[2] = LayerStream(4711, 96, "hi", 9, 9);
    path.play(60);
    viewer.take(meeting);
    EXPECT_EQ(viewer.shown().size(), viewer.frames().size()) << "from its key frame on";
    EXPECT_EQ(streams_since(meeting.now - 500ms), std::set<int>{2});
    EXPECT_TRUE(viewer.missing().empty());
    EXPECT_EQ(meeting.router.counters().dropped_unknown_stream, 0U);
}

TEST_F(RouterSimulcast, SilentLayerIsServedFromTheNextLowerOne) {
    path.flows = {true, true, false};
    path.play(90);
    EXPECT_EQ(streams_since(meeting.now - 1s), std::set<int>{1});
    path.flows = {true, false, false};
    path.play(90);
    EXPECT_EQ(streams_since(meeting.now - 1s), std::set<int>{0});
    path.flows = {true, true, true};
    path.play(60);
    EXPECT_EQ(streams_since(meeting.now - 1s), std::set<int>{2}) << "as soon as it flows";
    path.flows = {false, false, true};
    ask_for(kLow);
    path.play(90);
    EXPECT_EQ(streams_since(meeting.now - 1s), std::set<int>{2}) << "rather the higher one than none";
    EXPECT_TRUE(viewer.missing().empty());
    EXPECT_LE(longest_wait(shown()), VideoSource::kSilence + 300ms);
}

TEST_F(RouterSimulcast, ReportsWhichLayersFlow) {
    path.flows = {true, true, false};
    path.play(90);
    std::map<StreamId, bool> flowing;
    for (const StreamReport& stream : meeting.router.report(meeting.now).streams)
        flowing[stream.stream] = stream.flowing;
    EXPECT_EQ(flowing, (std::map<StreamId, bool>{{kLow, true}, {kMid, true}, {kHigh, false}}));
    path.flows = {false, false, true};
    path.play(50);
    for (const StreamReport& stream : meeting.router.report(meeting.now).streams)
        flowing[stream.stream] = stream.flowing;
    EXPECT_EQ(flowing, (std::map<StreamId, bool>{{kLow, false}, {kMid, false}, {kHigh, true}}));
}

TEST_F(RouterSimulcast, SwitchShowsEveryPictureAndAsksTheTargetOnly) {
    path.play(30);
    const int keys = path.keys;
    const std::size_t asked = meeting.key_frame_requests(1).size();
    ask_for(kLow);
    path.play(30);
    EXPECT_EQ(path.keys, keys + 1);
    EXPECT_EQ(meeting.key_frame_requests(1).size(), asked + 1);
    EXPECT_EQ(streams_since(meeting.now - 500ms), std::set<int>{0});
    ask_for(kHigh);
    path.play(30);
    EXPECT_EQ(streams_since(meeting.now - 500ms), std::set<int>{2});
    EXPECT_LE(longest_wait(shown()), 80ms) << "the old layer flows until the key frame of the new one";
    EXPECT_TRUE(viewer.missing().empty());
    viewer.expect_markers();
}

TEST_F(RouterSimulcast, TimestampsFollowTheCameraWhenReportsAreKnown) {
    path.play(10);
    path.report();
    for (int i = 0; i < 40; ++i) {
        ask_for(kLow + i % 3);
        path.play(12);
    }
    const auto frames = shown();
    ASSERT_GT(frames.size(), 400U);
    const auto first = frames.front();
    std::set<int> streams;
    std::uint32_t before = first.timestamp - 1;
    for (const auto& frame : frames) {
        EXPECT_LT(before, frame.timestamp) << "never back";
        before = frame.timestamp;
        streams.insert(frame.stream);
        // Every picture was shown when it was taken, so arrival time and timestamps go together.
        const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(frame.at - first.at).count() * 90;
        ASSERT_NEAR(static_cast<double>(frame.timestamp - first.timestamp), static_cast<double>(passed), 3600);
    }
    EXPECT_EQ(streams.size(), 3U);
}

TEST_F(RouterSimulcast, WithoutReportsTimePassesAsItDid) {
    path.play(10);
    ask_for(kLow);
    path.play(20);
    const auto frames = shown();
    for (std::size_t i = 1; i < frames.size(); ++i) {
        ASSERT_LE(frames[i].timestamp - frames[i - 1].timestamp, 6600U);
        ASSERT_GT(frames[i].timestamp - frames[i - 1].timestamp, 0U);
    }
}

TEST_F(RouterSimulcast, LateAndLostPacketsOfTheOldLayerKeepTheirNumbers) {
    path.play(20);
    const auto last = camera.frame(2, 1s, false);
    meeting.deliver(1, last[0]);
    meeting.deliver(1, last[2]);
    ask_for(kLow);
    for (const Bytes& packet : camera.frame(0, 1033ms, true)) meeting.deliver(1, packet);
    for (const Bytes& packet : camera.frame(0, 1066ms, false)) meeting.deliver(1, packet);
    viewer.take(meeting);
    ASSERT_EQ(viewer.missing().size(), 1U);
    meeting.deliver(1, last[1]);
    viewer.take(meeting);
    EXPECT_TRUE(viewer.missing().empty());
    const auto video = meeting.video_to(2);
    ASSERT_GE(video.size(), 5U);
    EXPECT_EQ(video.back().rtp().timestamp(), video[video.size() - 5].rtp().timestamp()) << "of its own picture";
    // What comes of it after the switch is not wanted any more.
    const std::size_t before = meeting.video_to(2).size();
    for (const Bytes& packet : camera.frame(2, 1066ms, false)) meeting.deliver(1, packet);
    EXPECT_EQ(meeting.video_to(2).size(), before);
}

TEST_F(RouterSimulcast, NacksAreAnsweredOverASwitch) {
    path.play(20);
    const auto old = meeting.video_to(2).back();
    ask_for(kLow);
    for (const Bytes& packet : camera.frame(0, 1s, true)) meeting.deliver(1, packet);
    const auto fresh = meeting.video_to(2).back();
    ASSERT_NE(Mark::find(old.rtp().payload()).stream, Mark::find(fresh.rtp().payload()).stream);
    meeting.receive_nack(2, 2510, {old.rtp().sequence(), fresh.rtp().sequence()});
    meeting.pass(50ms);
    const auto repeats = meeting.rtx_to(2);
    ASSERT_EQ(repeats.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        const auto original = (i == 0 ? old : fresh).rtp();
        EXPECT_TRUE(std::ranges::equal(repeats[i].rtp().payload().subspan(2), original.payload()));
        EXPECT_EQ(repeats[i].rtp().timestamp(), original.timestamp());
        EXPECT_EQ(repeats[i].rtp().marker(), original.marker());
    }
    meeting.pass(2s);
    meeting.receive_nack(2, 2510, {old.rtp().sequence()});
    meeting.pass(50ms);
    EXPECT_EQ(meeting.rtx_to(2).size(), 2U) << "too long ago";
}

TEST_F(RouterSimulcast, PausedViewerGetsNothingAndGoesOnWithWhatItNamesThen) {
    path.play(20);
    meeting.router.set_paused(2, kHigh, true, meeting.now);
    const std::size_t before = meeting.video_to(2).size();
    path.play(30);
    EXPECT_EQ(meeting.video_to(2).size(), before);
    ask_for(kLow);
    path.play(20);
    EXPECT_EQ(streams_since(meeting.now - 300ms), std::set<int>{0});
    EXPECT_TRUE(viewer.missing().empty());
    EXPECT_TRUE(meeting.router.report(meeting.now).pauses.empty());
}

TEST_F(RouterSimulcast, UnpublishedLayerOfAGroupLeavesTheOthers) {
    path.play(30);
    Uplink fewer = camera.uplink(kLow, kGroup);
    fewer.videos.pop_back();
    meeting.router.set_uplink(1, fewer, meeting.now);
    path.flows[2] = false;
    ask_for(kMid);
    path.play(20);
    EXPECT_EQ(streams_since(meeting.now - 300ms), std::set<int>{1});
    EXPECT_TRUE(viewer.missing().empty());
}

TEST_F(RouterSimulcast, ThousandsOfSwitchesOnAGoodPathLoseNothing) {
    path.play(10);
    path.report();
    for (int i = 0; i < 1500; ++i) {
        ask_for(kLow + path.upto(2));
        path.play(static_cast<int>(path.upto(4)));
        if (i % 50 == 0) {
            viewer.take(meeting);
            meeting.rtp.clear();
            viewer.forget_seen();
        }
    }
    path.play(60);
    const auto frames = shown();
    EXPECT_GT(viewer.received(), 2000);
    EXPECT_TRUE(viewer.missing().empty());
    EXPECT_EQ(frames.size(), viewer.frames().size()) << "each can be decoded";
    EXPECT_LE(longest_wait(frames), 80ms);
    viewer.expect_markers();
}

TEST_F(RouterSimulcast, SwitchesOnALossyPathLoseAFrameAtMost) {
    path.loss_percent = 3;
    path.jitter_ms = 15;
    path.play(10);
    path.report();
    int switches = 0;
    for (int i = 0; i < 400; ++i) {
        ask_for(kLow + path.upto(2));
        ++switches;
        path.play(8 + static_cast<int>(path.upto(12)));
    }
    path.loss_percent = 0;
    path.play(60);
    const auto frames = shown();
    EXPECT_GT(viewer.received(), 5000);
    // Only what was lost before two switches in a row is given up.
    EXPECT_LE(viewer.missing().size(), 20U);
    EXPECT_GE(frames.size() + static_cast<std::size_t>(switches), viewer.frames().size());
    EXPECT_LE(longest_wait(frames), 900ms);
}

/// A camera of one quality, about 400 kbit/s, whose viewer leaves adaptation to the server.
class RouterOneQuality : public ::testing::Test {
  protected:
    void SetUp() override {
        meeting.join(1);
        Uplink uplink = TestMeeting::uplink(1, kHigh);
        uplink.videos[0].group_id = kGroup;
        meeting.router.set_uplink(1, uplink, meeting.now);
        meeting.join(2);
        Subscription wanted = TestMeeting::watch(2, kHigh);
        wanted.wish = VideoWish{.priority = 1, .target_kbps = 1500};
        Downlink downlink = TestMeeting::downlink(2, {wanted});
        downlink.adaptation = Adaptation::server;
        meeting.router.set_downlink(2, downlink, meeting.now);
    }
    /// Plays so many seconds on a link of that rate; 60 kbit/s of it are for audio.
    void play(int seconds, std::uint64_t bps) {
        for (int i = 0; i < seconds * 30; ++i) {
            if (i % 15 == 0) meeting.receive_remb(2, bps);
            for (const auto& packet : camera.frame(keys != meeting.key_frame_requests(1).size(), 80)) {
                meeting.deliver(1, packet);
            }
            keys = meeting.key_frame_requests(1).size();
            meeting.pass(i % 3 == 0 ? 30ms : 35ms);
        }
    }
    std::uint64_t told() const {
        std::uint64_t last = 0;
        meeting.each_rtcp(1, [&](const wire::RtcpView& view, const Sent&) {
            if (const auto remb = wire::RtcpRemb::parse(view)) last = remb->bitrate_bps();
        });
        return last;
    }

    TestMeeting meeting;
    Camera camera{1};
    std::size_t keys = 1;
};

TEST_F(RouterOneQuality, IsLoweredInsteadOfPausedWhileTheLinkCarriesThat) {
    play(2, 2'000'000);
    play(3, 300'000);
    EXPECT_TRUE(meeting.router.report(meeting.now).pauses.empty());
    EXPECT_NEAR(static_cast<double>(told()), 240'000, 3'000);
}

TEST_F(RouterOneQuality, IsPausedOnALinkForLessAndComesBackWhenThatCouldFit) {
    play(2, 2'000'000);
    play(3, 200'000);
    auto pauses = meeting.router.report(meeting.now).pauses;
    ASSERT_EQ(pauses.size(), 1U);
    EXPECT_TRUE(pauses[0].paused);
    EXPECT_GT(told(), 2'000'000U) << "who gets nothing does not lower it for the others";
    play(4, 300'000);
    pauses = meeting.router.report(meeting.now).pauses;
    ASSERT_EQ(pauses.size(), 1U);
    EXPECT_FALSE(pauses[0].paused);
    EXPECT_NEAR(static_cast<double>(told()), 240'000, 3'000);
}

}  // namespace
}  // namespace media::room::testing
