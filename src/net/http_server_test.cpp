#include "net/http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <set>
#include <stdexcept>
#include <thread>

#include "net/forwarded.hpp"
#include "net/loopback.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using testing::Loopback;
using testing::RawClient;

asio::awaitable<Response> echo(const Request& request) {
    if (request.path() == "/throw") throw std::runtime_error("secret text");
    if (request.path() == "/throw-int") throw 1;
    Response response;
    if (request.path() == "/empty") {
        response.status = 204;
        co_return response;
    }
    if (request.path() == "/inject") {
        response.headers = {{"Location", "/a\r\nX-Evil: 1"}, {"X Y", "z"}, {"X-Good", "yes"}};
    }
    response.content_type = "text/plain";
    if (request.path() == "/large") {
        response.body.assign(4 * 1024 * 1024, 'x');
        co_return response;
    }
    response.body.append(request.method).append(" ").append(request.target).append(" ").append(request.body);
    response.body.append(" ").append(request.remote_address);
    co_return response;
}

std::string head_of(const std::string& answer) {
    return answer.substr(0, answer.find("\r\n\r\n") + 2);
}
std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
}
bool has_line(const std::string& answer, const std::string& line) {
    return head_of(answer).find("\r\n" + line + "\r\n") != std::string::npos;
}
std::string field_of(const std::string& answer, const std::string& name) {
    const auto head = head_of(answer);
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    client.send("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto first = client.answer();
    EXPECT_TRUE(first.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(body_of(first), "GET /a?b  127.0.0.1");
    EXPECT_TRUE(has_line(first, "Server: video-consultation"));
    EXPECT_TRUE(has_line(first, "Content-Type: text/plain"));
    EXPECT_EQ(field_of(first, "Date").size(), 29u);
    EXPECT_TRUE(field_of(first, "Date").ends_with(" GMT"));
    EXPECT_FALSE(has_line(first, "Connection: close"));
    client.send("POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nxyz");
    const auto second = client.answer();
    EXPECT_EQ(body_of(second), "POST /c xyz 127.0.0.1");
    EXPECT_TRUE(has_line(second, "Connection: close"));
    EXPECT_EQ(client.rest(), "");
}

TEST(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    std::string all;
    for (int i = 0; i < 50; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(all);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(body_of(client.answer()), "GET /" + std::to_string(i) + "  127.0.0.1");
}

TEST(HttpServer, SpeaksHttp10) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(has_line(client.answer(), "Connection: keep-alive"));
    client.send("GET /a HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(has_line(client.answer(), "Connection: close"));
    EXPECT_EQ(client.rest(), "");
}

TEST(HttpServer, HeadHasTheHeadersOfGetAndNoBody) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto head = client.answer(true);
    const auto get = client.answer();
    EXPECT_EQ(body_of(head), "");
    EXPECT_EQ(field_of(head, "Content-Length"), field_of(get, "Content-Length"));
    EXPECT_EQ(field_of(get, "Content-Length"), std::to_string(body_of(get).size()));
}

TEST(HttpServer, NoContentHasNoLength) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    client.send("GET /empty HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto empty = client.answer(true);
    EXPECT_TRUE(empty.starts_with("HTTP/1.1 204 "));
    EXPECT_EQ(field_of(empty, "Content-Length"), "");
    EXPECT_EQ(field_of(empty, "Content-Type"), "");
    EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 200 "));
}

TEST(HttpServer, LeavesOutHeadersThatWouldAddLines) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    client.send("GET /inject HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto answer = client.answer();
    EXPECT_EQ(answer.find("X-Evil"), std::string::npos);
    EXPECT_EQ(answer.find("X Y"), std::string::npos);
    EXPECT_EQ(field_of(answer, "X-Good"), "yes");
}

TEST(HttpServer, GivesBackSaneRequestIdsAndMakesOthers) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    const auto id_for = [&](const std::string& field) {
        client.send("GET /a HTTP/1.1\r\nHost: x\r\n" + field + "\r\n");
        return field_of(client.answer(), "X-Request-ID");
    };
    EXPECT_EQ(id_for("X-Request-ID: abc-123_4\r\n"), "abc-123_4");
    EXPECT_EQ(id_for("x-request-id: " + std::string(64, 'a') + "\r\n"), std::string(64, 'a'));
    std::set<std::string> made;
    for (const std::string& field :
         {std::string{}, std::string{"X-Request-ID: a b\r\n"}, "X-Request-ID: " + std::string(65, 'a') + "\r\n",
          std::string{"X-Request-ID: <script>\r\n"}, std::string{"X-Request-ID:\r\n"}}) {
        const auto id = id_for(field);
        EXPECT_GE(id.size(), 13u);
        EXPECT_EQ(id.find_first_of("< a>"), id.find('a'));
        EXPECT_TRUE(made.insert(id).second) << id;
    }
}

TEST(HttpServer, HandlerExceptionIsA500ThatTellsNothing) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    for (const std::string path : {"/throw", "/throw-int"}) {
        client.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto answer = client.answer();
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 "));
        EXPECT_TRUE(has_line(answer, "Content-Type: application/json"));
        EXPECT_EQ(body_of(answer), R"({"error":"Internal server error","detail":"An unexpected error occurred"})");
    }
}

