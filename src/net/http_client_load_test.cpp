// The HTTP client under load, in a hurry and at its end.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <netdb.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "net/http_client.hpp"
#include "net/raw_server.hpp"

namespace {

/// Names under `.hanging` are looked up until this is opened.
struct NameServer {
    std::mutex mutex;
    std::condition_variable changed;
    int asked = 0;
    int answered = 0;
    bool answers = false;
};
NameServer& name_server() {
    static auto& server = *new NameServer;  // Not destroyed: threads may still be on their way out of it.
    return server;
}

}  // namespace

// libcurl's look-ups come here.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
    if (name != nullptr && std::string_view{name}.ends_with(".hanging")) {
        auto& server = name_server();
        std::unique_lock lock(server.mutex);
        ++server.asked;
        server.changed.notify_all();
        server.changed.wait(lock, [&] { return server.answers; });
        ++server.answered;
        server.changed.notify_all();
        return EAI_NONAME;
    }
    using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
    return next(name, service, hints, result);
}

namespace net {
namespace {

namespace asio = boost::asio;
using core::ErrorKind;
using std::chrono::milliseconds;
using testing::CallerLoop;
using testing::Loopback;
using testing::RawServer;
using Answer = core::Result<OutgoingResponse>;

constexpr milliseconds kPatience{testing::kPatienceMs};

OutgoingRequest get(std::string url, milliseconds timeout = kPatience) {
    OutgoingRequest request;
    request.url = std::move(url);
    request.timeout = timeout;
    request.connect_timeout = kPatience;
    return request;
}

/// Requests wait in the server until so many are there at once.
class Gathering {
  public:
    explicit Gathering(std::size_t wanted) : wanted_(wanted) {}

    asio::awaitable<Response> answer() {
        most_ = std::max(most_, ++here_);
        if (waiting_.size() + 1 == wanted_) {
            for (auto* other : waiting_) other->cancel();
            waiting_.clear();
        } else {
            asio::steady_timer timer(co_await asio::this_coro::executor, kPatience);
            waiting_.push_back(&timer);
            boost::system::error_code ignored;
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            std::erase(waiting_, &timer);
        }
        --here_;
        co_return Response{};
    }
    std::size_t most() const { return most_; }

