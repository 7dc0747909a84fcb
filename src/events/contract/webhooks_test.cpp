#include "events/webhooks.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "events/contract/harness.hpp"
#include "net/http_server.hpp"
#include "net/loopback.hpp"

namespace events::contract {
namespace {

constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An endpoint that checks what it gets and answers as the test wants.
class Receiver {
  public:
    struct Call {
        std::string path, id, body;
        std::int64_t timestamp = 0;
        bool signature_holds = false;
    };

    Receiver() : server_([this](const net::Request& request) { return answer(request); }) {}

    std::string url(const std::string& path = "/hook") const {
        return "http://127.0.0.1:" + std::to_string(server_.port()) + path;
    }
    /// The next answers; afterwards 204.
    void script(std::vector<net::Response> answers) {
        const std::scoped_lock lock(mutex_);
        script_ = {std::make_move_iterator(answers.begin()), std::make_move_iterator(answers.end())};
    }
    /// Every call of this path is answered so.
    void always(const std::string& path, unsigned status) {
        const std::scoped_lock lock(mutex_);
        always_[path] = status;
    }
    std::vector<Call> calls() const {
        const std::scoped_lock lock(mutex_);
        return calls_;
    }
    std::size_t most_at_once() const { return most_.load(); }
    void be_slow() { slow_.store(true); }

  private:
    boost::asio::awaitable<net::Response> answer(const net::Request& request) {
        Call call;
        call.path = request.path();
        call.id = request.header("webhook-id");
        call.body = request.body;
        call.timestamp = std::stoll("0" + std::string(request.header("webhook-timestamp")));
        call.signature_holds = request.header("webhook-signature") ==
                               webhook_signature(*webhook_key(kSecret), call.id, call.timestamp, call.body);
        net::Response response;
        response.status = 204;
        {
            const std::scoped_lock lock(mutex_);
            if (always_.contains(call.path)) {
                response.status = always_.at(call.path);
            } else if (!script_.empty()) {
                response = std::move(script_.front());
                script_.pop_front();
            }
            calls_.push_back(std::move(call));
        }
        const auto now = ++at_once_;
        for (auto most = most_.load(); now > most && !most_.compare_exchange_weak(most, now);) {
        }
        if (slow_.load()) {
            boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 50ms);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        --at_once_;
        co_return response;
    }

    mutable std::mutex mutex_;
    std::deque<net::Response> script_;
    std::map<std::string, unsigned> always_;
    std::vector<Call> calls_;
    std::atomic<std::size_t> at_once_{0}, most_{0};
    std::atomic<bool> slow_{false};
    net::testing::Loopback server_;
};

net::Response answer(unsigned status, std::vector<std::pair<std::string, std::string>> headers = {}) {
    net::Response response;
    response.status = status;
    response.headers = std::move(headers);
    return response;
}

class WebhooksTest : public testing::Test {
  protected:
    void TearDown() override { stop(); }

    void start(std::vector<std::string> urls) {
        WebhookSettings settings;
        settings.endpoints = std::move(urls);
        settings.key = *webhook_key(kSecret);
        settings.poll = 20ms;
        webhooks = std::make_unique<Webhooks>(std::move(settings), *store, client, clock, loop.tasks(), pause);
        loop.spawn(webhooks->run());
    }
    void stop() {
        loop.call([this] { pause.end(); });
        EXPECT_TRUE(loop.finish());
        client.stop();
    }
    void append(const std::string& session, int number) {
        ASSERT_TRUE(loop.run(store->append(event(session, number, clock.now()))));
    }
    std::int64_t waiting() { return loop.run(store->backlog(service::Channel::webhooks)).value().waiting; }
    bool sent(std::uint64_t count) {
        return eventually([this, count] { return webhooks->sent() == count && waiting() == 0; });
    }

