#include "events/consumer.hpp"

#include <gtest/gtest.h>

#include "events/contract/harness.hpp"

namespace events::contract {
namespace {

const std::string kRequests(kRequestsQueue), kParked(kParkedQueue);

std::string create(const std::string& appointment) {
    return R"({"event_type":"appointment.video.create","data":{"appointment_id":")" + appointment +
           R"(","doctor_id":"12","patient_id":"34","scheduled_time":"2026-01-25T14:00:00"}})";
}
std::string start(const std::string& session) {
    return R"({"event_type":"appointment.video.start","data":{"session_id":")" + session + R"(","doctor_id":"12"}})";
}
std::string end(const std::string& session) {
    return R"({"event_type":"appointment.video.end","data":{"session_id":")" + session +
           R"(","ended_by":"12","ended_by_role":"doctor"}})";
}

/// Where requests end up: notes them, and answers as the test wants.
class Target {
  public:
    RequestTarget functions() {
        return {
            .create = [this](service::RequestedSession request) { return answer("create " + request.appointment_id); },
            .start = [this](service::RequestedStart request) { return answer("start " + request.session); },
            .end = [this](service::RequestedEnd request) { return answer("end " + request.session); },
            .creation_failed = [this](std::string appointment, std::string why,
                                      std::string) { return answer("failed " + appointment + ": " + why); },
        };
    }
    /// The next calls of this kind fail so.
    void fail(const std::string& call, core::ErrorKind kind, int times) {
        const std::scoped_lock lock(mutex_);
        failures_[call] = {kind, times};
    }
    std::vector<std::string> calls() const {
        const std::scoped_lock lock(mutex_);
        return calls_;
    }
    std::size_t count(const std::string& call) const {
        const auto all = calls();
        return static_cast<std::size_t>(std::ranges::count(all, call));
    }
    /// Calls of this kind wait until it is opened.
    void hold(const std::string& call) { held_ = call; }
    void let_go() { held_open_.store(true); }

  private:
    service::Task<core::Result<void>> answer(std::string call) {
        core::Result<void> result;
        {
            const std::scoped_lock lock(mutex_);
            calls_.push_back(call);
            const auto failure = failures_.find(call);
            if (failure != failures_.end() && failure->second.second-- > 0) {
                result = core::fail(failure->second.first, "as the test wants");
            }
        }
        while (call == held_ && !held_open_.load()) {
            boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 5ms);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        co_return result;
    }

    mutable std::mutex mutex_;
    std::vector<std::string> calls_;
    std::map<std::string, std::pair<core::ErrorKind, int>> failures_;
    std::string held_;
    std::atomic<bool> held_open_{false};
};

class ConsumerTest : public BrokerTest {
  protected:
    void TearDown() override {
        stop();
        BrokerTest::TearDown();
    }

    void start_consumer() {
        consumer = std::make_unique<Consumer>(server.settings(), handler, loop.tasks(), clock, loop.executor());
        consumer->start();
        ASSERT_TRUE(eventually([this] { return consumer->vitals().link == service::Vitals::Link::healthy; }));
    }
    void stop(std::chrono::milliseconds limit = 5s) {
        if (!consumer) return;
        loop.call([this] { pause.end(); });
        consumer->stop(limit);
        EXPECT_TRUE(loop.stop());
        consumer.reset();
    }
    void send(const std::string& body, const std::string& key = "appointment.video.create") {
        client->send("appointments-exchange", key, {.body = body});
    }
    /// Messages that the broker still has, in the queue or with us. Ends the consumer.
    std::uint32_t left() {
        stop();
        return client->depth(kRequests);
    }
    bool handled(std::uint64_t count) {
        return eventually([this, count] { return consumer->vitals().handled == count; });
    }
    bool parked(std::uint64_t count) {
        return eventually([this, count] { return consumer->vitals().parked == count; });
    }

    TestClock clock;
    LoopThread loop;
    Pause pause;
    Target target;
    RequestHandler handler{{.zone = [](auto local) { return core::Time{local.time_since_epoch()}; },
                            .first_retry = 10ms,
                            .last_retry = 40ms},
                           target.functions(),
                           pause};
    std::unique_ptr<Consumer> consumer;
};

TEST_F(ConsumerTest, DefectD10RequestsOfEveryKindAreDoneInOrderAndThenGone) {
    for (int i = 0; i < 20; ++i) send(create(std::to_string(i)));
    start_consumer();
    send(start("s"), "appointment.video.start");
    send(end("s"), "appointment.video.end");
    ASSERT_TRUE(handled(22));
    const auto calls = target.calls();
    ASSERT_EQ(calls.size(), 22U);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(calls[static_cast<std::size_t>(i)], "create " + std::to_string(i));
    EXPECT_EQ(calls[20], "start s");
    EXPECT_EQ(calls[21], "end s");
    EXPECT_EQ(left(), 0U);
    EXPECT_EQ(client->depth(kParked), 0U);
}

