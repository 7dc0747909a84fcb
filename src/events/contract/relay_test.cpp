#include "events/relay.hpp"

#include <gtest/gtest.h>

#include <set>

#include "events/contract/harness.hpp"
#include "events/upkeep.hpp"

namespace events::contract {
namespace {

/// A relay as one process has it.
class Process {
  public:
    Process(const BrokerSettings& settings, service::Outbox& outbox, LoopThread& loop,
            RelaySettings relay_settings = {})
        : publisher(settings), loop_(loop), relay(with_exchange(std::move(relay_settings)), outbox, publisher, pause) {}
    ~Process() { stop(); }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void start() {
        publisher.start();
        loop_.call([this] {
            tasks_ = std::make_unique<net::TaskGroup>(loop_.executor());
            tasks_->spawn("relay", relay.run());
        });
    }
    /// In its own time: what is under way is brought to its end.
    void stop() {
        if (!tasks_) return;
        loop_.call([this] { pause.end(); });
        EXPECT_TRUE(eventually([this] {
            bool empty = false;
            loop_.call([&] { empty = tasks_->size() == 0; });
            return empty;
        }));
        tasks_.reset();
        publisher.stop();
    }

    Publisher publisher;

  private:
    static RelaySettings with_exchange(RelaySettings settings) {
        settings.exchange = "appointments-exchange";
        return settings;
    }
    LoopThread& loop_;
    Pause pause;
    std::unique_ptr<net::TaskGroup> tasks_;

  public:
    Relay relay;
};

class RelayTest : public BrokerTest {
  protected:
    TestClock clock;
    StoreFixture store;
    LoopThread loop;

    void append(const std::string& session, int number, const std::string& key = "video.user.joined") {
        ASSERT_TRUE(loop.run(store->append(event(session, number, clock.now(), key))));
    }
    std::int64_t waiting() { return loop.run(store->backlog(service::Channel::broker)).value().waiting; }

    /// The numbers that arrived, by session. Repeated ones are left out, but must have the same id.
    std::map<std::string, std::vector<int>> arrived() {
        std::map<std::string, std::vector<int>> numbers;
        std::map<std::string, std::int64_t> last;
        std::set<std::string> ids;
        for (const auto& message : client->take_all(observer)) {
            ++deliveries;
            if (!ids.insert(message.message_id).second) continue;
            const auto& session = message.headers.at("session_id");
            const auto number = message.body.find("\"number\":");
            numbers[session].push_back(std::stoi(message.body.substr(number + 9)));
        }
        return numbers;
    }
    std::size_t deliveries = 0;
};

TEST_F(RelayTest, WhatIsInTheOutboxGoesOutInOrder) {
    std::map<std::string, std::vector<int>> sent;
    for (int i = 0; i < 1200; ++i) {
        const auto session = "s" + std::to_string(i % 50);
        append(session, i);
        sent[session].push_back(i);
    }
    Process process(server.settings(), *store, loop);
    process.start();
    ASSERT_TRUE(eventually([&] { return waiting() == 0; }));
    EXPECT_EQ(arrived(), sent);
    EXPECT_EQ(deliveries, 1200U);
    EXPECT_EQ(process.relay.sent(), 1200U);
    EXPECT_EQ(process.relay.failed(), 0U);
    // What comes later goes as well.
    append("late", 1);
    ASSERT_TRUE(eventually([&] { return waiting() == 0; }));
    EXPECT_EQ(arrived(), (std::map<std::string, std::vector<int>>{{"late", {1}}}));
}

TEST_F(RelayTest, TwoProcessesDoNotSendTwice) {
    Process first(server.settings(), *store, loop), second(server.settings(), *store, loop);
    first.start();
    second.start();
    for (int i = 0; i < 300; ++i) append("s" + std::to_string(i % 7), i);
    ASSERT_TRUE(eventually([&] { return waiting() == 0; }));
    arrived();
    EXPECT_EQ(deliveries, 300U);
    EXPECT_TRUE(first.relay.sent() == 0 || second.relay.sent() == 0);
    // When the one that does it goes, the other takes over without waiting for the lease to end.
    auto& working = first.relay.sent() > 0 ? first : second;
    const auto start = steady_clock::now();
    working.stop();
    append("s0", 300);
    ASSERT_TRUE(eventually([&] { return waiting() == 0; }));
    EXPECT_LT(steady_clock::now() - start, 8s);
}

TEST_F(RelayTest, AProcessThatDiedIsReplacedWhenItsLeaseEnds) {
    const auto taken = steady_clock::now();
    ASSERT_TRUE(loop.run(store->hold_lease("relay", "the dead", 1500ms)).value());
    append("s", 1);
    Process process(server.settings(), *store, loop, {.exchange = "", .standby_poll = 50ms});
    process.start();
    ASSERT_TRUE(eventually([&] { return process.publisher.ready(); }));
    ASSERT_TRUE(eventually([&] { return waiting() == 0; }));
    EXPECT_GE(steady_clock::now() - taken, 1500ms);
    EXPECT_EQ(arrived().at("s"), std::vector<int>{1});
}

TEST_F(RelayTest, DefectD12ABrokerThatIsDownLosesNothing) {
    Process process(server.settings(), *store, loop);
    process.start();
    std::map<std::string, std::vector<int>> sent;
    const auto append_some = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            const auto session = "s" + std::to_string(i % 11);
            append(session, i);
            sent[session].push_back(i);
        }
    };
    append_some(0, 100);
    ASSERT_TRUE(eventually([&] { return client->depth(observer) > 0; }));
    server.kill();
    append_some(100, 700);
    ASSERT_TRUE(eventually([&] { return !process.publisher.ready(); }));
    EXPECT_GE(waiting(), 600);
    server.start();
    reconnect();
    append_some(700, 800);
    ASSERT_TRUE(eventually([&] { return waiting() == 0; }, 60s));
    EXPECT_EQ(arrived(), sent);
}