    TestClock clock;
    StoreFixture store;
    Receiver receiver;
    net::HttpClient client;
    LoopThread loop;
    Pause pause;
    std::unique_ptr<Webhooks> webhooks;
};

TEST_F(WebhooksTest, EveryEndpointGetsEveryEventSigned) {
    start({receiver.url("/one"), receiver.url("/two")});
    for (int i = 0; i < 30; ++i) append("s" + std::to_string(i % 4), i);
    ASSERT_TRUE(sent(60));
    std::map<std::string, std::set<std::string>> ids;
    std::map<std::string, std::map<std::string, int>> last;
    for (const auto& call : receiver.calls()) {
        EXPECT_TRUE(call.signature_holds);
        ids[call.path].insert(call.id);
        // In order within a session.
        const auto session = call.body.substr(call.body.find("\"session_id\":\"") + 14, 2);
        const int number = std::stoi(call.body.substr(call.body.find("\"number\":") + 9));
        EXPECT_GT(number, last[call.path].contains(session) ? last[call.path][session] : -1);
        last[call.path][session] = number;
    }
    EXPECT_EQ(receiver.calls().size(), 60U);
    EXPECT_EQ(ids.at("/one").size(), 30U);
    EXPECT_EQ(ids.at("/one"), ids.at("/two"));
    EXPECT_TRUE(webhooks->healthy());
}

TEST_F(WebhooksTest, AFailureIsTriedAgainWithTheSameId) {
    receiver.script({answer(500), answer(302, {{"Location", "/elsewhere"}})});
    start({receiver.url()});
    append("s", 1);
    append("s", 2);
    ASSERT_TRUE(eventually([&] { return webhooks->failed() == 1; }));
    EXPECT_FALSE(webhooks->healthy());
    EXPECT_EQ(webhooks->last_error(), "an endpoint answers 500");
    clock.advance(5s);
    ASSERT_TRUE(eventually([&] { return webhooks->failed() == 2; }));
    EXPECT_EQ(webhooks->last_error(), "an endpoint answers 302");
    clock.advance(10s);
    ASSERT_TRUE(sent(2));
    EXPECT_TRUE(webhooks->healthy());
    const auto calls = receiver.calls();
    ASSERT_EQ(calls.size(), 4U);
    EXPECT_EQ(calls[0].id, calls[1].id);
    EXPECT_EQ(calls[0].id, calls[2].id);
    EXPECT_NE(calls[0].id, calls[3].id);
    EXPECT_LT(calls[0].timestamp, calls[2].timestamp);
    for (const auto& call : calls) EXPECT_TRUE(call.signature_holds && call.path == "/hook");
}

TEST_F(WebhooksTest, RetryAfterIsHonoured) {
    receiver.script({answer(503, {{"Retry-After", "120"}})});
    start({receiver.url()});
    append("s", 1);
    ASSERT_TRUE(eventually([&] { return webhooks->failed() == 1; }));
    // It is due two minutes later, not before: at this time nothing is, and then it is.
    const auto due = [&](std::chrono::seconds later) {
        return loop.run(store->due_deliveries(clock.now() + later, 10)).value().size();
    };
    ASSERT_TRUE(eventually([&] { return due(0s) == 0; }));
    EXPECT_EQ(due(119s), 0U);
    EXPECT_EQ(due(120s), 1U);
}

TEST_F(WebhooksTest, GoneIsGivenUpAtOnce) {
    receiver.script({answer(410)});
    start({receiver.url()});
    append("s", 1);
    append("s", 2);
    ASSERT_TRUE(sent(1));
    EXPECT_EQ(webhooks->given_up(), 1U);
    EXPECT_EQ(receiver.calls().size(), 2U);
}

TEST_F(WebhooksTest, GivenUpAfterADay) {
    receiver.always("/hook", 500);
    start({receiver.url()});
    append("s", 1);
    ASSERT_TRUE(eventually([&] { return webhooks->failed() == 1; }));
    clock.advance(24h);
    ASSERT_TRUE(eventually([&] { return webhooks->given_up() == 1 && waiting() == 0; }));
    EXPECT_EQ(receiver.calls().size(), 1U);
}

TEST_F(WebhooksTest, AtMostSixteenCallsAtATime) {
    receiver.be_slow();
    start({receiver.url()});
    for (int i = 0; i < 60; ++i) append("s" + std::to_string(i), i);
    ASSERT_TRUE(sent(60));
    EXPECT_LE(receiver.most_at_once(), 16U);
    EXPECT_GT(receiver.most_at_once(), 4U);
}

TEST_F(WebhooksTest, ADeadEndpointDoesNotHoldUpTheOthers) {
    const auto nobody = "http://127.0.0.1:" + std::to_string(free_port()) + "/dead";
    start({nobody, receiver.url()});
    for (int i = 0; i < 100; ++i) append("s" + std::to_string(i), i);
    ASSERT_TRUE(eventually([&] { return receiver.calls().size() == 100 && webhooks->sent() == 100; }));
    EXPECT_FALSE(webhooks->healthy());
}

TEST_F(WebhooksTest, AnEndpointThatIsNoLongerConfiguredGetsNothing) {
    const auto former = receiver.url("/former");
    append("s", 1);
    ASSERT_EQ(loop.run(store->fan_out({former}, clock.now() - 1h, 10)).value(), 1);
    start({receiver.url("/present")});
    append("s", 2);
    ASSERT_TRUE(sent(1));
    EXPECT_EQ(webhooks->given_up(), 1U);
    ASSERT_EQ(receiver.calls().size(), 1U);
    EXPECT_EQ(receiver.calls()[0].path, "/present");
}

TEST_F(WebhooksTest, OneProcessAtATime) {
    const auto taken = steady_clock::now();
    ASSERT_TRUE(loop.run(store->hold_lease("webhooks", "another", 1500ms)).value());
    start({receiver.url()});
    append("s", 1);
    ASSERT_TRUE(sent(1));
    EXPECT_GE(steady_clock::now() - taken, 1500ms);
    // Whoever goes leaves its turn to the others.
    stop();
    EXPECT_TRUE(loop.run(store->hold_lease("webhooks", "another", 1min)).value());
}

}  // namespace
}  // namespace events::contract
