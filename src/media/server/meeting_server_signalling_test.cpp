// Signalling as a browser meets it: over real WebSockets, with the packet plane behind it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "media/room/meeting.hpp"
#include "media/server/meeting_server.hpp"
#include "media/server/meeting_server_test_client.hpp"

namespace media::server {
namespace {

using namespace std::chrono_literals;
using core::Flow;
using test::FrontDoor;
using test::MeetingClient;
using test::RecordingObserver;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace proto = wire::proto;

class MeetingServerSignalling : public testing::Test {
  protected:
    explicit MeetingServerSignalling(Settings::Turn turn = {}) {
        Settings settings;
        settings.port = 0;
        settings.gone_after = std::chrono::seconds(1);
        settings.turn = std::move(turn);
        auto started = MeetingServer::start(settings, observer_);
        EXPECT_TRUE(started) << started.error().detail;
        server_ = std::move(*started);
        door_ = std::make_unique<FrontDoor>(*server_);
    }
    ~MeetingServerSignalling() override {
        server_->stop();
        server_.reset();
    }
    static Participant participant(const std::string& name) {
        Participant who;
        const auto mark = name.find("#content");
        who.meeting_id = "meeting-1";
        who.attendee_id = name.substr(0, mark);
        who.external_user_id = "user-of-" + who.attendee_id;
        who.content = mark != std::string::npos;
        return who;
    }
    MeetingClient client(const std::string& name, std::uint64_t session = 1) {
        return client(participant(name), session);
    }
    MeetingClient client(Participant who, std::uint64_t session = 1) {
        return MeetingClient(door_->connect(std::move(who)), session);
    }
    /// The INDEX that lists so many sources.
    static std::optional<proto::Index> index_of(MeetingClient& client, int sources) {
        const auto frame = client.socket->next_where(proto::Frame::INDEX, [&](const proto::Frame& candidate) {
            return candidate.index().sources_size() == sources;
        });
        return frame ? std::optional(frame->index()) : std::nullopt;
    }

    RecordingObserver observer_;
    test::ControlPlane control_;
    std::unique_ptr<MeetingServer> server_;
    std::unique_ptr<FrontDoor> door_;
};

/// A VP8 packet of a simulcast layer: rid in a one-byte header extension (RFC 8285), id 10 as in the offer.
core::Bytes layer_packet(std::uint32_t ssrc, std::uint16_t sequence, const std::string& rid) {
    core::Bytes packet = test::vp8_key_packet(ssrc, sequence, 96);
    core::Bytes extension = {0xbe, 0xde, 0, 1, static_cast<std::uint8_t>(0xa0 | (rid.size() - 1))};
    extension.insert(extension.end(), rid.begin(), rid.end());
    extension.resize(8);
    packet[0] |= 0x10;
    packet.insert(packet.begin() + 12, extension.begin(), extension.end());
    return packet;
}

TEST_F(MeetingServerSignalling, SimulcastLayersAreListedAsTheyFlow) {
    auto bob = client("bob");
    bob.join();
    bob.negotiate();
    auto alice = client("alice");
    alice.join();
    alice.offer.layers = {300, 0, 1200};
    alice.negotiate();
    alice.connect_media("127.0.0.1");
    ASSERT_EQ(alice.ack->suback().allocations_size(), 3);
    const std::uint32_t low = alice.ack->suback().allocations(0).stream_id();
    const std::uint32_t hi = alice.ack->suback().allocations(2).stream_id();
    const auto first = index_of(bob, 1);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->sources(0).stream_id(), low);

    std::uint16_t sequence = 100;
    bool listed = false;
    const auto deadline = std::chrono::steady_clock::now() + test::kPatience;
    while (!listed && std::chrono::steady_clock::now() < deadline) {
        alice.send_rtp(layer_packet(7001, sequence, "low"));
        alice.send_rtp(layer_packet(7003, sequence, "hi"));
        ++sequence;
        alice.pump_for(20ms);
        const auto index = bob.socket->poll(proto::Frame::INDEX);
        if (!index || index->index().sources_size() != 2) continue;
        listed = true;
        EXPECT_EQ(index->index().sources(0).stream_id(), low);
        EXPECT_EQ(index->index().sources(1).stream_id(), hi);
        EXPECT_EQ(index->index().sources(0).group_id(), index->index().sources(1).group_id());
    }
    EXPECT_TRUE(listed);
}

TEST_F(MeetingServerSignalling, AdaptiveClientIsTakenAtItsWord) {
    auto alice = client("alice");
    alice.join();
    alice.offer.video_ssrc = 2001;
    alice.negotiate();
    const std::uint32_t stream = alice.ack->suback().allocations(0).stream_id();
    auto bob = client("bob");
    bob.socket->push(room::test::adaptive_join(1));
    const auto ack = bob.socket->next(proto::Frame::JOIN_ACK);
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->joinack().default_server_side_network_adaption(),
              proto::ADAPTION_BANDWIDTH_PROBING_AND_VIDEO_QUALITY);
    bob.offer.receive = {{"2", stream}};
    bob.negotiate();
    bob.connect_media("127.0.0.1");
    const auto bitrates = bob.socket->next(proto::Frame::BITRATES);
    ASSERT_TRUE(bitrates);
    ASSERT_EQ(bitrates->bitrates().bitrates_size(), 1);
    EXPECT_EQ(bitrates->bitrates().bitrates(0).source_stream_id(), stream);
    proto::Frame update;
    update.mutable_remote_video_update()->add_removed_video_subscription_mids("2");
    bob.socket->push(room::test::message(update, proto::Frame::REMOTE_VIDEO_UPDATE));
    bob.offer.receive = {{"2", 0, true}};
    bob.negotiate();
    EXPECT_THAT(bob.ack->suback().tracks(), IsEmpty());
}

