// Data messages and transcripts of a meeting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/room/meeting_test_room.hpp"

namespace media::room {
namespace {

using namespace std::chrono_literals;
using test::TestRoom;
using ::testing::SizeIs;
using Frame = wire::proto::Frame;
namespace proto = wire::proto;

std::string data_message(const std::string& topic, const std::string& data, std::uint32_t lifetime_ms = 0) {
    proto::Frame frame;
    auto& message = *frame.mutable_data_message()->add_messages();
    message.set_topic(topic);
    message.set_data(data);
    if (lifetime_ms != 0) message.set_lifetime_ms(lifetime_ms);
    return test::message(frame, Frame::DATA_MESSAGE);
}

TEST(MeetingMessages, DataMessagesGoToTheOthersStamped) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const PeerId share = room.enter("bob#content", test::camera_on(1));
    room.send(alice, data_message("chat", "hello bob"));
    room.send(alice, data_message("chat", "again"));
    EXPECT_EQ(room.count(alice, Frame::DATA_MESSAGE), 0U);
    EXPECT_EQ(room.count(share, Frame::DATA_MESSAGE), 0U);
    const auto got = room.frames(bob, Frame::DATA_MESSAGE);
    ASSERT_THAT(got, SizeIs(2));
    const proto::DataMessage first = got[0].data_message().messages(0);
    EXPECT_EQ(first.topic(), "chat");
    EXPECT_EQ(first.data(), "hello bob");
    EXPECT_EQ(first.sender_attendee_id(), "alice");
    EXPECT_EQ(first.sender_external_user_id(), "user-alice");
    EXPECT_EQ(first.ingest_time_ns(), room.now.wall.time_since_epoch() / 1ns);
    EXPECT_GT(got[1].data_message().messages(0).ingest_time_ns(), first.ingest_time_ns());
}

TEST(MeetingMessages, DataMessagesThatBreakTheRulesAreDropped) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    room.send(alice, data_message("", "x"));
    room.send(alice, data_message("a topic", "x"));
    room.send(alice, data_message(std::string(37, 'a'), "x"));
    room.send(alice, data_message("aws:chime:transcription", "x"));
    room.send(alice, data_message("chat", std::string(2049, 'x')));
    EXPECT_EQ(room.count(bob, Frame::DATA_MESSAGE), 0U);
    room.send(alice, data_message("chat", std::string(2048, 'x')));
    EXPECT_EQ(room.count(bob, Frame::DATA_MESSAGE), 1U);
}

TEST(MeetingMessages, TooManyInTheMeetingComeBackThrottled) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const PeerId carol = room.enter("carol");
    for (int i = 0; i < 150; ++i) room.send(alice, data_message("chat", "a"));
    for (int i = 0; i < 100; ++i) room.send(bob, data_message("chat", "b"));
    EXPECT_EQ(room.count(carol, Frame::DATA_MESSAGE), 200U);
    EXPECT_EQ(room.count(alice, Frame::DATA_MESSAGE), 50U) << "none of its own";
    const auto back = room.last(bob, Frame::DATA_MESSAGE)->data_message();
    ASSERT_THAT(back.messages(), SizeIs(1));
    EXPECT_EQ(back.messages(0).data(), "b");
    EXPECT_EQ(back.messages(0).ingest_time_ns(), 0);
    room.forget();
    room.pass(1s);
    for (int i = 0; i < 120; ++i) room.send(alice, data_message("chat", "a"));
    EXPECT_EQ(room.count(carol, Frame::DATA_MESSAGE), 100U) << "a hundred a second";
    EXPECT_FALSE(room.closed(alice));
    EXPECT_FALSE(room.closed(bob));
}

TEST(MeetingMessages, SteadySenderWithinTheSoftLimitIsNeverPutOut) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    for (int second = 0; second < 30; ++second) {
        for (int i = 0; i < 95; ++i) room.send(alice, data_message("chat", "a"));
        room.pass(1s);
    }
    EXPECT_FALSE(room.closed(alice));
    EXPECT_EQ(room.count(bob, Frame::DATA_MESSAGE), 30U * 95U);
}

TEST(MeetingMessages, FloodOfOneEndsItsConnection) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    for (int i = 0; i < 2000; ++i) room.send(alice, data_message("chat", "a"));
    EXPECT_FALSE(room.closed(alice));
    room.send(alice, data_message("chat", "a"));
    EXPECT_EQ(room.closed(alice), close_code::kBadRequest);
    EXPECT_FALSE(room.closed(bob));
    proto::Frame empty;
    empty.mutable_data_message();
    for (int i = 0; i < 2001; ++i) room.send(bob, test::message(empty, Frame::DATA_MESSAGE));
    EXPECT_EQ(room.closed(bob), close_code::kBadRequest) << "frames without messages count as well";
}

