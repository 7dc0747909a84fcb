// Who is let in, with which relay, and how the news of many are told.
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
using Frame = wire::proto::Frame;
namespace proto = wire::proto;

MeetingSettings small_meeting() {
    MeetingSettings settings = test::test_settings();
    settings.max_attendees = 2;
    return settings;
}

std::uint32_t refused(const TestRoom& room, PeerId peer) {
    const auto ack = room.last(peer, Frame::JOIN_ACK);
    return ack ? ack->error().status() : 0;
}

TEST(MeetingPresence, FullMeetingTakesNobodyIn) {
    TestRoom room(small_meeting());
    const PeerId alice = room.enter("alice");
    room.enter("alice#content", test::camera_on(1));
    const PeerId bob = room.connect("bob");
    room.send(bob, test::join(1));
    EXPECT_EQ(refused(room, bob), 0U) << "a share is no attendee";
    const PeerId carol = room.connect("carol");
    room.send(carol, test::join(1));
    EXPECT_EQ(refused(room, carol), 409U) << "somebody who is joining counts already";
    EXPECT_EQ(room.count(carol, Frame::INDEX), 0U);
    room.pass(1s);
    EXPECT_EQ(room.closed(carol), close_code::kBadRequest);

    const PeerId again = room.connect("alice");
    room.send(again, test::join(7));
    EXPECT_EQ(refused(room, again), 0U) << "comes back to its own place";
    room.send(bob, test::subscribe({}));
    room.send(bob, test::leave());
    const PeerId dave = room.connect("dave");
    room.send(dave, test::join(1));
    EXPECT_EQ(refused(room, dave), 0U);
    EXPECT_TRUE(room.closed(alice));
}

TEST(MeetingPresence, ConnectionsAreBounded) {
    MeetingSettings settings = test::test_settings();
    settings.max_attendees = 1000;
    TestRoom room(settings);
    std::size_t turned_away = 0;
    for (int i = 0; i < 1000; ++i) {
        const PeerId peer = room.connect("a" + std::to_string(i));
        turned_away += room.closed(peer) == close_code::kReconnect ? 1 : 0;
        room.forget();
    }
    EXPECT_EQ(room.meeting.connections(), kMaxConnections);
    EXPECT_EQ(turned_away, 1000 - kMaxConnections);
    room.pass(21s);
    EXPECT_EQ(room.meeting.connections(), 0U) << "none of them ever joined";
}

TEST(MeetingPresence, ReconnectBringsCameraAndVideosInOneNegotiation) {
    TestRoom room;
    const PeerId bob = room.enter_heard("bob", test::camera_on(5000));
    const StreamId stream = allocations(room, bob).at(0);
    const PeerId old = room.enter("alice", test::camera_on(6000), 9);
    room.lose(old);
    const PeerId fresh = room.connect("alice");
    room.send(fresh, test::join(9));
    EXPECT_THAT(listed(room, fresh), ElementsAre(stream)) << "the INDEX after JOIN is matched with the SUBSCRIBE";
    test::OfferText offer = test::camera_on(7000);
    offer.receive = {{"2", stream}};
    room.send(fresh, test::subscribe(offer));
    const auto plane = test::negotiated(room, fresh);
    EXPECT_EQ(plane->uplink.videos.at(0).ssrc, 7000U);
    EXPECT_EQ(plane->downlink.subscriptions.at(0).stream_id, stream);
    EXPECT_EQ(room.last(fresh, Frame::SUBSCRIBE_ACK)->suback().tracks_size(), 1);
}

TEST(MeetingPresence, CamerasAreCountedWithoutShares) {
    TestRoom room;
    for (std::size_t i = 0; i + 1 < kMaxPublishers; ++i) room.enter("a" + std::to_string(i), test::camera_on(5000));
    room.enter("a0#content", test::camera_on(1));
    const PeerId last = room.enter_heard("last", test::camera_on(5000));
    EXPECT_FALSE(room.last(last, Frame::SUBSCRIBE_ACK)->has_error());
    const PeerId late = room.enter_heard("late");
    EXPECT_TRUE(test::index_of(room, late).at_capacity());
    EXPECT_FALSE(test::index_of(room, last).at_capacity()) << "its own camera is on";
    const PeerId share = room.enter_heard("late#content", test::camera_on(1));
    EXPECT_FALSE(room.last(share, Frame::SUBSCRIBE_ACK)->has_error());
    room.send(last, test::subscribe({}));
    EXPECT_FALSE(test::index_of(room, late).at_capacity());
}

