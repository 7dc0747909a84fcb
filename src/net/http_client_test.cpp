#include "net/http_client.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <thread>

#include "net/raw_server.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
using core::ErrorKind;
using std::chrono::milliseconds;
using testing::CallerLoop;
using ::testing::HasSubstr;
using testing::Loopback;
using ::testing::Not;
using testing::RawServer;
using Answer = core::Result<OutgoingResponse>;

constexpr milliseconds kPatience{testing::kPatienceMs};

OutgoingRequest get(std::string url) {
    OutgoingRequest request;
    request.url = std::move(url);
    request.timeout = kPatience;
    request.connect_timeout = kPatience;
    return request;
}

class HttpClientTest : public ::testing::Test {
  protected:
    Answer send(OutgoingRequest request) { return loop.run(client.send(std::move(request))); }

    /// What a request looks like on the wire.
    std::string sent_as(OutgoingRequest request, std::size_t body = 0) {
        RawServer server;
        request.url.insert(0, server.url(""));
        auto answer = loop.spawn(client.send(std::move(request)));
        const auto peer = server.accept();
        auto text = peer->head();
        text += peer->bytes(body);
        peer->send("HTTP/1.1 204 No Content\r\n\r\n");
        const auto got = answer.get();
        EXPECT_TRUE(got.has_value() && got->status == 204);
        const auto host = "127.0.0.1:" + std::to_string(server.port());
        if (const auto at = text.find(host); at != std::string::npos) text.replace(at, host.size(), "HOST");
        return text;
    }

    /// What comes of an answer of these bytes, behind which the connection is closed.
    Answer answered_with(std::string_view bytes, std::size_t max_body = 1000) {
        RawServer server;
        auto request = get(server.url("/secret?token=secret"));
        request.max_body = max_body;
        auto answer = loop.spawn(client.send(std::move(request)));
        {
            const auto peer = server.accept();
            peer->head();
            peer->send(bytes);
        }
        auto got = answer.get();
        if (!got) {
            EXPECT_THAT(got.error().detail, Not(HasSubstr("secret")));
            EXPECT_THAT(got.error().detail, HasSubstr("127.0.0.1"));
        }
        return got;
    }

    CallerLoop loop;
    HttpClient client;
};

TEST_F(HttpClientTest, AnyStatusIsAnAnswer) {
    Loopback server([](const Request& request) -> asio::awaitable<Response> {
        Response response;
        response.status = static_cast<unsigned>(std::stoi(std::string{request.path().substr(1)}));
        response.body = "body";
        response.headers = {{"X-Mixed-Case", "  spaced  "}, {"Retry-After", "7"}};
        co_return response;
    });
    for (const unsigned status : {200U, 201U, 302U, 404U, 429U, 500U, 503U}) {
        const auto got = send(get("http://localhost:" + std::to_string(server.port()) + "/" + std::to_string(status)));
        ASSERT_TRUE(got.has_value()) << got.error().detail;
        EXPECT_EQ(got->status, status);
        EXPECT_EQ(got->body, "body");
        EXPECT_EQ(got->header("x-mixed-case"), "spaced");
        EXPECT_EQ(got->header("retry-after"), "7");
        EXPECT_EQ(got->header("absent"), "");
    }
}

TEST_F(HttpClientTest, SendsWhatItWasGivenAndNothingElse) {
    auto request = get("/a/../b/./c%2F%zz//d;e=1?q=a%20b&x=[1]{2}|^&Action=~-_.!*'()");
    request.headers = {{"X-Amz-Date", "20260125T140000Z"}, {"authorization", "AWS4 a=b,  c=d"}, {"X-Empty", ""}};
    EXPECT_EQ(sent_as(request),
              "GET /a/../b/./c%2F%zz//d;e=1?q=a%20b&x=[1]{2}|^&Action=~-_.!*'() HTTP/1.1\r\nHost: HOST\r\n"
              "X-Amz-Date: 20260125T140000Z\r\nauthorization: AWS4 a=b,  c=d\r\nX-Empty:\r\n\r\n");
    EXPECT_EQ(sent_as(get("?only=query")), "GET /?only=query HTTP/1.1\r\nHost: HOST\r\n\r\n");
    EXPECT_EQ(sent_as(get("")), "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n");
    request = get("/");
    request.headers = {{"Host", "chime.example"}, {"User-Agent", "ours"}, {"Accept", "a/b"}};
    EXPECT_EQ(sent_as(request), "GET / HTTP/1.1\r\nHost: chime.example\r\nUser-Agent: ours\r\nAccept: a/b\r\n\r\n");
}