  private:
    std::size_t wanted_;
    std::size_t here_ = 0;
    std::size_t most_ = 0;
    std::vector<asio::steady_timer*> waiting_;
};

TEST(HttpClientLoad, TwoHundredAtOnceOfOneHost) {
    constexpr std::size_t kAtOnce = 200;
    Gathering gathering(kAtOnce);
    Loopback server([&](const Request&) { return gathering.answer(); }, {}, {}, 1);
    CallerLoop loop;
    HttpClient client;
    std::vector<std::future<Answer>> answers;
    answers.reserve(kAtOnce);
    const auto url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
    for (std::size_t i = 0; i < kAtOnce; ++i) answers.push_back(loop.spawn(client.send(get(url))));
    for (auto& answer : answers) {
        const auto got = answer.get();
        EXPECT_TRUE(got.has_value()) << got.error().detail;
    }
    EXPECT_EQ(server.server().connections(), kAtOnce);
    // And the next ones find them open.
    answers.clear();
    for (std::size_t i = 0; i < kAtOnce; ++i) answers.push_back(loop.spawn(client.send(get(url))));
    for (auto& answer : answers) EXPECT_TRUE(answer.get().has_value());
    EXPECT_EQ(server.server().connections(), kAtOnce);
}

TEST(HttpClientLoad, KeepsToTheConnectionsItMayHave) {
    for (const bool per_host : {true, false}) {
        constexpr std::size_t kMay = 3;
        Gathering gathering(kMay);
        Loopback server([&](const Request&) { return gathering.answer(); }, {}, {}, 1);
        CallerLoop loop;
        HttpClientSettings settings;
        (per_host ? settings.max_connections_per_host : settings.max_connections) = kMay;
        HttpClient client(settings);
        std::vector<std::future<Answer>> answers;
        answers.reserve(kMay * 10);
        for (std::size_t i = 0; i < kMay * 10; ++i) {
            answers.push_back(loop.spawn(client.send(get("http://127.0.0.1:" + std::to_string(server.port()) + "/"))));
        }
        for (auto& answer : answers) EXPECT_TRUE(answer.get().has_value());
        EXPECT_EQ(gathering.most(), kMay);
        EXPECT_LE(server.server().connections(), kMay);
    }
}

TEST(HttpClientLoad, ABusyHostDoesNotHoldUpAnother) {
    RawServer busy;
    Loopback other([](const Request&) -> asio::awaitable<Response> { co_return Response{}; });
    CallerLoop loop;
    HttpClientSettings settings;
    settings.max_connections_per_host = 1;
    HttpClient client(settings);
    auto first = loop.spawn(client.send(get(busy.url())));
    auto second = loop.spawn(client.send(get(busy.url())));
    EXPECT_TRUE(loop.run(client.send(get("http://127.0.0.1:" + std::to_string(other.port()) + "/"))).has_value());
    client.stop();
    EXPECT_FALSE(first.get().has_value());
    EXPECT_FALSE(second.get().has_value());
}

TEST(HttpClientLoad, RefusesAtOnceWhatDoesNotFitIntoTheQueue) {
    RawServer server;
    CallerLoop loop;
    HttpClientSettings settings;
    settings.max_connections = 1;
    settings.queue_limit = 2;
    HttpClient client(settings);
    auto first = loop.spawn(client.send(get(server.url())));
    const auto peer = server.accept();
    peer->head();
    auto second = loop.spawn(client.send(get(server.url())));
    auto third = loop.spawn(client.send(get(server.url("/third"), milliseconds{100})));
    const auto fourth = loop.run(client.send(get(server.url())));
    ASSERT_FALSE(fourth.has_value());
    EXPECT_EQ(fourth.error().kind, ErrorKind::unavailable);
    // Waiting counts against the time.
    const auto late = third.get();
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().kind, ErrorKind::timeout);
    // Which makes room again, once the client's thread has noticed.
    std::future<Answer> fifth;
    do {
        fifth = loop.spawn(client.send(get(server.url("/fifth"))));
    } while (fifth.wait_for(milliseconds{20}) == std::future_status::ready);
    for (const auto* path : {"/ ", "/fifth "}) {
        peer->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        EXPECT_TRUE(peer->head().starts_with(std::string{"GET "} + path));
    }
    peer->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(first.get().has_value());
    EXPECT_TRUE(second.get().has_value());
    EXPECT_TRUE(fifth.get().has_value());
}

TEST(HttpClientLoad, AServerThatHangsCostsTheTimeAllowedAndNoMore) {
    RawServer server;
    CallerLoop loop;
    HttpClient client;
    const auto begin = std::chrono::steady_clock::now();
    auto answer = loop.spawn(client.send(get(server.url("/secret"), milliseconds{150})));
    const auto peer = server.accept();
    EXPECT_NE(peer->head(), "");
    peer->send("HTTP/1.1 200 OK\r\nContent-Le");
    const auto got = answer.get();
    EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds{150});
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, ErrorKind::timeout);
    EXPECT_EQ(got.error().detail, "127.0.0.1 did not answer in time");
    peer->wait_for_end();
}

/// Nanoseconds that threads of this name have run.
std::uint64_t time_of_threads(const std::string& name) {
    std::uint64_t total = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string comm;
        std::getline(std::ifstream(task.path() / "comm"), comm);
        std::uint64_t run = 0;
        std::ifstream(task.path() / "schedstat") >> run;
        if (comm == name) total += run;
    }
    return total;
}

TEST(HttpClientLoad, DoesNotSpin) {
    RawServer server;
    CallerLoop loop;
    HttpClientSettings settings;
    settings.thread_name = "idle-client";
    HttpClient client(settings);
    auto answer = loop.spawn(client.send(get(server.url(), milliseconds{400})));
    const auto peer = server.accept();
    peer->head();
    const auto before = time_of_threads("idle-client");
    EXPECT_GT(before, 0U);
    answer.wait();
    EXPECT_LT(time_of_threads("idle-client") - before, 100'000'000U);
}

TEST(HttpClientLoad, ACancelledCallerGivesItsTransferUp) {
    RawServer server;
    CallerLoop loop;
    HttpClient client;
    auto cancel = std::make_shared<asio::cancellation_signal>();
    std::promise<bool> ended;
    asio::co_spawn(loop.executor(), client.send(get(server.url())),
                   asio::bind_cancellation_slot(cancel->slot(), [&](const std::exception_ptr& thrown, const Answer&) {
                       ended.set_value(thrown != nullptr);
                   }));
    const auto peer = server.accept();
    peer->head();
    asio::post(loop.executor(), [cancel] { cancel->emit(asio::cancellation_type::terminal); });
    EXPECT_TRUE(ended.get_future().get());
    peer->wait_for_end();
}