TEST(HttpServer, RefusesInJsonAndCloses) {
    Loopback loopback(echo);
    const auto answer_to = [&](const std::string& bytes) {
        RawClient client(loopback.port());
        client.send(bytes);
        auto answer = client.answer();
        EXPECT_EQ(client.rest(), "");
        return answer;
    };
    const auto malformed = answer_to("nonsense\r\n\r\n");
    EXPECT_TRUE(malformed.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_TRUE(has_line(malformed, "Content-Type: application/json"));
    EXPECT_TRUE(has_line(malformed, "Connection: close"));
    EXPECT_EQ(body_of(malformed), R"({"detail":"Malformed request"})");
    EXPECT_TRUE(answer_to("GET /" + std::string(20'000, 'a')).starts_with("HTTP/1.1 414 "));
    EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a')).starts_with("HTTP/1.1 431 "));
    EXPECT_TRUE(answer_to("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n" + std::string(65537, 'a'))
                    .starts_with("HTTP/1.1 413 "));
    EXPECT_TRUE(answer_to("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
                    .starts_with("HTTP/1.1 400 "));
    EXPECT_TRUE(answer_to("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
                    .starts_with("HTTP/1.1 400 "));
}

TEST(HttpServer, TakesTheLargestBodyAllowed) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    const std::string body(64 * 1024, 'b');
    client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n" + body);
    EXPECT_EQ(body_of(client.answer()), "POST /a " + body + " 127.0.0.1");
}

TEST(HttpServer, TellsTheClientToContinue) {
    Loopback loopback(echo);
    RawClient client(loopback.port());
    client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.bytes(25), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    EXPECT_EQ(body_of(client.answer()), "POST /a ok 127.0.0.1");
}

TEST(HttpServer, CutsOffSlowSenders) {
    HttpServerSettings settings;
    settings.header_time = settings.body_time = milliseconds{80};
    Loopback loopback(echo, {}, settings);
    RawClient header(loopback.port());
    header.send("GET / HTTP/1.1\r\nHo");
    const auto slow_header = header.answer();
    EXPECT_TRUE(slow_header.starts_with("HTTP/1.1 408 "));
    EXPECT_EQ(body_of(slow_header), R"({"detail":"Request took too long to arrive"})");
    EXPECT_EQ(header.rest(), "");

    RawClient body(loopback.port());
    body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc");
    EXPECT_TRUE(body.answer().starts_with("HTTP/1.1 408 "));

    RawClient silent(loopback.port());
    EXPECT_EQ(silent.rest(), "");
}

TEST(HttpServer, ClosesIdleConnections) {
    HttpServerSettings settings;
    settings.idle_time = milliseconds{80};
    Loopback loopback(echo, {}, settings);
    RawClient client(loopback.port());
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(client.answer(), "");
    EXPECT_EQ(client.rest(), "");
}

TEST(HttpServer, ClosesOnClientsThatDoNotRead) {
    HttpServerSettings settings;
    settings.write_time = milliseconds{80};
    Loopback loopback(echo, {}, settings);
    RawClient client(loopback.port(), 4096);
    client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    // The server gives up although this end never closes.
    const auto patience = std::chrono::steady_clock::now() + milliseconds{testing::kPatienceMs};
    bool seen = false;
    while (std::chrono::steady_clock::now() < patience && !(seen && loopback.server().connections() == 0)) {
        seen = seen || loopback.server().connections() == 1;
        std::this_thread::yield();
    }
    EXPECT_TRUE(seen);
    EXPECT_EQ(loopback.server().connections(), 0u);
    EXPECT_LT(client.rest().size(), 4u * 1024 * 1024);
}

TEST(HttpServer, SendsLargeAnswersWhole) {
    Loopback loopback(echo);
    RawClient client(loopback.port(), 4096);
    client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto body = body_of(client.answer());
    EXPECT_EQ(body.size(), 4u * 1024 * 1024);
    EXPECT_EQ(body.find_first_not_of('x'), std::string::npos);
}

TEST(HttpServer, BoundsItsConnections) {
    HttpServerSettings settings;
    settings.max_connections = 2;
    Loopback loopback(echo, {}, settings);
    RawClient one(loopback.port());
    RawClient two(loopback.port());
    const std::string request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    one.send(request);
    two.send(request);
    EXPECT_NE(one.answer(), "");
    EXPECT_NE(two.answer(), "");
    RawClient three(loopback.port());
    const auto refused = three.answer();
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 "));
    EXPECT_EQ(body_of(refused), R"({"detail":"Too many connections"})");
    one.send(request);
    EXPECT_NE(one.answer(), "");
}

TEST(HttpServer, SpreadsConnectionsEvenlyOverItsLoops) {
    std::mutex mutex;
    std::map<std::thread::id, int> requests;
    Loopback loopback(
        [&](const Request&) -> asio::awaitable<Response> {
            const std::lock_guard lock(mutex);
            ++requests[std::this_thread::get_id()];
            co_return Response{};
        },
        {}, {}, 4);
    std::vector<std::unique_ptr<RawClient>> clients;
    clients.reserve(32);
    for (int i = 0; i < 32; ++i) clients.push_back(std::make_unique<RawClient>(loopback.port()));
    for (auto& client : clients) client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (auto& client : clients) EXPECT_NE(client->answer(), "");
    ASSERT_EQ(requests.size(), 4u);
    for (const auto& [thread, count] : requests) EXPECT_EQ(count, 8);
}

TEST(HttpServer, BelievesTrustedProxiesOnly) {
    const std::string told =
        "GET / HTTP/1.1\r\nHost: inner\r\nX-Forwarded-For: 198.51.100.1, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
        "X-Forwarded-Host: video.example.org\r\n\r\n";
    const auto where = [](const Request& request) -> asio::awaitable<Response> {
        Response response;
        response.body = reached_at(request) + " " + std::string{request.remote_address};
        co_return response;
    };
    for (const auto* proxies : {"10.0.0.0/8", "127.0.0.0/8"}) {
        HttpServerSettings settings;
        settings.trusted_proxies.add(*AddressRange::parse(proxies));
        Loopback loopback(where, {}, settings);
        RawClient client(loopback.port());
        client.send(told);
        const bool trusted = proxies == std::string_view{"127.0.0.0/8"};
        EXPECT_EQ(body_of(client.answer()),
                  trusted ? "https://video.example.org 203.0.113.9" : "http://inner 127.0.0.1");
        // The next request of the same connection may be another client's.
        client.send("GET / HTTP/1.1\r\nHost: inner\r\n\r\n");
        EXPECT_EQ(body_of(client.answer()), "http://inner 127.0.0.1");
    }
}

TEST(HttpServer, TakenPortIsAClearError) {
    Loopback loopback(echo);
    HttpServerSettings settings;
    settings.hosts = {"127.0.0.1"};
    settings.port = loopback.port();
    const auto second = HttpServer::start(settings, loopback.executors(), echo);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().detail, "cannot listen on 127.0.0.1:" + std::to_string(loopback.port()) +
                                         ": the port is in use by another program");
    settings.hosts = {"192.0.2.1"};
    const auto foreign = HttpServer::start(settings, loopback.executors(), echo);
    ASSERT_FALSE(foreign.has_value());
    EXPECT_TRUE(foreign.error().detail.starts_with("cannot listen on 192.0.2.1:"));
}

// A handler that waits until the test lets it go on.
struct Gate {
    explicit Gate(asio::any_io_executor executor) : timer(executor, asio::steady_timer::time_point::max()) {}
    asio::awaitable<void> wait() {
        entered.set_value();
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    void open() {
        asio::post(timer.get_executor(), [this] { timer.cancel(); });
    }
    asio::steady_timer timer;
    std::promise<void> entered;
};

TEST(HttpServer, StopLetsRunningRequestsFinishAndClosesIdleConnections) {
    Gate* gate = nullptr;
    Loopback loopback(
        [&](const Request& request) -> asio::awaitable<Response> {
            if (request.path() == "/slow") co_await gate->wait();
            Response response;
            response.body = "done";
            co_return response;
        },
        {}, {}, 1);
    Gate storage(loopback.executors().executor(0));
    gate = &storage;
    RawClient idle(loopback.port());
    idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(body_of(idle.answer()), "done");
    RawClient busy(loopback.port());
    busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    gate->entered.get_future().wait();

    loopback.server().close();
    EXPECT_EQ(idle.rest(), "");
    gate->open();
    const auto answer = busy.answer();
    EXPECT_EQ(body_of(answer), "done");
    EXPECT_TRUE(has_line(answer, "Connection: close"));
    EXPECT_TRUE(loopback.server().stop(milliseconds{testing::kPatienceMs}));
    EXPECT_EQ(loopback.server().connections(), 0u);
}

TEST(HttpServer, StopCutsOffWhatDoesNotEnd) {
    Gate* gate = nullptr;
    Loopback loopback(
        [&](const Request&) -> asio::awaitable<Response> {
            co_await gate->wait();
            co_return Response{};
        },
        {}, {}, 1);
    Gate storage(loopback.executors().executor(0));
    gate = &storage;
    RawClient client(loopback.port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    gate->entered.get_future().wait();
    EXPECT_FALSE(loopback.server().stop(milliseconds{1}));
    EXPECT_EQ(client.rest(), "");
    EXPECT_EQ(loopback.server().connections(), 0u);
}

}  // namespace
}  // namespace net
