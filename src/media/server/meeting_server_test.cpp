// The meeting server as its clients meet it: signalling in memory, media over real sockets on this machine.
#include "media/server/meeting_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <sstream>
#include <thread>

#include "media/server/media_vitals.hpp"
#include "media/server/meeting_server_test_client.hpp"

namespace media::server {
namespace {

using test::ControlPlane;
using test::MeetingClient;
using test::RecordingObserver;
using test::ssrc_of;
using test::vp8_key_packet;
namespace proto = wire::proto;

class MeetingServerTest : public testing::Test {
  protected:
    void SetUp() override {
        Settings settings;
        settings.port = 0;
        settings.gone_after = std::chrono::seconds(1);
        auto started = MeetingServer::start(settings, observer_);
        ASSERT_TRUE(started) << started.error().detail;
        server_ = std::move(*started);
    }
    MeetingClient client(const std::string& attendee, std::uint64_t session = 1) {
        return {control_, *server_, {"meeting-1", attendee, "user-of-" + attendee, false}, session};
    }

    RecordingObserver observer_;
    ControlPlane control_;
    std::unique_ptr<MeetingServer> server_;
};

TEST_F(MeetingServerTest, TwoClientsExchangeMedia) {
    auto alice = client("alice");
    auto bob = client("bob");
    alice.join();
    alice.negotiate();
    alice.connect_media("127.0.0.1");
    bob.join();
    bob.negotiate();
    bob.connect_media("127.0.0.1");
    EXPECT_TRUE(observer_.saw({"connected", "meeting-1", "alice"}));
    EXPECT_TRUE(observer_.saw({"connected", "meeting-1", "bob"}));
    EXPECT_THAT(control_.connected(*server_), testing::UnorderedElementsAre("alice", "bob"));

    // Alone or not, everybody is sent audio all the time.
    const std::uint32_t audio_ssrc = bob.answer.media.at(0).ssrcs.at(0);
    EXPECT_TRUE(bob.pump([&] {
        return std::ranges::any_of(bob.rtp, [&](const auto& packet) { return ssrc_of(packet) == audio_ssrc; });
    }));

    alice.offer.video_ssrc = 2001;
    alice.negotiate();
    ASSERT_EQ(alice.ack->suback().allocations_size(), 1);
    std::optional<proto::Frame> index;
    do index = bob.socket->next(proto::Frame::INDEX);
    while (index && index->index().sources().empty());
    ASSERT_TRUE(index);
    const std::uint32_t stream = index->index().sources(0).stream_id();
    EXPECT_EQ(stream, alice.ack->suback().allocations(0).stream_id());
    bob.offer.receive = {{"2", stream}};
    bob.negotiate();
    ASSERT_EQ(bob.ack->suback().tracks_size(), 1);
    const std::uint32_t video_ssrc = bob.ack->suback().tracks(0).ssrc();

    std::uint16_t sequence = 100;
    EXPECT_TRUE(bob.pump([&] {
        alice.send_rtp(vp8_key_packet(2001, sequence++, 96));
        return std::ranges::any_of(bob.rtp, [&](const auto& packet) { return ssrc_of(packet) == video_ssrc; });
    }));
}

TEST_F(MeetingServerTest, TellsWhatItIsAtAndKeepsItsCountsWhenAMeetingIsOver) {
    EXPECT_EQ(server_->vitals().meetings, 0U);
    auto alice = client("alice");
    auto bob = client("bob");
    for (auto* each : {&alice, &bob}) {
        each->join();
        each->negotiate();
        each->connect_media("127.0.0.1");
    }
    const auto comes_to = [&](const std::function<bool(const MediaVitals&)>& wanted) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!wanted(server_->vitals()) && std::chrono::steady_clock::now() < deadline) {
            bob.pump_for(std::chrono::milliseconds(50));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return wanted(server_->vitals());
    };
    EXPECT_TRUE(comes_to([](const MediaVitals& now) {
        return now.meetings == 1 && now.attendees == 2 && now.peers == 2 && now.router.rtp_out > 0 &&
               now.links.dead + now.links.poor + now.links.good == 2;
    }));
    const auto during = server_->vitals();
    EXPECT_GT(during.udp.bytes_received, during.udp.received);
    EXPECT_GT(during.udp.bytes_queued, 0U);
    EXPECT_GT(during.port.delivered, 0U);