TEST_F(HttpClientTest, SaysHowLongABodyIs) {
    auto request = get("/x");
    request.method = "POST";
    EXPECT_EQ(sent_as(request), "POST /x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n");
    request.body = std::string("a\0b", 3);
    request.headers = {{"Content-Type", "application/json"}};
    EXPECT_EQ(sent_as(request, 3),
              "POST /x HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n"
              "Content-Length: 3\r\n\r\n" +
                  request.body);
    request.headers = {{"Content-Length", "3"}};
    request.method = "PUT";
    EXPECT_EQ(sent_as(request, 3), "PUT /x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\n" + request.body);
    // Large enough for libcurl to ask first whether it may send it.
    request.headers.clear();
    request.body.assign(2'000'000, 'x');
    EXPECT_EQ(sent_as(request, request.body.size()),
              "PUT /x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 2000000\r\n\r\n" + request.body);
    request = get("/x");
    request.method = "DELETE";
    EXPECT_EQ(sent_as(request), "DELETE /x HTTP/1.1\r\nHost: HOST\r\n\r\n");
}

TEST_F(HttpClientTest, HeadHasNoBody) {
    RawServer server;
    auto request = get(server.url());
    request.method = "HEAD";
    request.max_body = 10;
    auto answer = loop.spawn(client.send(request));
    const auto peer = server.accept();
    EXPECT_TRUE(peer->head().starts_with("HEAD / HTTP/1.1\r\n"));
    peer->send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    const auto got = answer.get();
    ASSERT_TRUE(got.has_value()) << got.error().detail;
    EXPECT_EQ(got->body, "");
    EXPECT_EQ(got->header("content-length"), "100");
}

TEST_F(HttpClientTest, RefusesWhatCannotBeSentAsItIs) {
    const auto refused = [&](OutgoingRequest request) {
        const auto got = send(std::move(request));
        return !got.has_value() && got.error().kind == ErrorKind::internal &&
               got.error().detail.find("secret") == std::string::npos;
    };
    for (const auto* url : {"", "secret", "/secret", "http://", "http:///secret", "ftp://127.0.0.1/secret",
                            "file:///secret", "gopher://127.0.0.1/", "http://127.0.0.1/a secret",
                            "http://127.0.0.1/\r\nX: secret", "http://127.0.0.1:99999/", "http://127.0.0.1/\xc3\xa4"}) {
        EXPECT_TRUE(refused(get(url))) << url;
    }
    for (const auto& [name, value] : HeaderList{{"X", "secret\r\nY: 1"},
                                                {"X", "a\nb"},
                                                {"X", std::string("\0", 1)},
                                                {"", "secret"},
                                                {"X Y", ""},
                                                {"X:", ""},
                                                {"X\r\n", ""},
                                                {"X", " a"},
                                                {"Transfer-Encoding", "chunked"},
                                                {"content-length", "1"}}) {
        auto request = get("http://127.0.0.1/");
        request.headers = {{name, value}};
        EXPECT_TRUE(refused(request)) << name;
    }
    auto request = get("http://127.0.0.1/");
    request.method = "GET /secret";
    EXPECT_TRUE(refused(request));
    request = get("http://127.0.0.1/");
    request.timeout = milliseconds{0};
    EXPECT_TRUE(refused(request));
}

TEST_F(HttpClientTest, NobodyThereIsUnavailable) {
    std::string url;
    {
        const RawServer closed;
        url = closed.url("/secret");
    }
    const auto got = send(get(url));
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(got.error().detail, "127.0.0.1 could not be reached");
}

