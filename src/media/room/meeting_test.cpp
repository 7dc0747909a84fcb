// Connections, presence and endings of a meeting.
#include "media/room/meeting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/room/meeting_test_room.hpp"

namespace media::room {
namespace {

using namespace std::chrono_literals;
using test::TestRoom;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Frame = wire::proto::Frame;
namespace proto = wire::proto;

std::vector<std::string> gone(const TestRoom& room) {
    std::vector<std::string> names;
    for (const auto& entry : room.all<output::Gone>()) {
        if (!entry.content) names.push_back(entry.attendee_id);
    }
    return names;
}

std::uint32_t audio_status(const TestRoom& room, PeerId peer) {
    const auto frame = room.last(peer, Frame::AUDIO_STATUS);
    return frame ? frame->audio_status().audio_status() : 0;
}

TEST(Meeting, JoinIsAnsweredWithSettingsAndThenTheIndex) {
    TestRoom room;
    const PeerId alice = room.connect("alice");
    for (const std::string& message : test::captured("alice")) {
        room.send(alice, message);
        if (wire::unwrap_frame(message)->type() == Frame::JOIN) break;
    }
    ASSERT_THAT(room.types(alice), ElementsAre(Frame::PING_PONG, Frame::JOIN_ACK, Frame::INDEX));
    const Frame ack = *room.last(alice, Frame::JOIN_ACK);
    ASSERT_TRUE(ack.has_joinack());
    EXPECT_TRUE(ack.joinack().has_turn_credentials());
    EXPECT_EQ(ack.joinack().turn_credentials().uris_size(), 0);
    EXPECT_FALSE(ack.joinack().has_wants_compressed_sdp());
    EXPECT_FALSE(ack.joinack().has_default_server_side_network_adaption());
    EXPECT_EQ(room.last(alice, Frame::INDEX)->index().num_participants(), 1U);
    EXPECT_EQ(room.last(alice, Frame::PING_PONG)->ping_pong().type(), proto::PingPong::PONG);
}

TEST(Meeting, PongEchoesTheIdAndTellsOurTime) {
    TestRoom room;
    const PeerId alice = room.connect("alice");
    room.send(alice, test::ping(41));
    const Frame pong = *room.last(alice, Frame::PING_PONG);
    EXPECT_EQ(pong.ping_pong().ping_id(), 41U);
    EXPECT_EQ(pong.timestamp_ms(), static_cast<std::uint64_t>(room.now.wall.time_since_epoch() / 1ms));
}

TEST(Meeting, FirstSubscribeBringsTheWholeRosterLaterOnesOnlyChanges) {
    TestRoom room;
    const PeerId alice = room.connect("alice");
    room.send(alice, test::join(1));
    room.send(alice, test::captured("alice", Frame::SUBSCRIBE).front());
    EXPECT_THAT(room.types(alice), ElementsAre(Frame::JOIN_ACK, Frame::INDEX, Frame::SUBSCRIBE_ACK,
                                               Frame::AUDIO_STREAM_ID_INFO, Frame::INDEX));
    ASSERT_THAT(room.presence(alice), SizeIs(1));
    EXPECT_EQ(room.presence(alice)[0].attendee_id(), "alice");
    EXPECT_EQ(room.presence(alice)[0].external_user_id(), "user-alice");
    EXPECT_TRUE(room.presence(alice)[0].has_muted());
    room.forget();

    const PeerId bob = room.connect("bob");
    room.send(bob, test::join(2));
    EXPECT_THAT(room.presence(alice), IsEmpty()) << "present with the first subscribe, not before";
    room.send(bob, test::captured("bob", Frame::SUBSCRIBE).front());
    ASSERT_THAT(room.presence(alice), SizeIs(1));
    EXPECT_EQ(room.presence(alice)[0].attendee_id(), "bob");
    EXPECT_THAT(room.presence(bob), SizeIs(2));
    EXPECT_EQ(room.last(alice, Frame::INDEX)->index().num_participants(), 2U);
    ASSERT_THAT(room.all<output::Connected>(), SizeIs(1));
    EXPECT_EQ(room.all<output::Connected>()[0].attendee_id, "bob");
    room.forget();

    room.send(bob, test::captured("bob", Frame::SUBSCRIBE).front());
    EXPECT_THAT(room.presence(bob), IsEmpty());
    EXPECT_THAT(room.presence(alice), IsEmpty());
    EXPECT_THAT(room.all<output::Connected>(), IsEmpty());
}

TEST(Meeting, LeaveIsAnsweredAtOnceAndToldToTheOthers) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    room.send(bob, test::leave());
    EXPECT_THAT(room.types(bob), ElementsAre(Frame::LEAVE_ACK));
    ASSERT_THAT(room.presence(alice), SizeIs(1));
    EXPECT_FALSE(room.presence(alice)[0].has_attendee_id());
    EXPECT_FALSE(room.presence(alice)[0].has_muted());
    EXPECT_FALSE(room.presence(alice)[0].dropped());
    EXPECT_THAT(gone(room), ElementsAre("bob"));
    ASSERT_THAT(room.all<output::CloseMedia>(), SizeIs(1));
    EXPECT_EQ(room.all<output::CloseMedia>()[0].peer, bob);
    EXPECT_FALSE(room.closed(bob)) << "the client closes";
    room.pass(1s);
    EXPECT_EQ(room.closed(bob), close_code::kNormal) << "unless it does not";
}

TEST(Meeting, LostConnectionCountsAsPresentForAWhile) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const core::Time lost_at = room.now.wall;
    room.lose(bob);
    room.pass_alive(19s, {alice});
    EXPECT_THAT(room.presence(alice), IsEmpty());
    EXPECT_THAT(gone(room), IsEmpty());
    room.pass(1500ms);
    ASSERT_THAT(room.presence(alice), SizeIs(1));
    EXPECT_TRUE(room.presence(alice)[0].dropped());
    ASSERT_THAT(room.all<output::Gone>(), SizeIs(1));
    EXPECT_EQ(room.all<output::Gone>()[0].at, lost_at);
    EXPECT_EQ(room.last(alice, Frame::INDEX)->index().num_participants(), 1U);
}

