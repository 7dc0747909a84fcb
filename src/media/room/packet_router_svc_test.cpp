// Layered streams (VP9 SVC, AV1): which layers each viewer gets, from what it wishes and what its link carries.
#include "media/room/layer_senders.hpp"

namespace media::room::testing {
namespace {

constexpr StreamId kStream = 101;
constexpr GroupId kGroup = 7;

template <class Camera>
class LayeredRoom : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(meeting.router.add_peer(1, {.person = 1}, meeting.now));
        meeting.router.set_uplink(1, camera.uplink(kStream, kGroup), meeting.now);
        meeting.router.set_downlink(1, TestMeeting::downlink(1), meeting.now);
        meeting.router.set_connected(1, true, meeting.now);
        ASSERT_TRUE(meeting.router.add_peer(2, {.person = 2}, meeting.now));
        meeting.router.set_uplink(2, TestMeeting::uplink(2), meeting.now);
        meeting.router.set_connected(2, true, meeting.now);
        viewer.temporal_pattern = true;
    }
    static Subscription line(PeerId peer, StreamId stream = kStream, std::uint32_t number = 0) {
        Subscription result = TestMeeting::watch(peer, stream, std::to_string(2 + number), number);
        result.codecs.push_back({kAv1, 124, 125});
        return result;
    }
    void wish(std::uint32_t target_kbps, QualityPreference preference, Adaptation adaptation = Adaptation::server) {
        Subscription wanted = line(2);
        wanted.wish = VideoWish{.priority = 1, .target_kbps = target_kbps, .preference = preference};
        Downlink downlink = TestMeeting::downlink(2, {wanted});
        downlink.adaptation = adaptation;
        meeting.router.set_downlink(2, downlink, meeting.now);
    }
    void watch_plainly(Adaptation adaptation = Adaptation::client) {
        Downlink downlink = TestMeeting::downlink(2, {line(2)});
        downlink.adaptation = adaptation;
        meeting.router.set_downlink(2, downlink, meeting.now);
    }
    /// (highest spatial layer, highest temporal layer, pictures) shown since then.
    struct Seen {
        int spatial = -1;
        int temporal = -1;
        int pictures = 0;
        bool operator==(const Seen&) const = default;
    };
    Seen seen_since(Time since) {
        viewer.take(meeting);
        Seen result;
        for (const auto& frame : viewer.shown()) {
            if (frame.at < since) continue;
            result.spatial = std::max<int>(result.spatial, frame.spatial);
            result.temporal = std::max<int>(result.temporal, frame.temporal);
            ++result.pictures;
        }
        return result;
    }
    /// Everything that was forwarded could be decoded, and there is no gap.
    void expect_whole() {
        viewer.take(meeting);
        EXPECT_TRUE(viewer.missing().empty()) << viewer.missing().size() << " of " << viewer.received();
        EXPECT_EQ(viewer.shown().size(), viewer.frames().size());
        viewer.expect_markers();
    }

    TestMeeting meeting;
    Camera camera{1};
    LayerPath<Camera> path{meeting, 1, camera, 3};
    Viewer viewer{2};
};

using RouterSvc = LayeredRoom<SvcCamera>;
using RouterAv1 = LayeredRoom<Av1Share>;
using enum QualityPreference;

// The camera's layers: spatial ones of 1, 2 and 3 packets of 140 bytes, half of the pictures in T2, a quarter each in
// T1 and T0; in kbit/s with all temporal layers 30, 90, 180.

TEST_F(RouterSvc, WithoutALimitEverythingIsForwardedAsItCame) {
    watch_plainly();
    path.play(120);
    EXPECT_EQ(seen_since(meeting.now - 1s).spatial, 2);
    EXPECT_EQ(seen_since(meeting.now - 1s).temporal, 2);
    EXPECT_EQ(meeting.router.counters().dropped_layer, 0U);
    expect_whole();
}