TEST(MeetingMessages, FloodOfManyEndsTheConnectionThatOverflows) {
    TestRoom room;
    std::vector<PeerId> people;
    people.reserve(6);
    for (int i = 0; i < 6; ++i) people.push_back(room.enter("a" + std::to_string(i)));
    for (const PeerId peer : people) {
        for (int i = 0; i < 1900; ++i) room.send(peer, data_message("chat", "a"));
    }
    const auto out = std::ranges::count_if(people, [&](PeerId peer) { return room.closed(peer).has_value(); });
    EXPECT_EQ(out, 1) << "10,000 are what a meeting takes at once";
    EXPECT_TRUE(room.closed(people.back()));
}

TEST(MeetingMessages, MessagesWithALifetimeWaitForLaterJoiners) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    room.send(alice, data_message("chat", "short", 1000));
    room.send(alice, data_message("chat", "long", 3'600'000));
    room.send(alice, data_message("chat", "now"));
    room.pass(2s);
    const PeerId bob = room.connect("bob");
    room.send(bob, test::join(1));
    EXPECT_EQ(room.count(bob, Frame::DATA_MESSAGE), 0U);
    room.send(bob, test::subscribe({}));
    ASSERT_EQ(room.count(bob, Frame::DATA_MESSAGE), 1U);
    const auto replayed = room.last(bob, Frame::DATA_MESSAGE)->data_message();
    ASSERT_THAT(replayed.messages(), SizeIs(1));
    EXPECT_EQ(replayed.messages(0).data(), "long");
    room.pass_alive(5min, {alice, bob});
    const PeerId carol = room.connect("carol");
    room.send(carol, test::join(1));
    room.send(carol, test::subscribe({}));
    EXPECT_EQ(room.count(carol, Frame::DATA_MESSAGE), 0U) << "five minutes are the longest";
}

TEST(MeetingMessages, ReconnectingClientsGetThemAgainSendersDoNot) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob", {}, 5);
    room.send(alice, data_message("chat", "kept", 60'000));
    room.lose(bob);
    room.send(alice, data_message("chat", "missed", 60'000));
    room.forget();
    const PeerId again = room.enter_heard("bob", {}, 5);
    ASSERT_EQ(room.count(again, Frame::DATA_MESSAGE), 1U);
    EXPECT_THAT(room.last(again, Frame::DATA_MESSAGE)->data_message().messages(), SizeIs(2));
    const PeerId back = room.enter_heard("alice", {}, 7);
    EXPECT_EQ(room.count(back, Frame::DATA_MESSAGE), 0U);
    const PeerId share = room.enter_heard("bob#content", test::camera_on(1));
    EXPECT_EQ(room.count(share, Frame::DATA_MESSAGE), 0U);
}

TEST(MeetingMessages, LastThousandAreKept) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const std::string words(400, 'x');
    for (std::size_t i = 0; i < MessageStore::kMaxMessages + 10; ++i) {
        room.pass(50ms);
        room.send(alice, data_message("chat", std::to_string(i) + "." + words, 300'000));
    }
    room.forget();
    const PeerId bob = room.enter_heard("bob");
    std::vector<std::string> got;
    for (const auto& frame : room.frames(bob, Frame::DATA_MESSAGE)) {
        for (const auto& message : frame.data_message().messages()) got.push_back(message.data());
        EXPECT_LT(frame.ByteSizeLong(), 64U * 1024);
    }
    ASSERT_THAT(got, SizeIs(MessageStore::kMaxMessages));
    EXPECT_TRUE(got.front().starts_with("10."));
    EXPECT_TRUE(got.back().starts_with("1033."));
}

TEST(MeetingMessages, ReplayFitsIntoOneConnectionsQueue) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    for (std::size_t i = 0; i < MessageStore::kMaxMessages; ++i) {
        room.pass(50ms);
        room.send(alice, data_message("chat", std::to_string(i % 10) + std::string(2047, 'x'), 300'000));
    }
    room.forget();
    const PeerId bob = room.enter_heard("bob");
    std::size_t bytes = 0;
    for (const auto& frame : room.frames(bob, Frame::DATA_MESSAGE)) bytes += frame.ByteSizeLong();
    EXPECT_GT(bytes, 500'000U);
    EXPECT_LT(bytes, 700'000U);
    EXPECT_EQ(room.last(bob, Frame::DATA_MESSAGE)->data_message().messages().rbegin()->data()[0], '3') << "the latest";
}

TEST(MeetingMessages, TranscriptGoesToEverybodyAsTheClientExpectsIt) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId share = room.enter("alice#content", test::camera_on(1));
    const PeerId joining = room.connect("bob");
    room.transcribe("serialized");
    ASSERT_EQ(room.count(alice, Frame::DATA_MESSAGE), 1U);
    const proto::DataMessage message = room.last(alice, Frame::DATA_MESSAGE)->data_message().messages(0);
    EXPECT_EQ(message.topic(), "aws:chime:transcription");
    EXPECT_EQ(message.data(), "serialized");
    EXPECT_EQ(room.count(share, Frame::DATA_MESSAGE), 0U);
    EXPECT_EQ(room.count(joining, Frame::DATA_MESSAGE), 0U);
}

}  // namespace
}  // namespace media::room