TEST(Meeting, MediaOfALostConnectionStopsBeforeTheAttendeeIsGone) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob", test::camera_on(5000));
    EXPECT_EQ(room.meeting.roster().size(), 2U);
    room.lose(bob);
    room.pass(4s);
    EXPECT_THAT(room.all<output::CloseMedia>(), IsEmpty());
    room.pass(1500ms);
    ASSERT_THAT(room.all<output::CloseMedia>(), SizeIs(1));
    EXPECT_EQ(room.all<output::CloseMedia>()[0].peer, bob);
    EXPECT_THAT(room.last(alice, Frame::INDEX)->index().sources(), IsEmpty());
    EXPECT_THAT(gone(room), IsEmpty());
}

TEST(Meeting, SilentClientIsLostSinceItWasLastHeard) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const core::Time heard = room.now.wall;
    room.pass(44s);
    EXPECT_FALSE(room.closed(alice));
    room.pass(2s);
    EXPECT_EQ(room.closed(alice), 0);
    ASSERT_THAT(room.all<output::Gone>(), SizeIs(1));
    EXPECT_EQ(room.all<output::Gone>()[0].at, heard);
}

TEST(Meeting, ReconnectOfTheSamePageReplacesTheOldConnectionSilently) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId old = room.enter("bob", {}, 99);
    const std::uint32_t old_id = room.meeting.roster().find("bob")->audio_stream_id;
    const PeerId fresh = room.connect("bob");
    room.send(fresh, test::join(99));
    EXPECT_EQ(room.closed(old), 0);
    EXPECT_EQ(room.count(old, Frame::AUDIO_STATUS), 0U);
    ASSERT_THAT(room.all<output::CloseMedia>(), SizeIs(1)) << "one transport an attendee";
    room.send(fresh, test::subscribe({}));
    const auto told = room.presence(alice);
    ASSERT_THAT(told, SizeIs(2));
    EXPECT_EQ(told[0].attendee_id(), "bob");
    EXPECT_GT(told[0].audio_stream_id(), old_id);
    EXPECT_EQ(told[1].audio_stream_id(), old_id);
    EXPECT_FALSE(told[1].has_attendee_id());
    EXPECT_THAT(room.presence(fresh), SizeIs(2)) << "the full roster again";
    EXPECT_THAT(room.all<output::Connected>(), IsEmpty()) << "was never gone";
    room.pass_alive(30s, {alice, fresh});
    EXPECT_THAT(gone(room), IsEmpty());
}

