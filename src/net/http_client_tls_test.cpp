// The HTTP client and https: whom it believes.
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>

#include "net/http_client.hpp"
#include "net/raw_server.hpp"
#include "net/test_identity.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using core::ErrorKind;
using std::chrono::milliseconds;
using testing::CallerLoop;
using testing::Identity;
using testing::Loopback;

/// Answers every request with 200 and counts its connections.
class TlsServer {
  public:
    explicit TlsServer(const Identity& identity)
        : context_(ssl::context::tls_server), acceptor_(loop_.executor(), {asio::ip::address_v4::loopback(), 0}) {
        context_.use_certificate_file(identity.certificate_file(), ssl::context::pem);
        context_.use_private_key_file(identity.key_file(), ssl::context::pem);
        port_ = acceptor_.local_endpoint().port();
        asio::co_spawn(loop_.executor(), accept(*this), asio::detached);
    }

    std::string url(const std::string& host) const { return "https://" + host + ":" + std::to_string(port_) + "/"; }
    int handshakes() const { return handshakes_; }

  private:
    static asio::awaitable<void> accept(TlsServer& self) {
        for (;;) {
            auto socket = co_await self.acceptor_.async_accept(asio::use_awaitable);
            asio::co_spawn(self.loop_.executor(), serve(self, std::move(socket)), asio::detached);
        }
    }
    static asio::awaitable<void> serve(TlsServer& self, tcp::socket socket) {
        ssl::stream<tcp::socket> stream(std::move(socket), self.context_);
        co_await stream.async_handshake(ssl::stream_base::server, asio::use_awaitable);
        ++self.handshakes_;
        std::string request;
        for (;;) {
            const auto size =
                co_await asio::async_read_until(stream, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
            request.erase(0, size);
            constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            co_await asio::async_write(stream, asio::buffer(kAnswer), asio::use_awaitable);
        }
    }

    ssl::context context_;
    std::atomic<int> handshakes_{0};
    std::uint16_t port_ = 0;
    CallerLoop loop_;
    tcp::acceptor acceptor_;
};

HttpClientSettings trusting(std::string ca_file) {
    HttpClientSettings settings;
    settings.ca_file = std::move(ca_file);
    return settings;
}

core::Result<OutgoingResponse> ask(CallerLoop& loop, HttpClient& client, std::string url) {
    OutgoingRequest request;
    request.url = std::move(url);
    request.timeout = request.connect_timeout = milliseconds{testing::kPatienceMs};
    return loop.run(client.send(std::move(request)));
}

TEST(HttpClientTls, BelievesTheGivenAuthorityAndNoOther) {
    const Identity identity("IP:127.0.0.1,DNS:localhost");
    const Identity stranger("IP:127.0.0.1,DNS:localhost");
    TlsServer server(identity);
    CallerLoop loop;
    HttpClient client(trusting(identity.certificate_file()));
    for (const auto* host : {"127.0.0.1", "127.0.0.1", "localhost"}) {
        const auto got = ask(loop, client, server.url(host));
        ASSERT_TRUE(got.has_value()) << got.error().detail;
        EXPECT_EQ(got->status, 200U);
    }
    EXPECT_EQ(server.handshakes(), 2);
    for (const auto& file : {stranger.certificate_file(), std::string{}}) {
        HttpClient wary(trusting(file));
        const auto got = ask(loop, wary, server.url("127.0.0.1"));
        ASSERT_FALSE(got.has_value());
        EXPECT_EQ(got.error().kind, ErrorKind::bad_gateway);
        EXPECT_EQ(got.error().detail, "127.0.0.1 has a certificate that is not trusted");
    }
}

TEST(HttpClientTls, RefusesTheCertificateOfAnotherHost) {
    const Identity identity("DNS:localhost");
    TlsServer server(identity);
    CallerLoop loop;
    HttpClient client(trusting(identity.certificate_file()));
    EXPECT_TRUE(ask(loop, client, server.url("localhost")).has_value());
    const auto got = ask(loop, client, server.url("127.0.0.1"));
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, ErrorKind::bad_gateway);
}

TEST(HttpClientTls, AServerWithoutTlsIsUnavailable) {
    Loopback server([](const Request&) -> asio::awaitable<Response> { co_return Response{}; });
    CallerLoop loop;
    HttpClient client;
    const auto got = ask(loop, client, "https://127.0.0.1:" + std::to_string(server.port()) + "/");
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, ErrorKind::unavailable);
}

TEST(HttpClientTls, SaysAtOnceThatTheAuthoritiesAreMissing) {
    EXPECT_THROW(HttpClient(trusting("/nowhere/ca.pem")), std::runtime_error);
}

}  // namespace
}  // namespace net