TEST_F(RouterSvc, TargetAndPreferenceChooseTheLayers) {
    struct Row {
        std::uint32_t target;
        QualityPreference preference;
        int spatial;
        int temporal;
    };
    const Row rows[] = {
        {55, maintain_resolution, 2, 0}, {110, maintain_resolution, 2, 1}, {30, maintain_resolution, 1, 0},
        {100, maintain_framerate, 1, 2}, {40, maintain_framerate, 0, 2},   {60, balanced, 1, 1},
        {1, maintain_framerate, 0, 0},   {10'000, balanced, 2, 2},
    };
    wish(10'000, balanced);
    path.play(90);
    for (const auto& [target, preference, spatial, temporal] : rows) {
        wish(target, preference);
        path.play(80);
        const Seen seen = seen_since(meeting.now - 500ms);
        EXPECT_EQ(seen.spatial, spatial) << target;
        EXPECT_EQ(seen.temporal, temporal) << target;
        EXPECT_GE(seen.pictures, (temporal == 2 ? 14 : temporal == 1 ? 7 : 3)) << target;
    }
    expect_whole();
    EXPECT_TRUE(meeting.router.report(meeting.now).pauses.empty());
}

TEST_F(RouterSvc, DownNeedsNoKeyFrameAndUpInSpaceOne) {
    wish(10'000, balanced);
    path.play(90);
    const int keys = path.keys;
    wish(35, maintain_framerate);
    path.play(60);
    EXPECT_EQ(seen_since(meeting.now - 500ms).spatial, 0);
    wish(25, maintain_resolution);
    path.play(60);
    wish(35, maintain_framerate);
    path.play(60);
    EXPECT_EQ(path.keys, keys + 1) << "from (1, 0) to (0, 2) none; from (0, 2) to (1, 0) one";
    wish(10'000, balanced);
    path.play(60);
    EXPECT_EQ(seen_since(meeting.now - 500ms).spatial, 2);
    EXPECT_EQ(path.keys, keys + 2);
    expect_whole();
}

TEST_F(RouterSvc, OtherViewersAreUntouched) {
    ASSERT_TRUE(meeting.router.add_peer(3, {.person = 3}, meeting.now));
    meeting.router.set_downlink(3, TestMeeting::downlink(3, {line(3)}), meeting.now);
    meeting.router.set_connected(3, true, meeting.now);
    wish(10'000, balanced);
    path.play(60);
    for (int i = 0; i < 10; ++i) {
        wish(i % 2 == 0 ? 30 : 10'000, i % 3 == 0 ? balanced : maintain_framerate);
        path.play(50);
    }
    Viewer other(3);
    other.temporal_pattern = true;
    other.take(meeting);
    EXPECT_TRUE(other.missing().empty());
    ASSERT_EQ(other.shown().size(), other.frames().size());
    for (const auto& frame : other.shown()) ASSERT_EQ(frame.spatial, 2);
    other.expect_markers();
    expect_whole();
}

TEST_F(RouterSvc, RandomChangesOnALossyPathShowWhatIsForwarded) {
    watch_plainly();
    path.loss_percent = 3;
    path.jitter_ms = 12;
    path.play(60);
    for (int i = 0; i < 300; ++i) {
        wish(1 + path.upto(220), static_cast<QualityPreference>(path.upto(2)));
        path.play(5 + static_cast<int>(path.upto(20)));
    }
    path.loss_percent = 0;
    path.play(60);
    viewer.take(meeting);
    EXPECT_GT(viewer.received(), 5000);
    EXPECT_TRUE(viewer.missing().empty()) << viewer.missing().size();
    EXPECT_EQ(viewer.shown().size(), viewer.frames().size());
    std::set<std::pair<int, int>> layers;
    for (const auto& frame : viewer.shown()) layers.insert({frame.spatial, frame.temporal});
    EXPECT_EQ(layers.size(), 9U) << "all of them occurred";
    viewer.expect_markers();
}

TEST_F(RouterSvc, RepairsOfDroppedLayersFillTheirNumberWithPadding) {
    wish(35, maintain_framerate);
    path.play(120);
    ASSERT_EQ(seen_since(meeting.now - 500ms).spatial, 0);
    const std::uint64_t before = meeting.router.counters().video_forwarded;
    // S0, S1 (2), S2 (3): the second of S1 and the first of S2 are lost; what stands beside them is left out.
    auto picture = camera.frame(0, 10s, false);
    for (const std::size_t i : {0, 1, 4, 5}) meeting.deliver(1, picture[i]);
    auto next = camera.frame(0, 10'033ms, false);
    meeting.deliver(1, next[0]);
    viewer.take(meeting);
    EXPECT_TRUE(viewer.missing().empty()) << "between two that are left out nothing was kept";
    meeting.deliver(1, picture[2]);
    meeting.deliver(1, picture[3]);
    EXPECT_EQ(meeting.router.counters().video_forwarded, before + 2);

    // The first of S1 is lost: it could as well have been the second of S0.
    for (const std::size_t i : {2, 3, 4, 5}) meeting.deliver(1, next[i]);
    meeting.deliver(1, camera.frame(0, 10'066ms, false)[0]);
    viewer.take(meeting);
    ASSERT_EQ(viewer.missing().size(), 1U);
    const std::uint16_t kept = viewer.missing()[0];
    meeting.deliver(1, next[1]);
    viewer.take(meeting);
    EXPECT_TRUE(viewer.missing().empty());
    const Sent filler = meeting.video_to(2).back();
    EXPECT_TRUE(filler.rtp().padding_only());
    EXPECT_EQ(filler.rtp().sequence(), kept);

    // Lost on the way down as well: the receiver learns that there is nothing behind it.
    meeting.receive_nack(2, 2510, {kept});
    meeting.pass(20ms);
    const auto repeats = meeting.rtx_to(2);
    ASSERT_EQ(repeats.size(), 1U);
    EXPECT_EQ(repeats[0].rtp().payload().size(), 2U);
    EXPECT_EQ(wire::load_u16(repeats[0].rtp().payload().data()), kept);
}

TEST_F(RouterSvc, ProbesWithDroppedLayersChangeNothing) {
    wish(35, maintain_framerate);
    path.play(120);
    std::vector<Bytes> sent = camera.frame(0, 10s, false);
    for (const Bytes& packet : sent) meeting.deliver(1, packet);
    const std::size_t before = meeting.video_to(2).size();
    for (const Bytes& packet : sent) {
        const std::uint16_t sequence = wire::RtpView::parse(packet)->sequence();
        meeting.deliver(1, camera.streams[0].repeat(sequence));
        meeting.deliver(1, camera.streams[0].repeat(sequence));
    }
    EXPECT_EQ(meeting.video_to(2).size(), before);
    EXPECT_EQ(meeting.router.counters().dropped_duplicate, 12U);
    path.play(10);
    viewer.take(meeting);
    EXPECT_TRUE(viewer.missing().empty());
}

TEST_F(RouterSvc, RepeatsCarryTheMarkerThatWasGiven) {
    wish(100, maintain_framerate);
    path.play(120);
    ASSERT_EQ(seen_since(meeting.now - 500ms).spatial, 1);
    const auto video = meeting.video_to(2);
    std::vector<std::uint16_t> asked;
    for (std::size_t i = video.size() - 6; i < video.size(); ++i) asked.push_back(video[i].rtp().sequence());
    meeting.receive_nack(2, 2510, asked);
    meeting.pass(20ms);
    const auto repeats = meeting.rtx_to(2);
    ASSERT_EQ(repeats.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(repeats[i].rtp().marker(), video[video.size() - 6 + i].rtp().marker());
    }
    EXPECT_EQ(std::ranges::count_if(repeats, [](const Sent& s) { return s.rtp().marker(); }), 2);
}

TEST_F(RouterSvc, ClientsOwnAdaptationStillLosesLayersOnANarrowLink) {
    watch_plainly();
    path.play(90);
    EXPECT_EQ(seen_since(meeting.now - 500ms).spatial, 2);
    for (int i = 0; i < 8; ++i) {
        meeting.receive_remb(2, 160'000);
        path.play(15);
    }
    EXPECT_EQ(seen_since(meeting.now - 1s).temporal, 1);
    EXPECT_GE(seen_since(meeting.now - 1s).pictures, 12);
    for (int i = 0; i < 8; ++i) {
        meeting.receive_remb(2, 1000);
        path.play(15);
    }
    EXPECT_TRUE(meeting.router.report(meeting.now).pauses.empty()) << "it did not ask the server to choose";
    EXPECT_LE(seen_since(meeting.now - 1s).spatial, 0);
    for (int i = 0; i < 20; ++i) {
        meeting.receive_remb(2, 2'000'000);
        path.play(15);
    }
    EXPECT_EQ(seen_since(meeting.now - 500ms).spatial, 2);
}

TEST_F(RouterSvc, ANarrowViewerDoesNotSlowTheCameraDown) {
    watch_plainly();
    path.play(60);
    meeting.rtcp.clear();
    for (int i = 0; i < 4; ++i) {
        meeting.receive_remb(2, 160'000);
        path.play(15);
    }
    std::uint64_t least = UINT64_MAX;
    meeting.each_rtcp(1, [&](const wire::RtcpView& view, const Sent&) {
        if (const auto remb = wire::RtcpRemb::parse(view)) least = std::min(least, remb->bitrate_bps());
    });
    EXPECT_GE(least, 2'000'000U);
    EXPECT_EQ(seen_since(meeting.now - 500ms).temporal, 1) << "it gets fewer layers instead";
}

TEST_F(RouterSvc, GroupsThatDoNotFitArePausedAndReportedOnce) {
    wish(10'000, balanced);
    path.play(60);
    meeting.receive_remb(2, 61'000);
    path.play(30);
    auto pauses = meeting.router.report(meeting.now).pauses;
    ASSERT_EQ(pauses.size(), 1U);
    EXPECT_EQ(pauses[0].peer, 2U);
    EXPECT_EQ(pauses[0].group, kGroup);
    EXPECT_TRUE(pauses[0].paused);
    EXPECT_TRUE(meeting.router.report(meeting.now).pauses.empty());
    const std::size_t before = meeting.video_to(2).size();
    const int keys = path.keys;
    meeting.receive_remb(2, 61'000);
    path.play(30);
    EXPECT_EQ(meeting.video_to(2).size(), before);
    EXPECT_EQ(path.keys, keys) << "nobody is waiting";
    EXPECT_GT(meeting.router.counters().dropped_held, 0U);

    for (int i = 0; i < 8; ++i) {
        meeting.receive_remb(2, 2'000'000);
        path.play(15);
    }
    pauses = meeting.router.report(meeting.now).pauses;
    ASSERT_EQ(pauses.size(), 1U);
    EXPECT_FALSE(pauses[0].paused);
    EXPECT_EQ(seen_since(meeting.now - 500ms).spatial, 2);
    viewer.take(meeting);
    EXPECT_TRUE(viewer.missing().empty());
}

TEST_F(RouterSvc, TheClientsOwnPauseWinsAndIsNotReported) {
    wish(10'000, balanced);
    path.play(60);
    meeting.router.set_paused(2, kStream, true, meeting.now);
    meeting.receive_remb(2, 61'000);
    const std::size_t before = meeting.video_to(2).size();
    path.play(30);
    EXPECT_EQ(meeting.video_to(2).size(), before);
    EXPECT_TRUE(meeting.router.report(meeting.now).pauses.empty());
    meeting.receive_remb(2, 2'000'000);
    path.play(15);
    meeting.router.set_paused(2, kStream, false, meeting.now);
    for (int i = 0; i < 6; ++i) {
        meeting.receive_remb(2, 2'000'000);
        path.play(15);
    }
    EXPECT_GT(seen_since(meeting.now - 500ms).pictures, 10);
    EXPECT_TRUE(meeting.router.report(meeting.now).pauses.empty());
}

TEST_F(RouterSvc, TheMoreImportantVideoKeepsItsLayersLonger) {
    SvcCamera second(4);
    ASSERT_TRUE(meeting.router.add_peer(4, {.person = 4}, meeting.now));
    meeting.router.set_uplink(4, second.uplink(404, 8), meeting.now);
    meeting.router.set_connected(4, true, meeting.now);
    Subscription minor = line(2);
    minor.wish = VideoWish{.priority = 1, .target_kbps = 10'000};
    Subscription major = line(2, 404, 1);
    major.wish = VideoWish{.priority = 2, .target_kbps = 10'000};
    Downlink downlink = TestMeeting::downlink(2, {minor, major});
    downlink.adaptation = Adaptation::server;
    meeting.router.set_downlink(2, downlink, meeting.now);
    int pictures_of_second = 0;
    const auto play = [&](int pictures) {
        for (int i = 0; i < pictures; ++i) {
            ++pictures_of_second;
            for (const Bytes& packet : second.frame(0, std::chrono::microseconds(33'333) * pictures_of_second,
                                                    pictures_of_second == 1 || pictures_of_second % 30 == 0)) {
                meeting.deliver(4, packet);
            }
            path.picture();
        }
    };
    play(60);
    for (int i = 0; i < 8; ++i) {
        meeting.receive_remb(2, 300'000);
        play(15);
    }
    Viewer important(2, 1);
    important.temporal_pattern = true;
    important.take(meeting);
    const auto last = important.shown().back();
    EXPECT_EQ(last.spatial, 2);
    EXPECT_LT(seen_since(meeting.now - 500ms).spatial, 2);
    EXPECT_GT(seen_since(meeting.now - 1s).pictures, 0) << "a base layer for everybody";
}

TEST_F(RouterAv1, TemporalLayersAreDroppedByTheDependencyDescriptor) {
    wish(10'000, balanced);
    path.play(90);
    EXPECT_EQ(seen_since(meeting.now - 500ms).temporal, 2);
    wish(20, balanced);
    path.play(60);
    EXPECT_EQ(seen_since(meeting.now - 500ms).temporal, 0);
    EXPECT_GE(seen_since(meeting.now - 1s).pictures, 6);
    const int keys = path.keys;
    wish(35, balanced);
    path.play(60);
    EXPECT_EQ(seen_since(meeting.now - 500ms).temporal, 1);
    wish(10'000, balanced);
    path.play(60);
    EXPECT_EQ(seen_since(meeting.now - 500ms).temporal, 2);
    EXPECT_EQ(path.keys, keys) << "up in time needs none";
    expect_whole();
    for (const Sent& sent : meeting.video_to(2)) EXPECT_EQ(sent.rtp().extension_form(), wire::RtpExtensionForm::none);
}

TEST_F(RouterAv1, RandomChangesWithNewTemplatesOnALossyPath) {
    watch_plainly();
    path.loss_percent = 2;
    path.jitter_ms = 10;
    path.play(60);
    for (int i = 0; i < 200; ++i) {
        wish(10 + path.upto(80), balanced);
        if (i % 7 == 0) meeting.receive_pli(2, 2510);
        path.play(10 + static_cast<int>(path.upto(20)));
    }
    path.loss_percent = 0;
    path.play(60);
    viewer.take(meeting);
    EXPECT_TRUE(viewer.missing().empty()) << viewer.missing().size();
    EXPECT_GT(path.keys, 10);
    const std::size_t undecodable = viewer.frames().size() - viewer.shown().size();
    EXPECT_LE(undecodable, 30U) << "of " << viewer.frames().size();
    viewer.expect_markers();
}

TEST_F(RouterAv1, WithoutDescriptorsOrWithBrokenOnesEverythingPasses) {
    wish(1, balanced);
    LayerStream& stream = camera.streams[0];
    const Bytes broken{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    for (int i = 0; i < 90; ++i) {
        const Bytes payload{static_cast<std::uint8_t>(i == 0 ? 0x08 : 0), 0x0A, Mark::kMagic, 0, 0, 0, 0, 0, 0, 0, 1};
        meeting.deliver(1, stream.packet(33ms * i, true, payload, i % 2 == 0 ? BytesView(broken) : BytesView{}));
        meeting.pass(35ms);
    }
    EXPECT_EQ(meeting.video_to(2).size(), 90U);
}

TEST_F(RouterAv1, SharesAreAskedForKeyFramesNowAndThenIfTheyWish) {
    watch_plainly();
    path.play(60);
    const int first = path.keys;
    path.play(1000);
    EXPECT_EQ(path.keys, first);
    Uplink share = camera.uplink(kStream, kGroup);
    share.videos[0].periodic_key_frames = true;
    meeting.router.set_uplink(1, share, meeting.now);
    path.play(1000);
    EXPECT_GE(path.keys, first + 3);
    EXPECT_LE(path.keys, first + 4);
    meeting.router.set_downlink(2, TestMeeting::downlink(2), meeting.now);
    const int keys = path.keys;
    path.play(600);
    EXPECT_EQ(path.keys, keys) << "nobody is looking";
}

}  // namespace
}  // namespace media::room::testing