TEST(Meeting, ReturnAfterALostSocketKeepsTheAttendeePresent) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId old = room.enter("bob", {}, 99);
    room.lose(old);
    room.pass_alive(15s, {alice});
    const PeerId fresh = room.enter("bob", {}, 99);
    room.pass_alive(30s, {alice, fresh});
    EXPECT_THAT(gone(room), IsEmpty());
    EXPECT_EQ(room.meeting.roster().size(), 2U);
}

TEST(Meeting, SecondDeviceTakesOverAndTheFirstIsToldSo) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId first = room.enter("bob", {}, 1);
    const PeerId second = room.connect("bob");
    room.send(second, test::join(2));
    EXPECT_EQ(audio_status(room, first), 301U);
    EXPECT_FALSE(room.closed(first));
    room.send(first, test::leave());
    EXPECT_EQ(room.count(first, Frame::LEAVE_ACK), 1U);
    EXPECT_THAT(gone(room), IsEmpty()) << "the attendee is there, on the other device";
    room.send(second, test::subscribe({}));
    room.pass_alive(2s, {alice, second});
    EXPECT_EQ(room.closed(first), close_code::kNormal);
    EXPECT_FALSE(room.closed(second));
    EXPECT_EQ(room.meeting.roster().find("bob")->peer, second);
}

TEST(Meeting, EndIsToldToEverybodyAndConnectionsAreRefusedAfterwards) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const PeerId early = room.connect("carol");
    room.end();
    EXPECT_EQ(audio_status(room, alice), 410U);
    EXPECT_EQ(audio_status(room, bob), 410U);
    EXPECT_THAT(gone(room), ElementsAre("alice", "bob"));
    EXPECT_FALSE(room.closed(alice)) << "time to say LEAVE";
    room.send(alice, test::leave());
    EXPECT_EQ(room.count(alice, Frame::LEAVE_ACK), 1U);
    EXPECT_THAT(gone(room), SizeIs(2)) << "told once";
    room.pass(1s);
    EXPECT_EQ(room.closed(alice), close_code::kEnded);
    EXPECT_EQ(room.closed(bob), close_code::kEnded);
    EXPECT_EQ(room.closed(early), close_code::kEnded);
    EXPECT_TRUE(room.meeting.idle(room.now));
    const PeerId late = room.connect("alice");
    EXPECT_EQ(room.closed(late), close_code::kEnded);
}

TEST(Meeting, WhoWasLostBeforeTheEndHadLeftThen) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    room.enter("bob");
    const core::Time lost_at = room.now.wall;
    room.lose(alice);
    room.pass(3s);
    room.end();
    ASSERT_THAT(room.all<output::Gone>(), SizeIs(2));
    EXPECT_EQ(room.all<output::Gone>()[0].at, lost_at);
    EXPECT_EQ(room.all<output::Gone>()[1].at, room.now.wall);
}

TEST(Meeting, RemovedAttendeeGoesWithItsContentShare) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const PeerId share = room.enter("bob#content", test::camera_on(9000));
    room.remove("bob");
    EXPECT_EQ(audio_status(room, bob), 411U);
    EXPECT_EQ(audio_status(room, share), 411U);
    EXPECT_EQ(audio_status(room, alice), 0U);
    EXPECT_THAT(room.presence(alice), SizeIs(2));
    EXPECT_THAT(gone(room), ElementsAre("bob")) << "a share is no attendee";
    EXPECT_THAT(room.last(alice, Frame::INDEX)->index().sources(), IsEmpty());
    room.pass(1s);
    EXPECT_TRUE(room.closed(bob));
    EXPECT_TRUE(room.closed(share));
}