TEST_F(HttpClientTest, ReadsEveryFormOfAnswer) {
    const auto plain = answered_with("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    ASSERT_TRUE(plain.has_value()) << plain.error().detail;
    EXPECT_EQ(plain->body, "until the end");
    const auto chunked = answered_with(
        "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
    ASSERT_TRUE(chunked.has_value()) << chunked.error().detail;
    EXPECT_EQ(chunked->body, "abcde");
    EXPECT_EQ(chunked->header("x-early"), "");
}

TEST_F(HttpClientTest, ABrokenConnectionIsUnavailable) {
    for (const auto* bytes : {"", "HTTP/1.1 200 OK\r\nConten", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
        const auto got = answered_with(bytes);
        ASSERT_FALSE(got.has_value()) << bytes;
        EXPECT_EQ(got.error().kind, ErrorKind::unavailable) << bytes;
    }
}

TEST_F(HttpClientTest, AnAnswerThatIsNotHttpIsABadGateway) {
    for (const auto* bytes :
         {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"}) {
        const auto got = answered_with(bytes);
        ASSERT_FALSE(got.has_value()) << bytes;
        EXPECT_EQ(got.error().kind, ErrorKind::bad_gateway) << bytes << got.error().detail;
    }
}

TEST_F(HttpClientTest, AnAnswerThatIsTooLargeIsABadGateway) {
    const std::string body(1000, 'x');
    ASSERT_TRUE(answered_with("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + body).has_value());
    ASSERT_TRUE(answered_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0).has_value());
    std::string many = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 300; ++i) many += "X: y\r\n";
    for (const auto& bytes :
         {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + body, "HTTP/1.1 200 OK\r\n\r\nx" + body,
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\nx" + body + "\r\n0\r\n\r\n", many + "\r\n",
          "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n"}) {
        const auto got = answered_with(bytes);
        ASSERT_FALSE(got.has_value());
        EXPECT_EQ(got.error().kind, ErrorKind::bad_gateway);
        EXPECT_THAT(got.error().detail, HasSubstr("too large"));
    }
}

TEST_F(HttpClientTest, KeepsConnections) {
    Loopback server([](const Request&) -> asio::awaitable<Response> { co_return Response{}; });
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(send(get("http://127.0.0.1:" + std::to_string(server.port()) + "/")).has_value());
        ASSERT_EQ(server.server().connections(), 1U);
    }
}

TEST_F(HttpClientTest, ReplacesAKeptConnectionThatHasDied) {
    RawServer server;
    for (int i = 0; i < 3; ++i) {
        auto request = get(server.url());
        request.method = "POST";
        request.body = "x";
        auto answer = loop.spawn(client.send(request));
        const auto peer = server.accept();
        peer->head();
        peer->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        EXPECT_TRUE(answer.get().has_value());
    }
}

TEST_F(HttpClientTest, FollowsRedirectionsOnlyWhenAsked) {
    std::atomic<int> posts{0};
    Loopback server([&](const Request& request) -> asio::awaitable<Response> {
        if (request.method == "POST") ++posts;
        Response response;
        response.body = request.target;
        if (request.path() == "/loop") response.headers = {{"Location", "/loop"}};
        if (request.path() == "/from") response.headers = {{"Location", "/to?x"}};
        if (request.path() == "/file") response.headers = {{"Location", "file:///etc/hostname"}};
        if (!response.headers.empty()) response.status = 307;
        co_return response;
    });
    const auto base = "http://127.0.0.1:" + std::to_string(server.port());
    EXPECT_EQ(send(get(base + "/from"))->status, 307U);
    auto request = get(base + "/from");
    request.follow_redirects = true;
    const auto followed = send(request);
    ASSERT_TRUE(followed.has_value());
    EXPECT_EQ(followed->status, 200U);
    EXPECT_EQ(followed->body, "/to?x");
    EXPECT_EQ(followed->header("location"), "");
    request.method = "POST";
    EXPECT_EQ(send(request)->status, 307U);
    EXPECT_EQ(posts, 1);
    for (const auto* path : {"/loop", "/file"}) {
        request = get(base + path);
        request.follow_redirects = true;
        const auto got = send(request);
        ASSERT_FALSE(got.has_value());
        EXPECT_EQ(got.error().kind, ErrorKind::bad_gateway);
    }
}

TEST_F(HttpClientTest, StaysOutsideWhenToldTo) {
    HttpClientSettings settings;
    settings.public_and.emplace();
    HttpClient outside(settings);
    Loopback server([](const Request&) -> asio::awaitable<Response> { co_return Response{}; });
    const auto port = std::to_string(server.port());
    for (const auto* host :
         {"127.0.0.1", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0"}) {
        const auto answer = loop.run(outside.send(get("http://" + std::string{host} + ":" + port + "/")));
        ASSERT_FALSE(answer) << host;
        EXPECT_EQ(answer.error().kind, ErrorKind::bad_gateway) << host << ": " << answer.error().detail;
        EXPECT_THAT(answer.error().detail, HasSubstr("OUTGOING_ALLOW")) << host;
    }
    settings.public_and->add(*AddressRange::parse("127.0.0.0/8"));
    HttpClient allowed(settings);
    const auto answer = loop.run(allowed.send(get("http://localhost:" + port + "/")));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200U);
}

TEST_F(HttpClientTest, NeverAsksAProxyForThisMachine) {
    const RawServer nobody;
    setenv("http_proxy", nobody.url("").c_str(), 1);
    setenv("all_proxy", nobody.url("").c_str(), 1);
    Loopback server([](const Request&) -> asio::awaitable<Response> { co_return Response{}; });
    for (const std::string host : {"127.0.0.1", "localhost"}) {
        EXPECT_TRUE(send(get("http://" + host + ":" + std::to_string(server.port()) + "/")).has_value());
    }
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    EXPECT_FALSE(nobody.has_visitor());
}

}  // namespace
}  // namespace net