TEST_F(RelayTest, AProcessWithoutABrokerLeavesTheLeaseToOthers) {
    auto settings = server.settings();
    settings.port = free_port();
    Process cut_off(settings, *store, loop), other(server.settings(), *store, loop);
    cut_off.start();
    ASSERT_TRUE(eventually([&] { return !cut_off.publisher.last_error().empty(); }));
    append("s", 1);
    other.start();
    ASSERT_TRUE(eventually([&] { return waiting() == 0; }));
    EXPECT_EQ(other.relay.sent(), 1U);
}

class UpkeepTest : public testing::Test {
  protected:
    TestClock clock;
    StoreFixture store;
    LoopThread loop;
    Pause pause;

    void TearDown() override {
        loop.call([this] { pause.end(); });
        EXPECT_TRUE(loop.stop());
    }
    /// Until the test ends.
    Upkeep& upkeep(UpkeepSettings settings) { return upkeep_.emplace(settings, *store, clock, pause); }
    std::int64_t waiting() { return loop.run(store->backlog(service::Channel::broker)).value().waiting; }
    void append(int count, core::Time at) {
        for (int i = 0; i < count; ++i) ASSERT_TRUE(loop.run(store->append(event("s", i, at))));
    }

  private:
    std::optional<Upkeep> upkeep_;
};

TEST_F(UpkeepTest, WithoutABrokerOldEventsGo) {
    append(25, clock.now() - 8 * 24h);
    append(3, clock.now() - 6 * 24h);
    loop.spawn(upkeep({.chunk = 10}).prune());
    EXPECT_TRUE(eventually([&] { return waiting() == 3; }));
}

TEST_F(UpkeepTest, WithABrokerNoneGoesThatItHasNotTaken) {
    append(5, clock.now() - 8 * 24h);
    std::vector<std::int64_t> sequences;
    for (const auto& message : loop.run(store->unpublished(3)).value()) sequences.push_back(message.sequence);
    ASSERT_TRUE(loop.run(store->mark_published(sequences)));
    loop.spawn(upkeep({.keep_unpublished = true}).prune());
    // All that may go is gone when there is nothing left to remove.
    ASSERT_TRUE(eventually([&] { return loop.run(store->prune_outbox(clock.now() - 7 * 24h, true, 1)).value() == 0; }));
    EXPECT_EQ(waiting(), 2);
}

TEST_F(UpkeepTest, FiguresFollowTheOutbox) {
    auto& kept = upkeep({.count_every = 20ms});
    loop.spawn(kept.count());
    EXPECT_EQ(kept.broker().waiting, 0);
    const auto oldest = clock.now() - 90s;
    append(1, oldest);
    append(2, clock.now());
    EXPECT_TRUE(eventually([&] { return kept.broker().waiting == 3; }));
    EXPECT_EQ(kept.broker().oldest, oldest);
    EXPECT_EQ(kept.webhooks().waiting, 0);
}

}  // namespace
}  // namespace events::contract
