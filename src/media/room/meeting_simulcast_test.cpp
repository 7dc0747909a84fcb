// Simulcast: layers of one camera, and when the INDEX lists them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/room/meeting_test_room.hpp"

namespace media::room {
namespace {

using namespace std::chrono_literals;
using test::allocations;
using test::listed;
using test::TestRoom;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Frame = wire::proto::Frame;
namespace proto = wire::proto;

test::PlaneReport flowing(const std::vector<StreamId>& streams, const std::vector<LinkReport>& links = {}) {
    test::PlaneReport report;
    report.links = links;
    for (const StreamId id : streams) report.streams.push_back({id, 100'000, true});
    return report;
}

TEST(MeetingSimulcast, AnswerTakesAllLayersAndAllocatesThemInTheOrderOfTheirDescriptors) {
    TestRoom room;
    room.enter("bob");
    const PeerId alice = room.enter_heard("alice", test::simulcast(300, 0, 1200));
    const Frame ack = *room.last(alice, Frame::SUBSCRIBE_ACK);
    ASSERT_EQ(ack.suback().allocations_size(), 3);
    const auto ids = allocations(room, alice);
    EXPECT_NE(ids[0], ids[1]);
    EXPECT_NE(ids[1], ids[2]);
    EXPECT_EQ(ack.suback().allocations(0).group_id(), ack.suback().allocations(2).group_id());
    const auto answer = wire::parse_sdp(ack.suback().sdp_answer());
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->media.at(1).receive_rids, ElementsAre("low", "mid", "hi"));
    EXPECT_NE(ack.suback().sdp_answer().find("a=simulcast:recv low;mid;hi"), std::string::npos);

    const auto videos = test::negotiated(room, alice)->uplink.videos;
    ASSERT_THAT(videos, SizeIs(3)) << "one that is off may come, and says its rid once only";
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(videos[i].stream_id, ids[i]);
        EXPECT_EQ(videos[i].group_id, ack.suback().allocations(0).group_id());
        EXPECT_EQ(videos[i].ssrc, 0U) << "known by its rid";
        EXPECT_EQ(videos[i].extensions.rid, 10);
    }
    EXPECT_EQ(videos[0].rid, "low");
    EXPECT_EQ(videos[2].rid, "hi");
    EXPECT_EQ(videos[1].max_bitrate_kbps, 0U);
    EXPECT_EQ(videos[2].max_bitrate_kbps, 1200U);
}

TEST(MeetingSimulcast, LayerIsListedOnceItsPacketsCome) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    const PeerId alice = room.enter_heard("alice", test::simulcast(300, 0, 1200));
    const auto ids = allocations(room, alice);
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0]));
    room.pass(1s, flowing({ids[0]}));
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0])) << "announced, but not sent: the camera is small";
    room.pass(1s, flowing({ids[0], ids[2]}));
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0], ids[2]));
    const proto::Index index = test::index_of(room, bob);
    EXPECT_EQ(index.sources(0).group_id(), index.sources(1).group_id());
    EXPECT_EQ(index.sources(1).max_bitrate_kbps(), 1200U);
    EXPECT_THAT(room.all<output::Video>(), SizeIs(1)) << "one camera";
}

TEST(MeetingSimulcast, SilentLayerLeavesTheIndexAfterSeconds) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    const PeerId alice = room.enter_heard("alice", test::simulcast(300, 0, 1200));
    const auto ids = allocations(room, alice);
    room.pass(1s, flowing({ids[0], ids[2]}));
    room.pass(2s, flowing({ids[0]}));
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0], ids[2])) << "a moment is nothing";
    room.pass(2s, flowing({ids[0]}));
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0]));
    room.pass(400ms, flowing({ids[0], ids[2]}));
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0], ids[2]));
}

TEST(MeetingSimulcast, LayersStayListedWhileTheWholeSenderIsSilent) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    const PeerId alice = room.enter_heard("alice", test::simulcast(300, 0, 1200));
    const auto ids = allocations(room, alice);
    room.pass(1s, flowing({ids[0], ids[2]}));
    room.pass(10s, flowing({}));
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0], ids[2]));
}

TEST(MeetingSimulcast, ChangeOfTheLayerSetKeepsIdsByPlace) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    const PeerId alice = room.enter_heard("alice", test::simulcast(0, 1200, 0));
    const auto ids = allocations(room, alice);
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[1])) << "the lowest that is announced";
    const auto group = test::index_of(room, bob).sources(0).group_id();
    room.pass(1s, flowing({ids[1]}));
    room.send(alice, test::subscribe(test::simulcast(300, 0, 1200)));
    EXPECT_EQ(allocations(room, alice), ids);
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0]));
    room.pass(1s, flowing({ids[0], ids[2]}));
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0], ids[2]));
    EXPECT_EQ(test::index_of(room, bob).sources(1).group_id(), group);
    room.send(alice, test::subscribe(test::simulcast(300, 0, 1200)));
    EXPECT_THAT(listed(room, bob), ElementsAre(ids[0], ids[2])) << "a renegotiation changes nothing";
    EXPECT_THAT(room.all<output::Video>(), SizeIs(1));
}