    server_->end_meeting("meeting-1");
    EXPECT_TRUE(comes_to([](const MediaVitals& now) { return now.meetings == 0 && now.peers == 0; }));
    EXPECT_GE(server_->vitals().router.rtp_out, during.router.rtp_out);
}

TEST_F(MeetingServerTest, IceTcpCarriesMediaToo) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    alice.connect_media("127.0.0.1", true);
    auto bob = client("bob");
    bob.join();
    bob.negotiate();
    bob.connect_media("127.0.0.1");
    alice.offer.video_ssrc = 2001;
    alice.negotiate();
    bob.offer.receive = {{"2", alice.ack->suback().allocations(0).stream_id()}};
    bob.negotiate();
    const std::uint32_t video_ssrc = bob.ack->suback().tracks(0).ssrc();
    std::uint16_t sequence = 100;
    EXPECT_TRUE(bob.pump([&] {
        alice.send_rtp(vp8_key_packet(2001, sequence++, 96));
        return std::ranges::any_of(bob.rtp, [&](const auto& packet) { return ssrc_of(packet) == video_ssrc; });
    }));
    const std::uint32_t audio_ssrc = alice.answer.media.at(0).ssrcs.at(0);
    EXPECT_TRUE(alice.pump([&] {
        return std::ranges::any_of(alice.rtp, [&](const auto& packet) { return ssrc_of(packet) == audio_ssrc; });
    }));
}

TEST_F(MeetingServerTest, EveryAnnouncedAddressConnects) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    const std::string answer = alice.ack->suback().sdp_answer();
    std::set<std::string> addresses;
    std::istringstream lines(answer);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string foundation, component, protocol, priority, address;
        if (!line.starts_with("a=candidate:")) continue;
        words >> foundation >> component >> protocol >> priority >> address;
        addresses.insert(address);
    }
    EXPECT_TRUE(addresses.contains("127.0.0.1"));
    for (const std::string& address : addresses) {
        SCOPED_TRACE(address);
        auto bob = client("bob-" + address);
        bob.join();
        bob.negotiate();
        bob.connect_media(address);
        const std::uint32_t audio_ssrc = bob.answer.media.at(0).ssrcs.at(0);
        EXPECT_TRUE(bob.pump([&] {
            return std::ranges::any_of(bob.rtp, [&](const auto& packet) { return ssrc_of(packet) == audio_ssrc; });
        }));
    }
}

TEST_F(MeetingServerTest, StrangersAreNotAnswered) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    alice.connect_media("127.0.0.1");
    const auto port = alice.media_port();
    test::MediaSocket stranger("127.0.0.1", port, false);
    const transport::IceCredentials server{alice.answer.media.at(0).ice_ufrag, alice.answer.media.at(0).ice_pwd};
    const transport::IceCredentials other{alice.offer.ufrag, alice.offer.pwd};
    const transport::IceCredentials guess{server.ufrag, "wrongpasswordwrongpassword"};
    const transport::IceCredentials nobody{"nobodyhere", server.password};
    stranger.send(transport::test::Check{.to = guess, .from = other}.bytes());
    stranger.send(transport::test::Check{.to = nobody, .from = other}.bytes());
    stranger.send(transport::test::rtp(1001, 1));
    stranger.send(core::Bytes{22, 254, 253, 0, 0});
    stranger.send(core::Bytes{0xff});
    // The one that knows the password is answered, and only that one.
    auto check = transport::test::Check{.to = server, .from = other}.bytes();
    stranger.send(check);
    std::size_t answers = 0;
    const auto deadline = std::chrono::steady_clock::now() + test::kPatience;
    while (answers == 0 && std::chrono::steady_clock::now() < deadline) {
        stranger.receive(std::chrono::milliseconds(20), [&](auto datagram) {
            const auto message = wire::StunMessage::parse(datagram);
            ASSERT_TRUE(message);
            EXPECT_TRUE(message->is_binding_success());
            ++answers;
        });
    }
    EXPECT_EQ(answers, 1U);
}

TEST_F(MeetingServerTest, LostConnectionIsGoneAfterAWhile) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    EXPECT_TRUE(observer_.saw({"connected", "meeting-1", "alice"}));
    alice.socket->hang_up();
    EXPECT_TRUE(observer_.saw({"gone", "meeting-1", "alice"}));
    EXPECT_TRUE(control_.connected(*server_).empty());
}

