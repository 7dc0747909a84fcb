#include "events/publisher.hpp"

#include <gtest/gtest.h>

#include <set>

#include "events/contract/harness.hpp"

namespace events::contract {
namespace {

std::chrono::milliseconds time_to_stop(Publisher& publisher) {
    const auto start = steady_clock::now();
    publisher.stop();
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - start);
}

class PublisherTest : public BrokerTest {
  protected:
    LoopThread loop;
    Publisher publisher{server.settings()};

    void start() {
        publisher.start();
        ASSERT_TRUE(eventually([this] { return publisher.ready(); }));
    }
    core::Result<std::vector<bool>> publish(std::vector<Outgoing> batch, std::chrono::milliseconds limit = 10s) {
        return loop.run(publisher.publish(std::move(batch), steady_clock::now() + limit));
    }
};

TEST_F(PublisherTest, ABatchArrivesInOrderPerSession) {
    start();
    std::vector<Outgoing> batch;
    batch.reserve(1000);
    for (int i = 0; i < 1000; ++i) batch.push_back(outgoing("appointments-exchange", "s" + std::to_string(i % 37), i));
    const auto confirmed = publish(batch);
    ASSERT_TRUE(confirmed);
    EXPECT_EQ(*confirmed, std::vector<bool>(1000, true));
    std::map<std::string, std::vector<int>> arrived, sent;
    for (const auto& message : batch) sent[message.session_id].push_back(static_cast<int>(message.sequence));
    for (const auto& message : client->take_all(observer)) {
        arrived[message.headers.at("session_id")].push_back(std::stoi(message.headers.at("sequence")));
    }
    EXPECT_EQ(arrived, sent);
}

TEST_F(PublisherTest, BothRoutesOfACompletionArrive) {
    const std::string completions = "completions-" + core::uuid4();
    client->declare_queue(completions);
    client->bind(completions, "user-events-exchange", "appointment.consultation.completed");
    client->bind(observer, "appointments-exchange", "appointment.consultation.completed");
    start();
    const auto confirmed = publish({outgoing("appointments-exchange", "s", 1, "appointment.consultation.completed")});
    ASSERT_TRUE(confirmed);
    EXPECT_EQ(*confirmed, std::vector<bool>{true});
    const auto as_text = client->take_all(completions), as_json = client->take_all(observer);
    ASSERT_EQ(as_text.size(), 1U);
    ASSERT_EQ(as_json.size(), 1U);
    EXPECT_EQ(as_text[0].content_type, "text/plain");
    EXPECT_EQ(as_json[0].content_type, "application/json");
    EXPECT_EQ(as_text[0].body, as_json[0].body);
    EXPECT_EQ(as_text[0].message_id, as_json[0].message_id);
    client->remove_queue(completions);
}

TEST_F(PublisherTest, ARefusalHoldsUpItsSessionAlone) {
    const std::string tiny = "tiny-" + core::uuid4();
    client->declare_tiny_queue(tiny);
    client->bind(tiny, "appointments-exchange", "tiny.#");
    start();
    const auto to_tiny = [](int number, const std::string& session) {
        return outgoing("appointments-exchange", session, number, "tiny.message");
    };
    ASSERT_EQ(publish({to_tiny(1, "filler")}).value(), std::vector<bool>{true});
    const auto confirmed =
        publish({outgoing("appointments-exchange", "a", 1), to_tiny(2, "a"), outgoing("appointments-exchange", "a", 3),
                 outgoing("appointments-exchange", "b", 1)});
    ASSERT_TRUE(confirmed);
    EXPECT_EQ(*confirmed, (std::vector<bool>{true, false, false, true}));
    std::set<std::string> arrived;
    for (const auto& message : client->take_all(observer)) arrived.insert(message.message_id);
    EXPECT_EQ(arrived, (std::set<std::string>{"a-1", "b-1"}));
    client->remove_queue(tiny);
}

TEST_F(PublisherTest, WithoutABrokerTheAnswerIsImmediate) {
    auto settings = server.settings();
    settings.port = free_port();
    Publisher nowhere(settings);
    nowhere.start();
    ASSERT_TRUE(eventually([&] { return !nowhere.last_error().empty(); }));
    EXPECT_EQ(nowhere.last_error(), "the broker cannot be reached");
    const auto start = steady_clock::now();
    const auto answer =
        loop.run(nowhere.publish({outgoing("appointments-exchange", "a", 1)}, steady_clock::now() + 10s));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, core::ErrorKind::unavailable);
    EXPECT_LT(steady_clock::now() - start, 1s);
    EXPECT_LT(time_to_stop(nowhere), 1s);
}

