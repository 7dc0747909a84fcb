#include "media/server/media_thread.hpp"

#include <gtest/gtest.h>

#include "media/server/addresses.hpp"

namespace media::server {
namespace {

class Nobody final : public Observer {
  public:
    void happened(core::MeetingEvent) override {}
};

TEST(MediaThread, ConnectionThatSendsFasterThanItIsReadIsDropped) {
    Nobody observer;
    MediaThread thread({.port = 0, .listen_addresses = {"127.0.0.1"}, .announced_addresses = {}}, observer);
    ASSERT_TRUE(thread.open());  // Not started: nothing is read.
    const auto many = std::make_shared<Backlog>();
    for (std::size_t i = 0; i < Backlog::kMaxMessages; ++i) ASSERT_TRUE(thread.receive(1, "x", many));
    EXPECT_FALSE(thread.receive(1, "x", many));
    const auto large = std::make_shared<Backlog>();
    EXPECT_TRUE(thread.receive(2, std::string(Backlog::kMaxBytes, 'x'), large));
    EXPECT_FALSE(thread.receive(2, "x", large));
}

TEST(MediaThread, StopsWithoutHavingStarted) {
    Nobody observer;
    MediaThread thread({.port = 0, .listen_addresses = {"127.0.0.1"}, .announced_addresses = {}}, observer);
    ASSERT_TRUE(thread.open());
    thread.stop();
    EXPECT_TRUE(thread.stopped());
}

TEST(Addresses, OfTheMachineAreUsable) {
    const auto addresses = machine_addresses();
    ASSERT_FALSE(addresses.empty());
    for (const std::string& address : addresses) {
        EXPECT_TRUE(wire::TransportAddress::parse(address, 1)) << address;
        EXPECT_FALSE(address.starts_with("fe80")) << address;
    }
}

}  // namespace
}  // namespace media::server