TEST(MeetingPresence, StormOfChangesIsGathered) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    room.pass(5s);
    room.forget();
    for (int i = 0; i < 30; ++i) {
        room.send(bob, test::subscribe(test::camera_on(5000)));
        room.send(bob, test::subscribe({}));
    }
    const std::size_t at_once = room.count(alice, Frame::INDEX);
    EXPECT_LE(at_once, 40U);
    EXPECT_GE(at_once, 30U);
    room.pass(200ms);
    EXPECT_THAT(listed(room, alice), IsEmpty()) << "the last word is told";
    EXPECT_EQ(test::index_of(room, alice).num_participants(), 2U);
}

TEST(MeetingPresence, EverybodyOfTheSameViewIsToldTheSame) {
    TestRoom room;
    std::vector<PeerId> viewers;
    viewers.reserve(5);
    for (int i = 0; i < 5; ++i) viewers.push_back(room.enter("v" + std::to_string(i)));
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    const PeerId bob = room.enter_heard("bob", test::camera_on(6000));
    const StreamId first = allocations(room, alice).at(0);
    const StreamId second = allocations(room, bob).at(0);
    for (const PeerId viewer : viewers) EXPECT_THAT(listed(room, viewer), ElementsAre(first, second));
    EXPECT_THAT(listed(room, alice), ElementsAre(second));
    EXPECT_THAT(listed(room, bob), ElementsAre(first));
}

TurnCredentials relay(bool at_once) {
    return {{"turn:192.0.2.9:3478?transport=udp"}, "1234:abcd", "secret", 3600s, at_once};
}

int uris(const TestRoom& room, PeerId peer) {
    return room.last(peer, Frame::JOIN_ACK)->joinack().turn_credentials().uris_size();
}

TEST(MeetingRelay, WhoAsksForItGetsIt) {
    TestRoom room;
    room.turn = relay(true);
    const PeerId alice = room.connect("alice");
    room.send(alice, test::join(1));
    const proto::TurnCredentials given = room.last(alice, Frame::JOIN_ACK)->joinack().turn_credentials();
    EXPECT_THAT(given.uris(), ElementsAre("turn:192.0.2.9:3478?transport=udp"));
    EXPECT_EQ(given.username(), "1234:abcd");
    EXPECT_EQ(given.password(), "secret");
    EXPECT_EQ(given.ttl(), 3600U);
}

TEST(MeetingRelay, WhoseChecksNeverCameThroughGetsItNextTime) {
    TestRoom room;
    room.turn = relay(false);
    const PeerId alice = room.enter_heard("alice");
    EXPECT_EQ(uris(room, alice), 0);
    EXPECT_THAT(room.last(alice, Frame::JOIN_ACK)->joinack().turn_credentials().password(), IsEmpty());
    room.pass(15s);
    const PeerId again = room.enter_heard("alice");
    EXPECT_EQ(uris(room, again), 1) << "the client came again by itself";
    room.meeting.media_reached(again);
    const PeerId share = room.enter_heard("alice#content", test::camera_on(1));
    EXPECT_EQ(uris(room, share), 1) << "the same network";
    room.lose(again);
    EXPECT_EQ(uris(room, room.enter_heard("alice")), 1) << "and it is still the same";
    const PeerId bob = room.enter_heard("bob");
    EXPECT_EQ(uris(room, bob), 0) << "but nobody else's";
}

TEST(MeetingRelay, LostSocketOfAnUnreachedClientCountsToo) {
    TestRoom room;
    room.turn = relay(false);
    const PeerId alice = room.enter_heard("alice");
    room.pass(15s);
    room.lose(alice);
    room.pass(1s);
    const PeerId again = room.enter_heard("alice");
    EXPECT_EQ(uris(room, again), 1);
    room.send(again, test::leave());
    EXPECT_EQ(uris(room, room.enter_heard("alice")), 0) << "forgotten with the attendee";
}

TEST(MeetingRelay, WhoWasReachedOrHadNoTimeGetsNone) {
    TestRoom room;
    room.turn = relay(false);
    const PeerId alice = room.enter_heard("alice");
    room.meeting.media_reached(alice);
    room.pass(15s);
    room.lose(alice);
    EXPECT_EQ(uris(room, room.enter_heard("alice")), 0);
    const PeerId bob = room.enter_heard("bob");
    room.pass(2s);
    room.lose(bob);
    EXPECT_EQ(uris(room, room.enter_heard("bob")), 0);
    const PeerId never = room.connect("carol");
    room.send(never, test::join(1));
    room.pass(15s);
    room.lose(never);
    EXPECT_EQ(uris(room, room.enter_heard("carol")), 0) << "it was never told where we are";
}

}  // namespace
}  // namespace media::room