TEST(MeetingSimulcast, DescriptorsWithoutRidsAreOneStream) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    const PeerId fox = room.connect("fox");
    room.send(fox, test::join(1));
    // A browser without simulcast: its client speaks of three layers, the offer has one stream.
    proto::Frame frame = test::subscribe_frame(test::simulcast(300, 600, 1200));
    frame.mutable_sub()->set_sdp_offer(test::camera_on(5000).text());
    room.send(fox, test::message(frame, Frame::SUBSCRIBE));
    EXPECT_THAT(listed(room, bob), ElementsAre(allocations(room, fox).at(0)));
    const auto videos = test::negotiated(room, fox)->uplink.videos;
    ASSERT_THAT(videos, SizeIs(1));
    EXPECT_EQ(videos[0].ssrc, 5000U);
    EXPECT_THAT(videos[0].rid, IsEmpty());
}

TEST(MeetingSimulcast, PoorSenderIsShownAsPausedUntilItFlowsAgain) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    const StreamId stream = allocations(room, alice).at(0);
    const std::vector<LinkReport> poor = {{alice, 0, 1}};
    room.pass(1s, flowing({stream}, poor));
    EXPECT_THAT(test::index_of(room, bob).paused_at_source_ids(), IsEmpty()) << "it flows";
    room.pass(3s, flowing({}));
    EXPECT_THAT(test::index_of(room, bob).paused_at_source_ids(), IsEmpty()) << "silent for another reason";
    room.pass(400ms, flowing({}, poor));
    EXPECT_THAT(test::index_of(room, bob).paused_at_source_ids(), ElementsAre(stream));
    EXPECT_THAT(listed(room, bob), ElementsAre(stream));
    room.pass(400ms, flowing({stream}, poor));
    EXPECT_THAT(test::index_of(room, bob).paused_at_source_ids(), IsEmpty());
}

TEST(MeetingSimulcast, SharesAskForPeriodicKeyFramesUnlessTheyDecline) {
    for (const bool decline : {false, true}) {
        TestRoom room;
        proto::Frame join = test::join_frame(7);
        if (decline) join.mutable_join()->set_disable_periodic_keyframe_request_on_content_sender(true);
        const PeerId share = room.connect("alice#content");
        room.send(share, test::message(join, Frame::JOIN));
        room.send(share, test::subscribe(test::camera_on(5000)));
        EXPECT_EQ(test::negotiated(room, share)->uplink.videos.at(0).periodic_key_frames, !decline);
        const PeerId camera = room.enter_heard("bob", test::camera_on(6000));
        EXPECT_FALSE(test::negotiated(room, camera)->uplink.videos.at(0).periodic_key_frames);
    }
}

TEST(MeetingSimulcast, CameraIsToldOfOnceForEachChange) {
    TestRoom room;
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    room.send(alice, test::subscribe(test::camera_on(5000)));
    ASSERT_THAT(room.all<output::Video>(), SizeIs(1));
    EXPECT_TRUE(room.all<output::Video>()[0].started);
    EXPECT_FALSE(room.all<output::Video>()[0].content);
    EXPECT_EQ(room.all<output::Video>()[0].attendee_id, "alice");
    room.send(alice, test::subscribe({}));
    room.send(alice, test::subscribe({}));
    ASSERT_THAT(room.all<output::Video>(), SizeIs(2));
    EXPECT_FALSE(room.all<output::Video>()[1].started);

    const PeerId share = room.enter_heard("alice#content", test::camera_on(6000));
    room.send(share, test::leave());
    const auto told = room.all<output::Video>();
    ASSERT_THAT(told, SizeIs(4));
    EXPECT_TRUE(told[2].content && told[2].started);
    EXPECT_TRUE(told[3].content && !told[3].started);
    EXPECT_EQ(told[3].attendee_id, "alice");
}

TEST(MeetingSimulcast, CameraOfAReconnectedClientHasNeverStopped) {
    TestRoom room;
    const PeerId old = room.enter_heard("alice", test::camera_on(5000));
    room.lose(old);
    room.pass(1s);
    const PeerId fresh = room.enter_heard("alice", test::camera_on(6000));
    EXPECT_THAT(room.all<output::Video>(), SizeIs(1));
    room.lose(fresh);
    const core::Time lost_at = room.now.wall;
    room.pass(6s);
    ASSERT_THAT(room.all<output::Video>(), SizeIs(2)) << "its media is taken off";
    EXPECT_FALSE(room.all<output::Video>()[1].started);
    EXPECT_EQ(room.all<output::Video>()[1].at, lost_at);
    room.pass(20s);
    EXPECT_THAT(room.all<output::Video>(), SizeIs(2));
}

}  // namespace
}  // namespace media::room
