// How videos are fitted to links: server-side adaptation, pauses, figures for the clients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/room/meeting_test_room.hpp"

namespace media::room {
namespace {

using namespace std::chrono_literals;
using test::allocations;
using test::negotiated;
using test::TestRoom;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using Frame = wire::proto::Frame;
namespace proto = wire::proto;

PeerId enter_adaptive(TestRoom& room, const std::string& name, const test::OfferText& offer = {}) {
    const PeerId peer = room.connect(name);
    room.send(peer, test::adaptive_join(7));
    room.send(peer, test::subscribe(offer));
    return peer;
}

proto::VideoSubscriptionConfiguration wish(const std::string& mid, std::uint32_t stream, std::uint32_t priority,
                                           std::uint32_t target) {
    proto::VideoSubscriptionConfiguration configuration;
    configuration.set_mid(mid);
    configuration.set_stream_id(stream);
    configuration.set_priority(priority);
    configuration.set_target_bitrate_kbps(target);
    return configuration;
}

TEST(MeetingAdaptation, ServerHelpsWhoAsksForItAndCanTakeIt) {
    struct Case {
        std::optional<proto::NetworkAdaption> asks;
        std::vector<proto::NetworkAdaption> supports;
        std::optional<proto::NetworkAdaption> answer;
        Adaptation plane;
    };
    constexpr auto kNone = proto::ADAPTION_NONE;
    constexpr auto kProbing = proto::ADAPTION_BANDWIDTH_PROBING;
    constexpr auto kBoth = proto::ADAPTION_BANDWIDTH_PROBING_AND_VIDEO_QUALITY;
    for (const Case& c :
         {Case{std::nullopt, {}, std::nullopt, Adaptation::client},
          Case{proto::ADAPTION_DEFAULT, {}, std::nullopt, Adaptation::client},
          Case{kNone, {kNone, kProbing, kBoth}, std::nullopt, Adaptation::client},
          Case{kBoth, {kNone, kProbing, kBoth}, kBoth, Adaptation::server},
          Case{kProbing, {kNone, kProbing, kBoth}, kBoth, Adaptation::server},
          Case{kProbing, {kProbing}, kProbing, Adaptation::probing}, Case{kBoth, {}, kBoth, Adaptation::server},
          Case{kBoth, {kNone}, std::nullopt, Adaptation::client}}) {
        TestRoom room;
        const PeerId alice = room.connect("alice");
        room.send(alice, c.asks ? test::adaptive_join(1, *c.asks, c.supports) : test::join(1));
        const proto::JoinAck ack = room.last(alice, Frame::JOIN_ACK)->joinack();
        EXPECT_EQ(ack.has_default_server_side_network_adaption(), c.answer.has_value());
        if (c.answer) EXPECT_EQ(ack.default_server_side_network_adaption(), *c.answer);
        room.send(alice, test::subscribe({}));
        EXPECT_EQ(negotiated(room, alice)->downlink.adaptation, c.plane);
    }
}

TEST(MeetingAdaptation, WishesComeWithSubscribeAndChangeWithoutIt) {
    TestRoom room;
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    const PeerId carol = room.enter_heard("carol", test::camera_on(6000));
    const PeerId bob = enter_adaptive(room, "bob");
    const StreamId first = allocations(room, alice).at(0);
    const StreamId second = allocations(room, carol).at(0);
    proto::Frame frame = test::subscribe_frame(test::receiving({{"2", first}, {"3", second}}));
    *frame.mutable_sub()->add_video_subscription_configuration() = wish("2", first, 4'294'967'294, 10'000);
    auto& other = *frame.mutable_sub()->add_video_subscription_configuration();
    other = wish("3", second, 4'294'967'293, 600);
    other.set_quality_adaptation_preference(proto::MAINTAIN_RESOLUTION);
    *frame.mutable_sub()->add_video_subscription_configuration() = wish("99", second, 1, 1);
    room.send(bob, test::message(frame, Frame::SUBSCRIBE));
    const VideoWish most{4'294'967'294, 10'000, QualityPreference::balanced};
    const VideoWish less{4'294'967'293, 600, QualityPreference::maintain_resolution};
    auto lines = negotiated(room, bob)->downlink.subscriptions;
    ASSERT_THAT(lines, SizeIs(2));
    EXPECT_EQ(lines[0].wish, most);
    EXPECT_EQ(lines[1].wish, less);

    room.forget();
    proto::Frame update;
    *update.mutable_remote_video_update()->add_added_or_updated_video_subscriptions() = wish("2", first, 9, 300);
    room.send(bob, test::message(update, Frame::REMOTE_VIDEO_UPDATE));
    ASSERT_THAT(room.all<output::Negotiated>(), SizeIs(1));
    lines = negotiated(room, bob)->downlink.subscriptions;
    EXPECT_EQ(lines[0].wish, (VideoWish{9, 300, QualityPreference::balanced}));
    EXPECT_EQ(lines[1].wish, less) << "untouched";
    room.send(bob, test::message(update, Frame::REMOTE_VIDEO_UPDATE));
    EXPECT_THAT(room.all<output::Negotiated>(), SizeIs(1)) << "nothing new";

    room.send(bob, test::subscribe(test::receiving({{"2", first}, {"3", second}})));
    EXPECT_EQ(negotiated(room, bob)->downlink.subscriptions.at(1).wish, less) << "kept over a negotiation";
    room.send(bob, test::subscribe(test::receiving({{"2", first}, {"3", 0, true}})));
    room.send(bob, test::subscribe(test::receiving({{"2", first}, {"3", second}})));
    EXPECT_FALSE(negotiated(room, bob)->downlink.subscriptions.at(1).wish) << "but not over the end of the line";
}

TEST(MeetingAdaptation, RemovedLinesStopBeforeTheirSubscribe) {
    TestRoom room;
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    const PeerId carol = room.enter_heard("carol", test::camera_on(6000));
    const PeerId bob = enter_adaptive(room, "bob");
    const StreamId first = allocations(room, alice).at(0);
    const StreamId second = allocations(room, carol).at(0);
    room.send(bob, test::subscribe(test::receiving({{"2", first}, {"3", second}})));
    proto::Frame update;
    update.mutable_remote_video_update()->add_removed_video_subscription_mids("3");
    update.mutable_remote_video_update()->add_removed_video_subscription_mids("77");
    room.send(bob, test::message(update, Frame::REMOTE_VIDEO_UPDATE));
    const auto lines = negotiated(room, bob)->downlink.subscriptions;
    ASSERT_THAT(lines, SizeIs(1));
    EXPECT_EQ(lines[0].mid, "2");
}

TEST(MeetingAdaptation, WishesOfClientsThatAdaptThemselvesDoNotReachThePlane) {
    TestRoom room;
    const PeerId alice = room.enter_heard("alice", test::camera_on(5000));
    const StreamId stream = allocations(room, alice).at(0);
    const PeerId bob = room.enter("bob");
    proto::Frame frame = test::subscribe_frame(test::receiving({{"2", stream}}));
    *frame.mutable_sub()->add_video_subscription_configuration() = wish("2", stream, 5, 500);
    room.send(bob, test::message(frame, Frame::SUBSCRIBE));
    EXPECT_FALSE(negotiated(room, bob)->downlink.subscriptions.at(0).wish);
}

TEST(MeetingAdaptation, LayerIsSwitchedByNameOrByGroup) {
    TestRoom room;
    const PeerId alice = room.enter_heard("alice", test::simulcast(300, 0, 1200));
    const PeerId bob = room.connect("bob");
    const auto ids = allocations(room, alice);
    room.send(bob, test::join(1));
    room.send(bob, test::subscribe({}));
    room.pass(1s, {.streams = {{ids[0], 200'000, true}, {ids[2], 900'000, true}}});
    room.send(bob, test::subscribe(test::receiving({{"2", ids[2]}})));
    const std::uint32_t ssrc = negotiated(room, bob)->downlink.subscriptions.at(0).ssrc;
    proto::Frame update;
    auto& line = *update.mutable_remote_video_update()->add_added_or_updated_video_subscriptions();
    line.set_mid("2");
    line.set_stream_id(ids[0]);
    room.send(bob, test::message(update, Frame::REMOTE_VIDEO_UPDATE));
    EXPECT_EQ(negotiated(room, bob)->downlink.subscriptions.at(0).stream_id, ids[0]);
    EXPECT_EQ(negotiated(room, bob)->downlink.subscriptions.at(0).ssrc, ssrc);
    line.set_stream_id(ids[1]);
    room.send(bob, test::message(update, Frame::REMOTE_VIDEO_UPDATE));
    EXPECT_EQ(negotiated(room, bob)->downlink.subscriptions.at(0).stream_id, ids[0]) << "that layer is off";

    const GroupId group = test::index_of(room, bob).sources(0).group_id();
    const PeerId carol = room.enter_heard("carol", test::camera_on(6000));
    line.set_stream_id(allocations(room, carol).at(0));
    room.send(bob, test::message(update, Frame::REMOTE_VIDEO_UPDATE));
    line.clear_stream_id();
    line.set_group_id(group);
    room.send(bob, test::message(update, Frame::REMOTE_VIDEO_UPDATE));
    EXPECT_EQ(negotiated(room, bob)->downlink.subscriptions.at(0).stream_id, ids[2]) << "the best of the group";
}

TEST(MeetingAdaptation, ClientsPauseOutlivesASwitchOfTheLayer) {
    TestRoom room;
    const PeerId alice = room.enter_heard("alice", test::simulcast(300, 0, 1200));
    const auto ids = allocations(room, alice);
    const PeerId bob = room.enter_heard("bob");
    room.pass(1s, {.streams = {{ids[0], 200'000, true}, {ids[2], 900'000, true}}});
    room.send(bob, test::subscribe(test::receiving({{"2", ids[2]}})));
    room.forget();
    proto::Frame pause;
    pause.mutable_pause()->add_stream_ids(ids[2]);
    room.send(bob, test::message(pause, Frame::PAUSE));
    proto::Frame update;
    auto& line = *update.mutable_remote_video_update()->add_added_or_updated_video_subscriptions();
    line.set_mid("2");
    line.set_stream_id(ids[0]);
    room.send(bob, test::message(update, Frame::REMOTE_VIDEO_UPDATE));
    pause.mutable_pause()->set_stream_ids(0, ids[0]);
    room.send(bob, test::message(pause, Frame::RESUME));
    const auto told = room.all<output::Pause>();
    ASSERT_THAT(told, SizeIs(2));
    EXPECT_EQ(told[0].stream, ids[2]);
    EXPECT_TRUE(told[0].paused);
    EXPECT_EQ(told[1].stream, ids[0]);
    EXPECT_FALSE(told[1].paused);
}

TEST(MeetingAdaptation, ServersPausesGoToTheirReceiverByGroup) {
    TestRoom room;
    const PeerId alice = room.enter("alice", test::camera_on(5000));
    const PeerId bob = enter_adaptive(room, "bob");
    room.forget();
    room.pass(400ms, {.pauses = {{bob, 11, true}, {bob, 12, true}, {bob, 10, false}, {999, 11, true}}});
    ASSERT_EQ(room.count(bob, Frame::PAUSE), 1U);
    ASSERT_EQ(room.count(bob, Frame::RESUME), 1U);
    EXPECT_THAT(room.last(bob, Frame::PAUSE)->pause().group_ids(), ElementsAre(11, 12));
    EXPECT_THAT(room.last(bob, Frame::RESUME)->pause().group_ids(), ElementsAre(10));
    EXPECT_EQ(room.count(alice, Frame::PAUSE), 0U);
}

TEST(MeetingAdaptation, BitratesComeEveryFourSeconds) {
    TestRoom room;
    const PeerId alice = room.enter_heard("alice", test::simulcast(300, 0, 1200));
    const auto ids = allocations(room, alice);
    const PeerId bob = enter_adaptive(room, "bob");
    const PeerId carol = room.enter_heard("carol");
    const PeerId share = room.enter_heard("carol#content", test::camera_on(7000));
    const StreamId shared = allocations(room, share).at(0);
    room.pass(1s, {.streams = {{ids[0], 250'000, true}, {ids[2], 900'000, true}}});
    room.forget();
    room.pass(8s, {.links = {{bob, 700, 2}, {carol, 800, 2}},
                   .streams = {{ids[0], 250'000, true}, {ids[2], 900'000, true}, {shared, 40'000, true}}});
    EXPECT_EQ(room.count(bob, Frame::BITRATES), 2U);
    EXPECT_EQ(room.count(share, Frame::BITRATES), 0U);
    const proto::Bitrates figures = room.last(bob, Frame::BITRATES)->bitrates();
    std::map<std::uint32_t, std::uint32_t> rates;
    for (const auto& entry : figures.bitrates()) rates[entry.source_stream_id()] = entry.avg_bitrate_bps();
    EXPECT_EQ(rates, (std::map<std::uint32_t, std::uint32_t>{{ids[0], 250'000}, {ids[2], 900'000}, {shared, 40'000}}));
    EXPECT_EQ(figures.server_available_outgoing_bitrate(), 700U);
    EXPECT_FALSE(room.last(carol, Frame::BITRATES)->bitrates().has_server_available_outgoing_bitrate())
        << "it has an estimate of its own";
}

TEST(MeetingAdaptation, NoBitratesWithoutSourcesAndNoFigureWithoutMeasurement) {
    TestRoom room;
    const PeerId bob = enter_adaptive(room, "bob");
    room.pass(5s, {.links = {{bob, 700, 2}}});
    EXPECT_EQ(room.count(bob, Frame::BITRATES), 0U);
    room.enter_heard("alice", test::camera_on(5000));
    room.pass(5s, {.links = {{bob, 0, 2}}});
    ASSERT_GE(room.count(bob, Frame::BITRATES), 1U);
    EXPECT_FALSE(room.last(bob, Frame::BITRATES)->bitrates().has_server_available_outgoing_bitrate());
}

TEST(MeetingAdaptation, EverybodyWithAWeakSignalIsListed) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const PeerId carol = room.enter("carol");
    const auto id = [&](const std::string& name) { return room.meeting.roster().find(name)->audio_stream_id; };
    room.pass(200ms, {.levels = {{alice, 30}}, .links = {{alice, 900, 2}, {bob, 200, 1}, {carol, 0, 0}}});
    const auto states = room.last(alice, Frame::AUDIO_METADATA)->audio_metadata().attendee_states();
    std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> seen;
    for (const auto& state : states) seen[state.audio_stream_id()] = {state.volume(), state.signal_strength()};
    using Pair = std::pair<std::uint32_t, std::uint32_t>;
    EXPECT_EQ(seen,
              (std::map<std::uint32_t, Pair>{{id("alice"), {30, 2}}, {id("bob"), {127, 1}}, {id("carol"), {127, 0}}}));
    room.pass(200ms, {.links = {{alice, 900, 2}, {bob, 900, 2}, {carol, 900, 2}}});
    EXPECT_THAT(room.last(alice, Frame::AUDIO_METADATA)->audio_metadata().attendee_states(), SizeIs(1));
    EXPECT_EQ(room.last(alice, Frame::AUDIO_METADATA)->audio_metadata().attendee_states(0).signal_strength(), 2U);
}

TEST(MeetingAdaptation, WhoseConnectionIsLostHasNoSignal) {
    TestRoom room;
    const PeerId alice = room.enter("alice");
    const PeerId bob = room.enter("bob");
    const std::uint32_t id = room.meeting.roster().find("bob")->audio_stream_id;
    room.lose(bob);
    room.pass(6s);
    const auto states = room.last(alice, Frame::AUDIO_METADATA)->audio_metadata().attendee_states();
    ASSERT_THAT(states, SizeIs(1));
    EXPECT_EQ(states[0].audio_stream_id(), id);
    EXPECT_EQ(states[0].signal_strength(), 0U);
}

}  // namespace
}  // namespace media::room