TEST_F(MeetingServerSignalling, RightsAreTakenAwayAtOnce) {
    auto alice = client("alice");
    alice.join();
    alice.offer.video_ssrc = 2001;
    alice.negotiate();
    auto share = client("alice#content");
    share.join();
    share.offer.video_ssrc = 3001;
    share.negotiate();
    auto bob = client("bob");
    bob.join();
    bob.negotiate();
    ASSERT_TRUE(bob.index);
    EXPECT_EQ(bob.index->index().sources_size(), 2);
    EXPECT_TRUE(observer_.saw({"video", "meeting-1", "alice"}));
    EXPECT_TRUE(observer_.saw({"share", "meeting-1", "alice"}));
    EXPECT_TRUE(observer_.saw({"share video", "meeting-1", "alice"}));

    server_->set_capabilities("meeting-1", "alice", {Flow::both, Flow::receive, Flow::receive});
    EXPECT_TRUE(index_of(bob, 0));
    const auto told = alice.socket->next_where(proto::Frame::AUDIO_STATUS, [](const auto&) { return true; });
    ASSERT_TRUE(told);
    EXPECT_EQ(told->error().status(), 206U);
    const auto out = share.socket->next(proto::Frame::AUDIO_STATUS);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->audio_status().audio_status(), 403U);
    EXPECT_EQ(share.socket->closed(), 4400);
    EXPECT_FALSE(alice.socket->is_closed());
    EXPECT_TRUE(observer_.saw({"video gone", "meeting-1", "alice"}));
    EXPECT_TRUE(observer_.saw({"share gone", "meeting-1", "alice"}));
    auto again = participant("alice#content");
    again.capabilities = {Flow::both, Flow::receive, Flow::receive};
    auto refused = client(again);
    refused.socket->push(room::test::join(1));
    const auto ack = refused.socket->next(proto::Frame::JOIN_ACK);
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->error().status(), 403U);
}

TEST_F(MeetingServerSignalling, FullMeetingRefusesAndOtherDevicesTakeOver) {
    auto who = participant("alice");
    who.max_attendees = 1;
    auto alice = client(who, 1);
    alice.join();
    alice.negotiate();
    auto bob = client("bob");
    bob.socket->push(room::test::join(1));
    const auto refused = bob.socket->next(proto::Frame::JOIN_ACK);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->error().status(), 409U);
    EXPECT_EQ(bob.socket->closed(), 4400);

    auto phone = client(who, 2);
    phone.join();
    const auto elsewhere = alice.socket->next(proto::Frame::AUDIO_STATUS);
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(elsewhere->audio_status().audio_status(), 301U);
    phone.negotiate();
    alice.socket->push(room::test::leave());
    EXPECT_TRUE(alice.socket->next(proto::Frame::LEAVE_ACK));
    EXPECT_EQ(alice.socket->closed(), 1000);

    auto reconnected = client(who, 2);
    reconnected.join();
    EXPECT_EQ(phone.socket->closed(), 0) << "the same page: its old connection goes silently";
    reconnected.negotiate();
    EXPECT_FALSE(observer_.has({"gone", "meeting-1", "alice"}));
}

TEST_F(MeetingServerSignalling, MessagesAndTranscriptsArrive) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    proto::Frame frame;
    auto& message = *frame.mutable_data_message()->add_messages();
    message.set_topic("chat");
    message.set_data("for later");
    message.set_lifetime_ms(60'000);
    alice.socket->push(room::test::message(frame, proto::Frame::DATA_MESSAGE));
    auto bob = client("bob");
    bob.join();
    bob.negotiate();
    const auto replayed = bob.socket->next(proto::Frame::DATA_MESSAGE);
    ASSERT_TRUE(replayed);
    EXPECT_EQ(replayed->data_message().messages(0).data(), "for later");
    EXPECT_EQ(replayed->data_message().messages(0).sender_external_user_id(), "user-of-alice");
    server_->send_transcript("meeting-1", "words");
    const auto transcript = alice.socket->next(proto::Frame::DATA_MESSAGE);
    ASSERT_TRUE(transcript);
    EXPECT_EQ(transcript->data_message().messages(0).topic(), "aws:chime:transcription");
}