TEST_F(MeetingServerTest, ReconnectedClientHasMediaAgain) {
    auto alice = client("alice", 77);
    alice.join();
    alice.negotiate();
    alice.connect_media("127.0.0.1");
    alice.socket->hang_up();
    auto again = client("alice", 77);
    again.join();
    again.negotiate();
    again.connect_media("127.0.0.1");
    const std::uint32_t audio_ssrc = again.answer.media.at(0).ssrcs.at(0);
    EXPECT_TRUE(again.pump([&] {
        return std::ranges::any_of(again.rtp, [&](const auto& packet) { return ssrc_of(packet) == audio_ssrc; });
    }));
    EXPECT_FALSE(observer_.has({"gone", "meeting-1", "alice"}));
}

TEST_F(MeetingServerTest, EndedMeetingTakesNobodyIn) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    server_->end_meeting("meeting-1");
    const auto status = alice.socket->next(proto::Frame::AUDIO_STATUS);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->audio_status().audio_status(), 410U);
    alice.socket->push(room::test::leave());
    EXPECT_TRUE(alice.socket->next(proto::Frame::LEAVE_ACK));
    EXPECT_EQ(alice.socket->closed(), 4410);
    EXPECT_TRUE(observer_.saw({"gone", "meeting-1", "alice"}));
    auto late = client("bob");
    EXPECT_EQ(late.socket->closed(), 4410);
    auto elsewhere = control_.connect(*server_, {"meeting-2", "bob", "user", false});
    elsewhere->push(room::test::join(1));
    EXPECT_TRUE(elsewhere->next(proto::Frame::JOIN_ACK));
}

TEST_F(MeetingServerTest, RemovedAttendeeIsToldSo) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    server_->remove_attendee("meeting-1", "alice");
    const auto status = alice.socket->next(proto::Frame::AUDIO_STATUS);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->audio_status().audio_status(), 411U);
    EXPECT_TRUE(observer_.saw({"gone", "meeting-1", "alice"}));
}

TEST_F(MeetingServerTest, StopSendsEverybodyToReconnectAndFreesThePort) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    alice.connect_media("127.0.0.1");
    const auto port = alice.media_port();
    server_->stop();
    EXPECT_EQ(alice.socket->closed(), 4500);
    auto late = client("bob");
    EXPECT_EQ(late.socket->closed(), 4500);
    server_.reset();
    Settings settings;
    settings.port = port;
    auto again = MeetingServer::start(settings, observer_);
    EXPECT_TRUE(again) << again.error().detail;
}

TEST_F(MeetingServerTest, TakenPortIsNamed) {
    auto alice = client("alice");
    alice.join();
    alice.negotiate();
    alice.connect_media("127.0.0.1");
    Settings settings;
    settings.port = alice.media_port();
    const auto second = MeetingServer::start(settings, observer_);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().detail, testing::HasSubstr(std::to_string(settings.port)));
}

TEST_F(MeetingServerTest, AnnouncesWhatItIsTold) {
    Settings settings;
    settings.port = 0;
    settings.announced_addresses = {"198.51.100.7", "2001:db8::7"};
    settings.announced_port = 3478;
    auto started = MeetingServer::start(settings, observer_);
    ASSERT_TRUE(started);
    MeetingClient alice(control_, **started, {"meeting-1", "alice", "user", false});
    alice.join();
    alice.negotiate();
    const std::string answer = alice.ack->suback().sdp_answer();
    EXPECT_THAT(answer, testing::ContainsRegex("udp [0-9]+ 198\\.51\\.100\\.7 3478 typ host"));
    EXPECT_THAT(answer, testing::ContainsRegex("tcp [0-9]+ 198\\.51\\.100\\.7 3478 typ host tcptype passive"));
    EXPECT_THAT(answer, testing::HasSubstr(" 2001:db8::7 3478 typ host"));
    EXPECT_THAT(answer, testing::Not(testing::HasSubstr("127.0.0.1 ")));
    alice.socket->hang_up();
    settings.announced_addresses = {"not-an-address"};
    EXPECT_FALSE(MeetingServer::start(settings, observer_));
}

}  // namespace
}  // namespace media::server
