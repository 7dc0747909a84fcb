#include "events/broker_link.hpp"

#include <gtest/gtest.h>

#include "events/contract/harness.hpp"

namespace events::contract {
namespace {

class BrokerLinkTest : public BrokerTest {
  protected:
    std::shared_ptr<Waker> waker = std::make_shared<Waker>();
    BrokerLink link{server.settings(), "test", waker};

    std::vector<Settled> settled(std::size_t count) {
        std::vector<Settled> all;
        while (all.size() < count) {
            const auto waited = link.wait(30s);
            EXPECT_TRUE(waited) << waited.error().detail;
            for (const auto& one : link.take_settled()) all.push_back(one);
            if (!waited) break;
        }
        return all;
    }
    std::optional<Delivery> delivery() {
        for (;;) {
            if (auto taken = link.take_delivery()) return taken;
            if (!link.wait(30s)) return std::nullopt;
        }
    }
};

TEST_F(BrokerLinkTest, TopologyIsTheContracts) {
    client->remove_queue(std::string(kRequestsQueue));
    client->remove_queue(std::string(kParkedQueue));
    client->remove_exchange("appointments-exchange");
    client->remove_exchange("user-events-exchange");
    ASSERT_TRUE(link.open_for_requests());
    // The broker refuses a second declaration that differs in anything.
    EXPECT_TRUE(client->declare_topic("appointments-exchange"));
    EXPECT_TRUE(client->declare_topic("user-events-exchange"));
    EXPECT_TRUE(client->declare_queue("video-session-requests"));
    EXPECT_TRUE(client->declare_queue("video-session-requests.parked"));
    for (const auto* key : {"appointment.video.create", "appointment.video.start", "appointment.video.end"}) {
        client->send("appointments-exchange", key, {.body = key});
        const auto got = delivery();
        ASSERT_TRUE(got);
        EXPECT_EQ(got->body, key);
        ASSERT_TRUE(link.acknowledge(got->tag));
    }
    client->send("appointments-exchange", "appointment.video.moved", {.body = "not for us"});
    client->send("appointments-exchange", "appointment.video.end", {.body = "last"});
    EXPECT_EQ(delivery()->body, "last");
}

TEST_F(BrokerLinkTest, MismatchM1RequestsArriveWhateverExchangeIsConfigured) {
    auto settings = server.settings();
    settings.exchange = "user-events-exchange";
    settings.prefetch = 10;
    BrokerLink other(settings, "test", waker);
    ASSERT_TRUE(other.open_for_requests());
    client->send("appointments-exchange", "appointment.video.create", {.body = "one"});
    client->send("user-events-exchange", "appointment.video.create", {.body = "two"});
    std::vector<std::string> bodies;
    while (bodies.size() < 2 && other.wait(30s)) {
        while (auto taken = other.take_delivery()) bodies.push_back(taken->body);
    }
    EXPECT_EQ(bodies, (std::vector<std::string>{"one", "two"}));
}

TEST_F(BrokerLinkTest, PrefetchIsOne) {
    ASSERT_TRUE(link.open_for_requests());
    for (const auto* body : {"one", "two"}) client->send("", std::string(kRequestsQueue), {.body = body});
    const auto first = delivery();
    ASSERT_TRUE(first);
    ASSERT_TRUE(eventually([&] { return client->depth(std::string(kRequestsQueue)) == 1; }));
    ASSERT_TRUE(link.wait(0ms));
    EXPECT_FALSE(link.take_delivery());
    ASSERT_TRUE(link.acknowledge(first->tag));
    EXPECT_EQ(delivery()->body, "two");
}

TEST_F(BrokerLinkTest, MessagesArriveAsTheyWereMeant) {
    ASSERT_TRUE(link.open_for_publishing());
    auto message = outgoing("appointments-exchange", "54a780e9", 7);
    message.timestamp = core::Time{std::chrono::sys_days{2026y / 1 / 25} + 14h + 999ms};
    ASSERT_TRUE(link.publish(message, message.routes[0]));
    const auto all = settled(1);
    EXPECT_TRUE(all.at(0).confirmed);
    const auto got = client->take(observer);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, message.body);
    EXPECT_EQ(got->exchange, "appointments-exchange");
    EXPECT_EQ(got->routing_key, "video.user.joined");
    EXPECT_EQ(got->content_type, "application/json");
    EXPECT_EQ(got->message_id, "54a780e9-7");
    EXPECT_EQ(got->type, "video.user.joined");
    EXPECT_EQ(got->app_id, "video-consultation");
    EXPECT_EQ(got->timestamp, 1769349600U);
    EXPECT_EQ(got->delivery_mode, 2);
    EXPECT_EQ(got->headers, (std::map<std::string, std::string>{{"session_id", "54a780e9"}, {"sequence", "7"}}));
}

TEST_F(BrokerLinkTest, ManyAreConfirmedEachOnce) {
    ASSERT_TRUE(link.open_for_publishing());
    std::map<std::uint64_t, int> seen;
    for (int i = 0; i < 500; ++i) {
        const auto message = outgoing("appointments-exchange", "s", i);
        const auto tag = link.publish(message, message.routes[0]);
        ASSERT_TRUE(tag);
        seen[*tag] = 0;
    }
    for (const auto& one : settled(500)) {
        EXPECT_TRUE(one.confirmed);
        ++seen.at(one.tag);
    }
    for (const auto& [tag, times] : seen) EXPECT_EQ(times, 1) << tag;
}

TEST_F(BrokerLinkTest, ARefusedMessageIsNotConfirmed) {
    const std::string tiny = "tiny-" + core::uuid4();
    client->declare_tiny_queue(tiny);
    client->bind(tiny, "appointments-exchange", "tiny.#");
    ASSERT_TRUE(link.open_for_publishing());
    std::vector<bool> confirmed;
    for (int i = 0; i < 2; ++i) {
        const auto message = outgoing("appointments-exchange", "s", i, "tiny.message");
        ASSERT_TRUE(link.publish(message, message.routes[0]));
        confirmed.push_back(settled(1).at(0).confirmed);
    }
    EXPECT_EQ(confirmed, (std::vector<bool>{true, false}));
    client->remove_queue(tiny);
}

TEST_F(BrokerLinkTest, ParkedMessagesKeepWhatTheyCameWith) {
    ASSERT_TRUE(link.open_for_requests());
    client->send("appointments-exchange", "appointment.video.end",
                 {.body = "{\"odd\":", .headers = {{"__TypeId__", "java.util.HashMap"}, {"x-parked-reason", "old"}}});
    const auto got = delivery();
    ASSERT_TRUE(got);
    const core::Time at{std::chrono::sys_days{2026y / 1 / 25} + 14h};
    ASSERT_TRUE(link.park(*got, "the message is not JSON", at));
    EXPECT_TRUE(settled(1).at(0).confirmed);
    ASSERT_TRUE(link.acknowledge(got->tag));
    const auto parked = client->take(std::string(kParkedQueue), 1);
    ASSERT_EQ(parked.size(), 1U);
    EXPECT_EQ(parked[0].body, "{\"odd\":");
    EXPECT_EQ(parked[0].content_type, "application/json");
    EXPECT_EQ(parked[0].content_encoding, "UTF-8");
    EXPECT_EQ(parked[0].delivery_mode, 2);
    const std::map<std::string, std::string> headers = {{"__TypeId__", "java.util.HashMap"},
                                                        {"x-parked-reason", "the message is not JSON"},
                                                        {"x-parked-at", "2026-01-25T14:00:00Z"}};
    EXPECT_EQ(parked[0].headers, headers);
    ASSERT_TRUE(eventually([&] { return client->depth(std::string(kRequestsQueue)) == 0; }));
}

TEST_F(BrokerLinkTest, WhatCannotBeParkedIsNotConfirmed) {
    ASSERT_TRUE(link.open_for_requests());
    client->send("", std::string(kRequestsQueue), {.body = "x"});
    const auto got = delivery();
    ASSERT_TRUE(got);
    client->remove_queue(std::string(kParkedQueue));
    ASSERT_TRUE(link.park(*got, "why", core::Time{}));
    EXPECT_FALSE(settled(1).at(0).confirmed);
}

TEST_F(BrokerLinkTest, LargeBodiesComeWhole) {
    ASSERT_TRUE(link.open_for_requests());
    const std::string body(1'000'000, 'x');
    client->send("", std::string(kRequestsQueue), {.body = body});
    EXPECT_EQ(delivery()->body, body);
    ASSERT_TRUE(link.acknowledge(1));
    client->send("", std::string(kRequestsQueue), {.body = ""});
    EXPECT_EQ(delivery()->body, "");
}

TEST_F(BrokerLinkTest, RefusalsAreToldInOurWords) {
    const auto why = [&](auto change) {
        auto settings = server.settings();
        change(settings);
        const auto opened = BrokerLink(settings, "test", waker).open_for_requests();
        return opened ? std::string("none") : opened.error().detail;
    };
    EXPECT_EQ(why([](BrokerSettings&) {}), "none");
    EXPECT_EQ(why([](BrokerSettings& settings) { settings.host = "localhost"; }), "none");
    EXPECT_EQ(why([](BrokerSettings& settings) { settings.password = "wrong"; }),
              "the broker refuses the user or the password");
    EXPECT_EQ(why([](BrokerSettings& settings) { settings.vhost = "/clinic"; }),
              "the broker has no such virtual host, or not for this user");
    EXPECT_EQ(why([](BrokerSettings& settings) { settings.port = free_port(); }), "the broker cannot be reached");
    const std::string taken = "taken-" + core::uuid4();
    client->declare_exchange_of_type(taken, "fanout");
    EXPECT_EQ(why([&](BrokerSettings& settings) { settings.exchange = taken; }),
              "the broker has the exchange " + taken + " with other properties");
    EXPECT_EQ(why([](BrokerSettings& settings) { settings.exchange = "amq.ours"; }),
              "the broker's user may not use the exchange amq.ours");
    client->remove_exchange(taken);
}

TEST_F(BrokerLinkTest, ALostQueueIsNoticed) {
    ASSERT_TRUE(link.open_for_requests());
    client->remove_queue(std::string(kRequestsQueue));
    const auto waited = link.wait(30s);
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().detail, "the broker has taken the queue of requests away");
    EXPECT_FALSE(link.is_open());
}

