// Several media threads: each meeting on one of them, each of them on a port of its own.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "media/server/meeting_server.hpp"
#include "media/server/meeting_server_test_client.hpp"

namespace media::server {
namespace {

using test::ControlPlane;
using test::MeetingClient;
using test::RecordingObserver;

TEST(MediaThreads, MeetingsAreSpreadOverThePortsOfTheThreads) {
    RecordingObserver observer;
    ControlPlane control;
    Settings settings;
    settings.port = 0;
    settings.threads = 3;
    settings.pinned = true;
    auto server = MeetingServer::start(settings, observer);
    ASSERT_TRUE(server) << server.error().detail;
    std::set<std::uint16_t> ports;
    for (int i = 0; i < 12; ++i) {
        const std::string meeting = "meeting-" + std::to_string(i);
        MeetingClient alice(control, **server, {meeting, "alice", "user-of-alice", false}, 1);
        MeetingClient bob(control, **server, {meeting, "bob", "user-of-bob", false}, 1);
        for (MeetingClient* client : {&alice, &bob}) {
            client->join();
            client->negotiate();
            client->connect_media("127.0.0.1");
        }
        EXPECT_EQ(alice.answer.media.at(0).port, bob.answer.media.at(0).port) << "a meeting lives on one thread";
        ports.insert(alice.answer.media.at(0).port);
        const std::uint32_t audio = bob.answer.media.at(0).ssrcs.at(0);
        EXPECT_TRUE(bob.pump([&] {
            return std::ranges::any_of(bob.rtp, [&](const auto& packet) { return test::ssrc_of(packet) == audio; });
        }));
    }
    EXPECT_EQ(ports.size(), 3U);
}

}  // namespace
}  // namespace media::server
