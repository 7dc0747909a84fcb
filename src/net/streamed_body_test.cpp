#include "net/streamed_body.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "net/loopback.hpp"
#include "net/test_identity.hpp"
#include "net/test_tls_client.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using testing::Loopback;
using testing::RawClient;

constexpr milliseconds kLong{600'000};

/// What a source and its test share.
struct Desk {
    std::mutex mutex;
    std::string text;            ///< To be written next.
    std::function<void()> wake;  ///< Set when the source runs.
    std::promise<void> running, ended;
    std::atomic<int> held{0};  ///< Sources that have not been destroyed.

    void say(std::string more) {
        std::function<void()> call;
        {
            const std::scoped_lock lock(mutex);
            text += more;
            call = wake;
        }
        if (call) call();
    }
};
using DeskPtr = std::shared_ptr<Desk>;

asio::awaitable<void> speak(DeskPtr desk, BodySink& sink) {
    {
        const std::scoped_lock lock(desk->mutex);
        desk->wake = sink.waker();
    }
    desk->running.set_value();
    for (bool on = true; on;) {
        std::string text;
        {
            const std::scoped_lock lock(desk->mutex);
            text = std::exchange(desk->text, {});
        }
        if (text == "throw") throw std::runtime_error("secret text");
        const bool last = text.ends_with('.');
        if (!text.empty() && !co_await sink.write(std::move(text))) break;
        on = !last && co_await sink.wait(kLong);
    }
    desk->ended.set_value();
}

Handler speaking(DeskPtr desk) {
    return [desk](const Request& request) -> asio::awaitable<Response> {
        Response response;
        if (request.path() != "/stream") co_return response;
        response.content_type = "text/event-stream";
        ++desk->held;
        const std::shared_ptr<Desk> held(desk.get(), [desk](Desk* each) { --each->held; });
        response.stream = [held](BodySink& sink) { return speak(held, sink); };
        co_return response;
    };
}

bool within_patience(std::promise<void>& promise) {
    return promise.get_future().wait_for(milliseconds{testing::kPatienceMs}) == std::future_status::ready;
}

template <class Condition>
bool comes_true(Condition condition) {
    for (int tries = 0; tries < testing::kPatienceMs / 5; ++tries) {
        if (condition()) return true;
        std::this_thread::sleep_for(milliseconds{5});
    }
    return false;
}

constexpr std::string_view kAsk = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(StreamedBody, GoesOutPieceByPieceAndEndsWithTheLastChunk) {
    const auto desk = std::make_shared<Desk>();
    Loopback loopback(speaking(desk));
    RawClient client(loopback.port());
    client.send(kAsk);
    const auto head = client.answer(true);
    EXPECT_NE(head.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos) << head;
    EXPECT_NE(head.find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_EQ(head.find("Content-Length"), std::string::npos);
    desk->say("hello");
    EXPECT_EQ(client.bytes(10), "5\r\nhello\r\n");
    desk->say("a piece of twenty-six bytes");
    EXPECT_EQ(client.bytes(33), "1b\r\na piece of twenty-six bytes\r\n");
    desk->say(".");
    EXPECT_EQ(client.rest(), "1\r\n.\r\n0\r\n\r\n");
    EXPECT_TRUE(comes_true([&] { return desk->held == 0; }));
}

TEST(StreamedBody, IsNotChunkedForHttp10) {
    const auto desk = std::make_shared<Desk>();
    Loopback loopback(speaking(desk));
    RawClient client(loopback.port());
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client.answer(true).find("Transfer-Encoding"), std::string::npos);
    desk->say("hello.");
    EXPECT_EQ(client.rest(), "hello.");
}

TEST(StreamedBody, HeadGetsNoneAndTheConnectionGoesOn) {
    const auto desk = std::make_shared<Desk>();
    Loopback loopback(speaking(desk));
    RawClient client(loopback.port());
    client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(client.answer(true).find("text/event-stream"), std::string::npos);
    EXPECT_NE(client.answer().find("Content-Length: 0"), std::string::npos);
    EXPECT_TRUE(comes_true([&] { return desk->held == 0; }));
}

TEST(StreamedBody, NoticesAClientThatGoes) {
    const auto desk = std::make_shared<Desk>();
    Loopback loopback(speaking(desk));
    {
        RawClient client(loopback.port());
        client.send(kAsk);
        client.answer(true);
        EXPECT_TRUE(within_patience(desk->running));
    }
    EXPECT_TRUE(within_patience(desk->ended));
    EXPECT_TRUE(comes_true([&] { return loopback.server().connections() == 0; }));
    desk->wake();
}

TEST(StreamedBody, ThrowsAwayWhatTheClientSaysMeanwhileUpToALimit) {
    const auto desk = std::make_shared<Desk>();
    Loopback loopback(speaking(desk));
    RawClient client(loopback.port());
    client.send(kAsk);
    client.answer(true);
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    desk->say("hello");
    EXPECT_EQ(client.bytes(10), "5\r\nhello\r\n");
    client.send(std::string(128 * 1024, 'x'));
    EXPECT_TRUE(within_patience(desk->ended));
}

TEST(StreamedBody, IsGivenUpWhenTheClientDoesNotRead) {
    const auto desk = std::make_shared<Desk>();
    HttpServerSettings settings;
    settings.write_time = milliseconds{200};
    Loopback loopback(speaking(desk), {}, settings);
    RawClient client(loopback.port(), 4096);
    client.send(kAsk);
    EXPECT_TRUE(within_patience(desk->running));
    desk->say(std::string(8 * 1024 * 1024, 'x'));
    EXPECT_TRUE(within_patience(desk->ended));
}

TEST(StreamedBody, EndsWithTheServerAndDoesNotHoldUpItsStop) {
    const auto desk = std::make_shared<Desk>();
    Loopback loopback(speaking(desk));
    RawClient client(loopback.port());
    client.send(kAsk);
    client.answer(true);
    EXPECT_TRUE(within_patience(desk->running));
    EXPECT_TRUE(loopback.server().stop(milliseconds{testing::kPatienceMs}));
    EXPECT_EQ(client.rest(), "0\r\n\r\n");
    EXPECT_EQ(desk->held, 0);
}

TEST(StreamedBody, FailureOfTheSourceLeavesTheBodyVisiblyUnfinished) {
    const auto desk = std::make_shared<Desk>();
    Loopback loopback(speaking(desk));
    RawClient client(loopback.port());
    client.send(kAsk);
    client.answer(true);
    EXPECT_TRUE(within_patience(desk->running));
    desk->say("throw");
    EXPECT_EQ(client.rest(), "");
    EXPECT_TRUE(comes_true([&] { return desk->held == 0; }));
}

TEST(StreamedBody, IsCutOffWithItsConnection) {
    const auto desk = std::make_shared<Desk>();
    {
        Loopback loopback([desk](const Request&) -> asio::awaitable<Response> {
            Response response;
            // It does not care that the server stops.
            response.stream = [desk](BodySink& sink) -> asio::awaitable<void> {
                desk->running.set_value();
                for (;;) {
                    asio::steady_timer timer(co_await asio::this_coro::executor, kLong);
                    co_await timer.async_wait(asio::use_awaitable);
                    co_await sink.write("x");
                }
            };
            co_return response;
        });
        RawClient client(loopback.port());
        client.send(kAsk);
        EXPECT_TRUE(within_patience(desk->running));
        EXPECT_FALSE(loopback.server().stop(milliseconds{50}));
    }
}

}  // namespace
}  // namespace net