TEST_F(BrokerLinkTest, SilenceIsNoticed) {
    auto settings = server.settings();
    settings.heartbeat = 1s;
    BrokerLink other(settings, "test", waker);
    ASSERT_TRUE(other.open_for_publishing());
    // Heartbeats keep it alive as long as the broker is there …
    const auto start = steady_clock::now();
    while (steady_clock::now() - start < 3s) ASSERT_TRUE(other.wait(300ms));
    // … and tell when it is not.
    server.halt();
    const auto end = steady_clock::now() + 20s;
    core::Result<void> waited;
    while ((waited = other.wait(300ms)) && steady_clock::now() < end) {
    }
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().detail, "the broker does not answer");
}

TEST(BrokerLinkWithoutBroker, AnotherThreadEndsWhatHangs) {
    MuteServer mute;
    BrokerLink link(mute.settings, "test", std::make_shared<Waker>());
    std::thread ender([&] {
        mute.accept();
        link.end();
    });
    const auto start = steady_clock::now();
    EXPECT_FALSE(link.open_for_publishing());
    EXPECT_FALSE(link.open_for_publishing());
    EXPECT_LT(steady_clock::now() - start, 3s);
    ender.join();
}

TEST(BrokerLinkWithoutBroker, AHandshakeWithoutAnswerIsGivenUp) {
    MuteServer mute;
    mute.settings.reply_timeout = 100ms;
    const auto opened = BrokerLink(mute.settings, "test", std::make_shared<Waker>()).open_for_publishing();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().detail, "the broker does not answer");
}

}  // namespace
}  // namespace events::contract