TEST(HttpClientLoad, ACancelledCallerLeavesTheQueue) {
    RawServer server;
    CallerLoop loop;
    HttpClientSettings settings;
    settings.max_connections = 1;
    settings.queue_limit = 1;
    HttpClient client(settings);
    auto first = loop.spawn(client.send(get(server.url())));
    const auto peer = server.accept();
    peer->head();
    for (int i = 0; i < 20; ++i) {
        auto cancel = std::make_shared<asio::cancellation_signal>();
        std::promise<void> ended;
        asio::co_spawn(loop.executor(), client.send(get(server.url("/dropped"))),
                       asio::bind_cancellation_slot(
                           cancel->slot(), [&](const std::exception_ptr&, const Answer&) { ended.set_value(); }));
        asio::post(loop.executor(), [cancel] { cancel->emit(asio::cancellation_type::terminal); });
        ended.get_future().get();
    }
    // The place becomes free once the client's thread has noticed.
    std::future<Answer> last;
    do {
        last = loop.spawn(client.send(get(server.url("/last"))));
    } while (last.wait_for(milliseconds{20}) == std::future_status::ready);
    peer->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(peer->head().starts_with("GET /last "));
    peer->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(first.get().has_value());
    EXPECT_TRUE(last.get().has_value());
}

TEST(HttpClientLoad, AnEventLoopMayGoWhileItsCallsAreUnderWay) {
    RawServer server;
    HttpClient client;
    std::unique_ptr<testing::RawPeer> peer;
    {
        CallerLoop loop;
        asio::co_spawn(loop.executor(), client.send(get(server.url())), asio::detached);
        peer = server.accept();
        peer->head();
    }
    peer->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CallerLoop loop;
    auto next = loop.spawn(client.send(get(server.url())));
    peer = server.accept();
    peer->head();
    peer->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(next.get().has_value());
}

TEST(HttpClientLoad, StopEndsEverything) {
    RawServer server;
    CallerLoop loop;
    HttpClientSettings settings;
    settings.max_connections = 2;
    auto client = std::make_unique<HttpClient>(settings);
    std::vector<std::future<Answer>> answers;
    answers.reserve(10);
    for (int i = 0; i < 10; ++i) answers.push_back(loop.spawn(client->send(get(server.url()))));
    server.accept()->head();
    client->stop();
    client->stop();
    for (auto& answer : answers) {
        const auto got = answer.get();
        ASSERT_FALSE(got.has_value());
        EXPECT_EQ(got.error().kind, ErrorKind::unavailable);
    }
    const auto after = loop.run(client->send(get(server.url())));
    ASSERT_FALSE(after.has_value());
    EXPECT_EQ(after.error().kind, ErrorKind::unavailable);
    // A coroutine that has not begun does not need the client either.
    auto unbegun = client->send(get(server.url()));
    client.reset();
    EXPECT_FALSE(loop.run(std::move(unbegun)).has_value());
}

TEST(HttpClientLoad, ANameServerThatHangsHoldsUpNobodyElse) {
    Loopback server([](const Request&) -> asio::awaitable<Response> { co_return Response{}; });
    CallerLoop loop;
    HttpClient client;
    auto request = get("http://chime.hanging/", milliseconds{100});
    {
        const std::scoped_lock lock(name_server().mutex);
        name_server().answers = false;
        name_server().asked = name_server().answered = 0;
    }
    for (int i = 0; i < 4; ++i) {
        auto slow = loop.spawn(client.send(request));
        {
            std::unique_lock lock(name_server().mutex);
            name_server().changed.wait_for(lock, kPatience, [&] { return name_server().asked == i + 1; });
        }
        const auto url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
        EXPECT_TRUE(loop.run(client.send(get(url))).has_value());
        const auto got = slow.get();
        ASSERT_FALSE(got.has_value());
        EXPECT_EQ(got.error().kind, ErrorKind::timeout);
        EXPECT_TRUE(loop.run(client.send(get(url))).has_value());
    }
    // Each has left a thread behind. Enough of them.
    request.timeout = kPatience;
    const auto refused = loop.run(client.send(request));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
    std::unique_lock lock(name_server().mutex);
    EXPECT_EQ(name_server().asked, 4);
    name_server().answers = true;
    name_server().changed.notify_all();
    name_server().changed.wait_for(lock, kPatience, [] { return name_server().answered == 4; });
}

}  // namespace
}  // namespace net
