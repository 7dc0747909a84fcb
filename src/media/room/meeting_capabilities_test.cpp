// Capabilities: what an attendee may send and receive, at once and later.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/room/meeting_test_room.hpp"

namespace media::room {
namespace {

using namespace std::chrono_literals;
using core::Flow;
using test::allocations;
using test::listed;
using test::negotiated;
using test::TestRoom;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Frame = wire::proto::Frame;
namespace proto = wire::proto;

constexpr core::Capabilities kNoCamera{Flow::both, Flow::receive, Flow::both};
constexpr core::Capabilities kNoShare{Flow::both, Flow::both, Flow::receive};

TEST(MeetingCapabilities, CameraThatMayNotBeIsRefusedAndTheCallGoesOn) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    room.capabilities = kNoCamera;
    const PeerId alice = room.enter_heard("alice");
    EXPECT_TRUE(test::index_of(room, alice).at_capacity()) << "a client need not even try";
    room.send(alice, test::subscribe(test::camera_on(5000)));
    const Frame ack = *room.last(alice, Frame::SUBSCRIBE_ACK);
    EXPECT_EQ(ack.error().status(), 206U);
    EXPECT_THAT(ack.suback().allocations(), IsEmpty());
    const auto answer = wire::parse_sdp(ack.suback().sdp_answer());
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->media.at(1).direction, wire::Direction::inactive);
    EXPECT_THAT(negotiated(room, alice)->uplink.videos, IsEmpty());
    EXPECT_THAT(listed(room, bob), IsEmpty());
    EXPECT_THAT(room.all<output::Video>(), IsEmpty());
    room.pass(2s);
    EXPECT_FALSE(room.closed(alice));

    room.allow("alice", {});
    EXPECT_FALSE(test::index_of(room, alice).at_capacity());
    room.send(alice, test::subscribe(test::camera_on(5000)));
    EXPECT_FALSE(room.last(alice, Frame::SUBSCRIBE_ACK)->has_error());
    EXPECT_THAT(listed(room, bob), SizeIs(1));
}

TEST(MeetingCapabilities, RevokedCameraIsTakenAwayAtOnce) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    room.forget();
    room.allow("alice", kNoCamera);
    EXPECT_THAT(listed(room, bob), IsEmpty());
    EXPECT_EQ(room.count(bob, Frame::INDEX), 1U);
    EXPECT_THAT(negotiated(room, alice)->uplink.videos, IsEmpty());
    EXPECT_NE(negotiated(room, alice)->uplink.audio.payload_type, 0) << "only the camera";
    ASSERT_THAT(room.all<output::Video>(), SizeIs(1));
    EXPECT_FALSE(room.all<output::Video>()[0].started);
    EXPECT_EQ(room.last(alice, Frame::AUDIO_STATUS)->error().status(), 206U);
    EXPECT_EQ(room.last(alice, Frame::AUDIO_STATUS)->audio_status().audio_status(), 200U);
    ASSERT_THAT(room.all<output::Allow>(), SizeIs(1));
    EXPECT_EQ(room.all<output::Allow>()[0].capabilities, kNoCamera);
    room.send(alice, test::subscribe(test::camera_on(5000)));
    EXPECT_EQ(room.last(alice, Frame::SUBSCRIBE_ACK)->error().status(), 206U);
    EXPECT_FALSE(room.closed(alice));
}

TEST(MeetingCapabilities, RevokedCameraOfAnAbsentAttendeeGoesToo) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    const PeerId alice = room.enter("alice", test::camera_on(5000));
    room.lose(alice);
    room.allow("alice", kNoCamera);
    EXPECT_THAT(listed(room, bob), IsEmpty());
    EXPECT_EQ(room.meeting.roster().find("alice")->identity.capabilities, kNoCamera);
}

TEST(MeetingCapabilities, ShareThatMayNotBeIsRefusedAtTheDoor) {
    TestRoom room;
    room.capabilities = kNoShare;
    const PeerId alice = room.enter("alice");
    const PeerId share = room.connect("alice#content");
    room.send(share, test::join(1));
    EXPECT_EQ(room.last(share, Frame::JOIN_ACK)->error().status(), 403U);
    EXPECT_EQ(room.count(share, Frame::INDEX), 0U);
    room.pass(1s);
    EXPECT_EQ(room.closed(share), close_code::kBadRequest);
    EXPECT_FALSE(room.closed(alice));
    EXPECT_EQ(room.count(alice, Frame::AUDIO_STATUS), 0U);
}