TEST(Meeting, WhoLeavesAfterARefusalIsGoneAtOnce) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    test::OfferText broken;
    broken.fingerprint = "00";
    room.send(alice, test::subscribe(broken));
    EXPECT_EQ(room.last(alice, Frame::SUBSCRIBE_ACK)->error().status(), 400U);
    EXPECT_THAT(gone(room), IsEmpty());
    room.send(alice, test::leave());
    EXPECT_THAT(gone(room), ElementsAre("alice"));
}

TEST(Meeting, PrimaryMeetingsAreRefused) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    proto::Frame frame;
    frame.mutable_primary_meeting_join();
    room.send(alice, test::message(frame, Frame::PRIMARY_MEETING_JOIN));
    const auto ack = room.last(alice, Frame::PRIMARY_MEETING_JOIN_ACK);
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->error().status(), 403U);
}

TEST(Meeting, UnknownFramesAreIgnored) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    room.send(alice, std::string("\x05\x08\x01\x10\x63", 5));                  // Type 99.
    room.send(alice, std::string("\x05\x08\x01\x10\x15\xfa\x3e\x01\x41", 9));  // A field nobody knows.
    EXPECT_THAT(room.sent, IsEmpty());
    EXPECT_THAT(room.others, IsEmpty());
}

TEST(Meeting, WhatIsNoFrameEndsItsOwnConnectionOnly) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    room.send(bob, "\x05this is no protobuf");
    EXPECT_EQ(room.closed(bob), close_code::kBadRequest);
    EXPECT_FALSE(room.closed(alice));
    room.send(bob, test::join(1));
    EXPECT_EQ(room.count(bob, Frame::JOIN_ACK), 0U) << "closed is closed";
}

TEST(Meeting, FramesOutOfOrderAreRefused) {
    TestRoom room;
    const PeerId alice = room.connect("alice");
    room.send(alice, test::subscribe({}));
    EXPECT_EQ(room.last(alice, Frame::SUBSCRIBE_ACK)->error().status(), 400U);
    room.pass(1s);
    EXPECT_EQ(room.closed(alice), close_code::kBadRequest);

    const PeerId bob = room.enter("bob");
    room.send(bob, test::join(7));
    EXPECT_EQ(room.last(bob, Frame::JOIN_ACK)->error().status(), 400U);
}

TEST(Meeting, FloodOfFramesEndsTheConnection) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    for (std::uint32_t i = 0; i < 300; ++i) room.send(alice, test::ping(i));
    EXPECT_EQ(room.closed(alice), close_code::kBadRequest);
    EXPECT_LE(room.count(alice, Frame::PING_PONG), 200U);
}

TEST(Meeting, ConnectionsThatNeverJoinAreFewAndShortLived) {
    TestRoom room;
    std::vector<PeerId> waiting;
    waiting.reserve(10);
    for (int i = 0; i < 10; ++i) waiting.push_back(room.connect("alice"));
    EXPECT_EQ(room.meeting.connections(), 3U);
    EXPECT_EQ(room.closed(waiting[0]), 0);
    room.pass(21s);
    EXPECT_EQ(room.meeting.connections(), 0U);
    EXPECT_EQ(room.closed(waiting[9]), close_code::kReconnect);
    EXPECT_TRUE(room.meeting.idle(room.now));
}

TEST(Meeting, FailedMediaMakesTheClientConnectAnewOnce) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    room.media_lost(alice);
    room.media_lost(alice);
    EXPECT_EQ(room.count(alice, Frame::AUDIO_STATUS), 1U);
    EXPECT_EQ(audio_status(room, alice), 500U);
}

TEST(Meeting, AudioIdsOfARestartedServerAreNew) {
    TestRoom before;
    before.enter("alice");
    TestRoom after;
    after.now.wall = before.now.wall + 1s;
    after.enter("bob");
    EXPECT_GT(after.meeting.roster().find("bob")->audio_stream_id,
              before.meeting.roster().find("alice")->audio_stream_id);
}

}  // namespace
}  // namespace media::room