TEST_F(MeetingServerSignalling, ReleasedMeetingIsNotAnEndedOne) {
    EXPECT_EQ(server_->meetings(), 0U);
    auto alice = client("alice", 5);
    alice.join();
    alice.negotiate();
    alice.connect_media("127.0.0.1");
    auto other = participant("carol");
    other.meeting_id = "meeting-2";
    auto carol = client(other);
    carol.join();
    EXPECT_EQ(server_->meetings(), 2U);
    server_->release_meeting("meeting-1");
    EXPECT_EQ(alice.socket->closed(), 4500);
    EXPECT_FALSE(carol.socket->is_closed());
    auto again = client("alice", 5);
    again.join();
    again.negotiate();
    EXPECT_FALSE(observer_.has({"gone", "meeting-1", "alice"}));
    server_->release_meeting("meeting-1");
    EXPECT_EQ(again.socket->closed(), 4500);
    server_->release_meeting("no-such-meeting");
    carol.socket->push(room::test::leave());
    EXPECT_TRUE(carol.socket->next(proto::Frame::LEAVE_ACK));
    EXPECT_TRUE(carol.socket->closed());
    const auto deadline = std::chrono::steady_clock::now() + test::kPatience;
    while (server_->meetings() != 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(server_->meetings(), 0U);
    EXPECT_THAT(control_.connected(*server_), IsEmpty());
}

TEST_F(MeetingServerSignalling, ThousandsOfIdleConnectionsLeaveACallAlone) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    alice.connect_media("127.0.0.1");
    std::vector<std::shared_ptr<test::FakeSocket>> idle;
    constexpr std::size_t kIdle = 10'000;
    idle.reserve(kIdle);
    for (std::size_t i = 0; i < kIdle; ++i) {
        auto who = participant("idle-" + std::to_string(i));
        who.meeting_id = i % 2 == 0 ? "meeting-1" : "meeting-" + std::to_string(i % 100);
        idle.push_back(control_.connect(*server_, std::move(who)));
    }
    // Who comes last through the same control plane comes after everybody.
    const auto bob = control_.connect(*server_, participant("bob"));
    EXPECT_EQ(bob->closed(), 4500) << "no more than a meeting carries";
    std::size_t turned_away = 0;
    for (const auto& socket : idle) turned_away += socket->is_closed() ? 1 : 0;
    EXPECT_GE(turned_away, kIdle / 2 - room::kMaxConnections);
    EXPECT_FALSE(alice.socket->is_closed());
    const std::size_t before = alice.rtp.size();
    EXPECT_TRUE(alice.pump([&] { return alice.rtp.size() > before + 50; })) << "audio goes on";
    for (const auto& socket : idle) socket->hang_up();
}

class MeetingServerRelay : public MeetingServerSignalling {
  protected:
    MeetingServerRelay() : MeetingServerSignalling({{"turn:192.0.2.9:3478?transport=udp"}, "shared secret", 3600s}) {}
};

TEST_F(MeetingServerRelay, IsGivenToWhomAsksForIt) {
    auto plain = client("alice");
    plain.socket->push(room::test::join(1));
    const auto without = plain.socket->next(proto::Frame::JOIN_ACK);
    ASSERT_TRUE(without);
    EXPECT_TRUE(without->joinack().has_turn_credentials());
    EXPECT_THAT(without->joinack().turn_credentials().uris(), IsEmpty());
    EXPECT_THAT(without->joinack().turn_credentials().password(), IsEmpty());

    auto who = participant("bob");
    who.wants_relay = true;
    auto asking = client(who);
    asking.socket->push(room::test::join(1));
    const auto with = asking.socket->next(proto::Frame::JOIN_ACK);
    ASSERT_TRUE(with);
    const proto::TurnCredentials given = with->joinack().turn_credentials();
    EXPECT_THAT(given.uris(), ElementsAre("turn:192.0.2.9:3478?transport=udp"));
    EXPECT_EQ(given.ttl(), 3600U);
    EXPECT_THAT(given.username(), testing::MatchesRegex("[0-9]+:[0-9a-f]+"));
    EXPECT_EQ(given.password(), core::base64(core::hmac_sha1(core::as_bytes(std::string_view("shared secret")),
                                                             core::as_bytes(given.username()))));
}

TEST_F(MeetingServerRelay, IsGivenToWhomNothingElseReaches) {
    auto reached = client("alice", 7);
    reached.join();
    reached.negotiate();
    reached.connect_media("127.0.0.1");
    auto cut_off = client("bob", 7);
    cut_off.join();
    cut_off.negotiate();
    reached.pump_for(5500ms);  // What a client is given to get a check through, and a little more.
    const auto uris = [](MeetingClient& again) {
        again.socket->push(room::test::join(7));
        const auto ack = again.socket->next(proto::Frame::JOIN_ACK);
        return ack ? ack->joinack().turn_credentials().uris_size() : -1;
    };
    auto alice = client("alice", 7);
    EXPECT_EQ(uris(alice), 0);
    auto bob = client("bob", 7);
    EXPECT_EQ(uris(bob), 1);
}

}  // namespace
}  // namespace media::server