TEST_F(ConsumerTest, DefectD11WhatFailsForNowIsTriedAgain) {
    target.fail("create a", core::ErrorKind::unavailable, 3);
    target.fail("start s", core::ErrorKind::timeout, 1);
    start_consumer();
    send(create("a"));
    send(start("s"), "appointment.video.start");
    ASSERT_TRUE(handled(2));
    EXPECT_EQ(target.calls(),
              (std::vector<std::string>{"create a", "create a", "create a", "create a", "start s", "start s"}));
    EXPECT_EQ(consumer->vitals().retried, 4U);
    EXPECT_EQ(left(), 0U);
}

TEST_F(ConsumerTest, DefectD11WhatCanNeverWorkIsParkedWithTheReason) {
    target.fail("start gone", core::ErrorKind::not_found, 1);
    start_consumer();
    send("no json");
    send(start("gone"), "appointment.video.start");
    send(start("null"), "appointment.video.start");
    send(start("there"), "appointment.video.start");
    ASSERT_TRUE(handled(1));
    ASSERT_TRUE(parked(3));
    const auto messages = client->take(kParked, 3);
    ASSERT_EQ(messages.size(), 3U);
    EXPECT_EQ(messages[0].body, "no json");
    EXPECT_EQ(messages[0].headers.at("x-parked-reason"), "the message is not JSON");
    EXPECT_EQ(messages[1].body, start("gone"));
    EXPECT_EQ(messages[1].headers.at("x-parked-reason"), "as the test wants");
    EXPECT_EQ(messages[2].headers.at("x-parked-reason"), "session_id is empty");
    EXPECT_EQ(messages[2].headers.at("x-parked-at"), core::format_rfc3339(clock.now()));
    EXPECT_EQ(left(), 0U);
}

TEST_F(ConsumerTest, AFailedCreationIsToldAndParked) {
    target.fail("create a", core::ErrorKind::conflict, 1);
    target.fail("failed a: as the test wants", core::ErrorKind::unavailable, 2);
    start_consumer();
    send(create("a"));
    send(R"({"event_type":"appointment.video.create","data":{"appointment_id":"b","doctor_id":"1","patient_id":"2"}})");
    ASSERT_TRUE(parked(2));
    EXPECT_EQ(target.calls(),
              (std::vector<std::string>{"create a", "failed a: as the test wants", "failed a: as the test wants",
                                        "failed a: as the test wants", "failed b: scheduled_time is missing"}));
    EXPECT_EQ(client->take(kParked, 2).size(), 2U);
    EXPECT_EQ(left(), 0U);
}

TEST_F(ConsumerTest, UnknownKindsAreLeftAside) {
    start_consumer();
    send(R"({"event_type":"appointment.video.moved","data":{}})");
    send(create("a"));
    ASSERT_TRUE(handled(2));
    EXPECT_EQ(target.calls(), std::vector<std::string>{"create a"});
    EXPECT_EQ(client->depth(kParked), 0U);
    EXPECT_EQ(left(), 0U);
}

TEST_F(ConsumerTest, NothingIsLostWhenTheServiceStopsWhileTheStoreIsAway) {
    target.fail("create a", core::ErrorKind::unavailable, 1'000'000);
    start_consumer();
    send(create("a"));
    ASSERT_TRUE(eventually([this] { return target.count("create a") >= 2; }));
    const auto begun = steady_clock::now();
    EXPECT_EQ(left(), 1U);
    EXPECT_LT(steady_clock::now() - begun, 3s);
}

TEST_F(ConsumerTest, WhatIsAtHandIsFinishedBeforeItStops) {
    target.hold("create a");
    start_consumer();
    send(create("a"));
    ASSERT_TRUE(eventually([this] { return target.count("create a") == 1; }));
    std::thread stopper([this] { stop(); });
    target.let_go();
    stopper.join();
    EXPECT_EQ(client->depth(kRequests), 0U);
}

TEST_F(ConsumerTest, ALostConnectionBringsTheMessageAgainButNeverTwiceAtOnce) {
    target.hold("create a");
    start_consumer();
    send(create("a"));
    ASSERT_TRUE(eventually([this] { return target.count("create a") == 1; }));
    server.kill();
    ASSERT_TRUE(eventually([this] { return consumer->vitals().link == service::Vitals::Link::disconnected; }));
    server.start();
    reconnect();
    ASSERT_TRUE(eventually([this] { return consumer->vitals().link == service::Vitals::Link::healthy; }));
    // The broker has handed it over again; it waits for the first attempt to end.
    ASSERT_TRUE(eventually([this] { return client->depth(kRequests) == 0; }));
    EXPECT_EQ(target.count("create a"), 1U);
    target.let_go();
    ASSERT_TRUE(handled(1));
    EXPECT_EQ(target.count("create a"), 2U);
    EXPECT_EQ(left(), 0U);
}

TEST_F(ConsumerTest, WithoutAPlaceToParkNothingIsAcknowledged) {
    start_consumer();
    client->remove_queue(kParked);
    send("no json");
    // The next connection makes the queue again.
    ASSERT_TRUE(parked(1));
    EXPECT_EQ(client->take(kParked, 1).size(), 1U);
    EXPECT_EQ(left(), 0U);
}

TEST_F(ConsumerTest, StopsInTimeWhenTheBrokerIsFrozen) {
    start_consumer();
    server.halt();
    const auto begun = steady_clock::now();
    stop(700ms);
    EXPECT_LT(steady_clock::now() - begun, 1s);
}

}  // namespace
}  // namespace events::contract