TEST(MeetingCapabilities, RevokedShareIsPutOutAndItsOwnerStays) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const PeerId share = room.enter("alice#content", test::camera_on(5000));
    const std::uint32_t id = room.meeting.roster().find("alice#content")->audio_stream_id;
    room.forget();
    room.allow("alice", kNoShare);
    EXPECT_EQ(room.last(share, Frame::AUDIO_STATUS)->audio_status().audio_status(), 403U);
    EXPECT_THAT(listed(room, bob), IsEmpty());
    ASSERT_THAT(room.presence(bob), SizeIs(1));
    EXPECT_EQ(room.presence(bob)[0].audio_stream_id(), id);
    EXPECT_FALSE(room.presence(bob)[0].has_attendee_id());
    ASSERT_THAT(room.all<output::Gone>(), SizeIs(1));
    EXPECT_TRUE(room.all<output::Gone>()[0].content);
    ASSERT_THAT(room.all<output::Video>(), SizeIs(1));
    room.send(share, test::leave());
    EXPECT_EQ(room.count(share, Frame::LEAVE_ACK), 1U);
    room.pass(1s);
    EXPECT_TRUE(room.closed(share));
    EXPECT_FALSE(room.closed(alice));
    EXPECT_EQ(room.count(alice, Frame::AUDIO_STATUS), 0U);
}

TEST(MeetingCapabilities, WhoMayNotWatchIsShownNothing) {
    TestRoom room;
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    const PeerId share = room.enter_heard("alice#content", test::camera_on(6000));
    const StreamId camera = allocations(room, alice).at(0);
    const StreamId screen = allocations(room, share).at(0);
    const auto sees = [&](const std::string& name, core::Capabilities capabilities) {
        room.capabilities = capabilities;
        return listed(room, room.enter_heard(name));
    };
    EXPECT_THAT(sees("all", {}), ElementsAre(camera, screen));
    EXPECT_THAT(sees("no-content", {Flow::both, Flow::both, Flow::none}), ElementsAre(camera));
    EXPECT_THAT(sees("send-only", {Flow::both, Flow::send, Flow::send}), IsEmpty());
    const PeerId blind = room.last_peer;
    room.send(blind, test::subscribe(test::receiving({{"2", camera}, {"3", screen}})));
    const auto answer = wire::parse_sdp(room.last(blind, Frame::SUBSCRIBE_ACK)->suback().sdp_answer());
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->media.at(2).direction, wire::Direction::inactive);
    EXPECT_EQ(answer->media.at(3).direction, wire::Direction::inactive);
    EXPECT_THAT(negotiated(room, blind)->downlink.subscriptions, IsEmpty());
    EXPECT_EQ(test::index_of(room, blind).num_participants(), 4U) << "people are no secret";
}

TEST(MeetingCapabilities, RevokedSightEndsSubscriptionsAtOnce) {
    TestRoom room;
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    const PeerId share = room.enter_heard("alice#content", test::camera_on(6000));
    const StreamId camera = allocations(room, alice).at(0);
    const StreamId screen = allocations(room, share).at(0);
    const PeerId bob = room.enter_heard("bob");
    room.send(bob, test::subscribe(test::receiving({{"2", camera}, {"3", screen}})));
    room.allow("bob", {Flow::both, Flow::both, Flow::send});
    EXPECT_THAT(listed(room, bob), ElementsAre(camera));
    auto lines = negotiated(room, bob)->downlink.subscriptions;
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_EQ(lines[0].stream_id, camera);
    proto::Frame update;
    auto& wish = *update.mutable_remote_video_update()->add_added_or_updated_video_subscriptions();
    wish.set_mid("2");
    wish.set_stream_id(screen);
    room.send(bob, test::message(update, Frame::REMOTE_VIDEO_UPDATE));
    EXPECT_EQ(negotiated(room, bob)->downlink.subscriptions.at(0).stream_id, camera) << "no way round";
    room.allow("bob", {});
    EXPECT_THAT(listed(room, bob), ElementsAre(camera, screen));
}

TEST(MeetingCapabilities, OfOneAttendeeSayNothingAboutOthers) {
    TestRoom room;
    const PeerId bob = room.enter("bob");
    room.enter("alice", test::camera_on(5000));
    room.allow("nobody", {Flow::none, Flow::none, Flow::none});
    EXPECT_THAT(room.all<output::Allow>(), IsEmpty());
    EXPECT_EQ(room.count(bob, Frame::INDEX), 0U);
}

}  // namespace
}  // namespace media::room