/// The broker is killed again and again while messages go out; whatever was not confirmed is sent again.
TEST_F(PublisherTest, ABrokerThatDiesInMidBatchLosesNothingAndKeepsTheOrder) {
    start();
    constexpr int kMessages = 3000;
    std::vector<Outgoing> rest;
    rest.reserve(kMessages);
    for (int i = 0; i < kMessages; ++i)
        rest.push_back(outgoing("appointments-exchange", "s" + std::to_string(i % 29), i));
    int kills = 0;
    std::size_t told = 0;
    while (!rest.empty()) {
        if (!publisher.ready() && !eventually([this] { return publisher.ready(); }, 60s)) break;
        std::thread killer;
        if (kills < 2) {
            killer = std::thread([this] {
                // In the middle of it: as soon as the first have arrived.
                ASSERT_TRUE(eventually([this] { return client->depth(observer) > 0; }));
                server.kill();
            });
        }
        const auto answer = publish(rest, 30s);
        if (killer.joinable()) {
            killer.join();
            ++kills;
            server.start();
            reconnect();
            // What it has kept is enough to know the order; those that count are read at the end.
        }
        if (!answer) continue;
        std::vector<Outgoing> still;
        for (std::size_t i = 0; i < rest.size(); ++i) {
            if ((*answer)[i]) {
                ++told;
            } else {
                still.push_back(rest[i]);
            }
        }
        rest = std::move(still);
    }
    EXPECT_EQ(told, static_cast<std::size_t>(kMessages));
    EXPECT_GT(kills, 0);

    std::map<std::string, int> last;
    std::map<std::string, std::string> last_id;
    std::set<std::string> seen;
    for (const auto& message : client->take_all(observer)) {
        const auto& session = message.headers.at("session_id");
        const int sequence = std::stoi(message.headers.at("sequence"));
        // A repetition comes right behind the first, if at all, and with the same id.
        EXPECT_GE(sequence, last.contains(session) ? last[session] : -1);
        if (last.contains(session) && sequence == last[session]) EXPECT_EQ(message.message_id, last_id[session]);
        last[session] = sequence;
        last_id[session] = message.message_id;
        seen.insert(message.message_id);
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(kMessages));
    EXPECT_LT(time_to_stop(publisher), 1s);
}

TEST_F(PublisherTest, AFrozenBrokerHoldsNobodyUp) {
    start();
    server.halt();
    const auto begun = steady_clock::now();
    std::vector<Outgoing> batch;
    // More than the sockets' buffers hold, so that sending itself gets stuck.
    for (int i = 0; i < 400; ++i) {
        batch.push_back(outgoing("appointments-exchange", "s" + std::to_string(i), i));
        batch.back().body.append(100'000, ' ');
    }
    const auto answer = publish(batch, 1s);
    EXPECT_LT(steady_clock::now() - begun, 5s);
    if (answer) EXPECT_EQ(*answer, std::vector<bool>(batch.size(), false));
    EXPECT_LT(time_to_stop(publisher), 1s);
}

TEST_F(PublisherTest, StopsInTimeWhileAFrozenBrokerOwesConfirmations) {
    start();
    server.halt();
    auto answer = loop.begin(publisher.publish({outgoing("appointments-exchange", "a", 1)}, steady_clock::now() + 30s));
    EXPECT_LT(time_to_stop(publisher), 1s);
    const auto outcome = answer.get();
    if (outcome) EXPECT_EQ(*outcome, std::vector<bool>{false});
}

TEST_F(PublisherTest, ComesBackByItself) {
    start();
    server.kill();
    ASSERT_TRUE(eventually([this] { return !publisher.ready(); }));
    server.start();
    reconnect();
    ASSERT_TRUE(eventually([this] { return publisher.ready(); }));
    EXPECT_EQ(publish({outgoing("appointments-exchange", "a", 1)}).value(), std::vector<bool>{true});
    EXPECT_EQ(client->take_all(observer).size(), 1U);
}

TEST(PublisherWithoutBroker, StopsInTimeWhileTheHandshakeHangs) {
    MuteServer mute;
    Publisher publisher(mute.settings);
    publisher.start();
    mute.accept();
    EXPECT_LT(time_to_stop(publisher), 1s);
}

TEST(PublisherWithoutBroker, StopsBeforeItStarts) {
    Publisher publisher({});
    publisher.stop();
    publisher.stop();
    EXPECT_FALSE(publisher.ready());
}

}  // namespace
}  // namespace events::contract
