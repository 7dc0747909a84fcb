// HTTPS and WSS with a certificate of our own.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <filesystem>
#include <future>
#include <thread>

#include "net/forwarded.hpp"
#include "net/test_tls_client.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
namespace websocket = boost::beast::websocket;
using std::chrono::milliseconds;
using testing::Identity;
using testing::Issued;
using testing::Loopback;
using testing::RawClient;
using testing::TlsClient;
using Decision = std::variant<Response, Upgrade>;

asio::awaitable<Response> say(const Request& request) {
    Response response;
    response.content_type = "text/plain";
    if (request.path() == "/large") {
        response.body.assign(5 * 1024 * 1024 + 7, 'x');
    } else {
        response.body = reached_at(request) + " " + std::string{request.body};
    }
    co_return response;
}

asio::awaitable<void> echo(std::shared_ptr<WebSocket> socket) {
    while (auto message = co_await socket->read()) socket->send(std::move(*message));
}

asio::awaitable<Decision> accept_all(const Request&) {
    Upgrade upgrade;
    upgrade.max_message = 8 * 1024 * 1024;
    upgrade.serve = echo;
    co_return upgrade;
}

/// The files of one certificate, and the server that shows it.
class Secure {
  public:
    explicit Secure(HttpServerSettings settings = {}, UpgradeHandler upgrade = accept_all)
        : identity_("DNS:localhost,IP:127.0.0.1") {
        auto opened = TlsIdentity::open(
            {.certificate_file = identity_.certificate_file(), .key_file = identity_.key_file()}, milliseconds{20});
        EXPECT_TRUE(opened.has_value());
        settings.tls = *opened;
        loopback_.emplace(say, std::move(upgrade), std::move(settings));
    }
    const Identity& identity() const { return identity_; }
    HttpServer& server() { return loopback_->server(); }
    std::uint16_t port() const { return loopback_->port(); }

    /// Shakes hands until the server shows this certificate.
    bool comes_to_show(const Issued& issued) {
        const auto end = std::chrono::steady_clock::now() + milliseconds{testing::kPatienceMs};
        while (std::chrono::steady_clock::now() < end) {
            TlsClient client(port());
            if (!client.shake_hands()) return false;
            if (client.saw(issued)) return true;
            std::this_thread::sleep_for(milliseconds{5});
        }
        return false;
    }

  private:
    Identity identity_;
    std::optional<Loopback> loopback_;
};

TEST(HttpsServer, AnswersOverTls) {
    Secure secure;
    TlsClient client(secure.port());
    ASSERT_TRUE(client.shake_hands()) << client.error().message();
    EXPECT_TRUE(client.saw(secure.identity().issued()));
    EXPECT_STREQ(SSL_get_version(client.ssl()), "TLSv1.3");
    EXPECT_TRUE(client.ask("/").ends_with("\r\n\r\nhttps://localhost ")) << "it knows that it is reached by https";
    EXPECT_TRUE(client.ask("/again").starts_with("HTTP/1.1 200 ")) << "the connection goes on";
    const auto large = client.ask("/large");
    EXPECT_EQ(large.size() - large.find("\r\n\r\n") - 4, 5u * 1024 * 1024 + 7);
    EXPECT_EQ(large.find_first_not_of('x', large.find("\r\n\r\n") + 4), std::string::npos);
}

TEST(HttpsServer, TakesBodiesAndPipelinedRequestsInAnyPieces) {
    Secure secure;
    TlsClient client(secure.port());
    ASSERT_TRUE(client.shake_hands());
    const std::string body(60'000, 'b');
    const std::string request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n" + body;
    // Records of all sizes, whose ends are nowhere near the requests'.
    const auto twice = request + request;
    for (std::size_t at = 0; at < twice.size(); at += 7001) ASSERT_TRUE(client.send(twice.substr(at, 7001)));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(client.answer().ends_with("https://h " + body));
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(client.rest().starts_with("HTTP/1.1 200 "));
    EXPECT_EQ(client.error(), asio::error::eof) << "the end is a proper one: " << client.error().message();
}

TEST(HttpsServer, AgreesOnHttp11OrNothing) {
    Secure secure;
    const auto agreed = [&](std::string_view offered) -> std::string {
        TlsClient client(secure.port());
        SSL_set_alpn_protos(client.ssl(), reinterpret_cast<const unsigned char*>(offered.data()),
                            static_cast<unsigned>(offered.size()));
        if (!client.shake_hands()) return "refused";
        const unsigned char* chosen = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(client.ssl(), &chosen, &size);
        return {reinterpret_cast<const char*>(chosen), size};
    };
    EXPECT_EQ(agreed("\x02h2\x08http/1.1"), "http/1.1");
    EXPECT_EQ(agreed("\x02h2"), "refused");
}

TEST(HttpsServer, SpeaksNothingOlderThanTls12) {
    Secure secure;
    const auto version = [&](int most, const char* ciphers) -> std::string {
        TlsClient client(secure.port());
        SSL_set_security_level(client.ssl(), 0);
        SSL_set_min_proto_version(client.ssl(), TLS1_VERSION);
        SSL_set_max_proto_version(client.ssl(), most);
        SSL_set_cipher_list(client.ssl(), ciphers);
        return client.shake_hands() ? SSL_get_version(client.ssl()) : "refused";
    };
    EXPECT_EQ(version(TLS1_2_VERSION, "DEFAULT"), "TLSv1.2");
    EXPECT_EQ(version(TLS1_1_VERSION, "DEFAULT"), "refused");
    EXPECT_EQ(version(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256"), "refused") << "no CBC";
}

TEST(HttpsServer, ResumesASession) {
    Secure secure;
    TlsClient first(secure.port());
    SSL_set_max_proto_version(first.ssl(), TLS1_2_VERSION);
    ASSERT_TRUE(first.shake_hands());
    EXPECT_NE(first.ask("/"), "");
    TlsClient second(secure.port());
    SSL_set_max_proto_version(second.ssl(), TLS1_2_VERSION);
    const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_get1_session(first.ssl()),
                                                                            SSL_SESSION_free);
    SSL_set_session(second.ssl(), session.get());
    ASSERT_TRUE(second.shake_hands());
    EXPECT_EQ(SSL_session_reused(second.ssl()), 1);
    EXPECT_NE(second.ask("/"), "");
}

TEST(HttpsServer, TellsWhoSpeaksPlainly) {
    Secure secure;
    for (const auto* request : {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE /x HTTP/1.1\r\nHost: x\r\n\r\n"}) {
        RawClient client(secure.port());
        client.send(request);
        const auto all = client.rest();
        EXPECT_TRUE(all.starts_with("HTTP/1.1 400 ")) << all;
        EXPECT_TRUE(all.ends_with(R"({"detail":"This port speaks HTTPS: the address begins with https://"})")) << all;
    }
    RawClient rubbish(secure.port());
    rubbish.send(std::string(100, '\x01'));
    EXPECT_EQ(rubbish.rest().find("HTTP"), std::string::npos);
    EXPECT_TRUE(secure.comes_to_show(secure.identity().issued())) << "others are served as before";
}

TEST(HttpsServer, SilentHandshakesEnd) {
    HttpServerSettings settings;
    settings.handshake_time = milliseconds{50};
    Secure secure(settings);
    RawClient silent(secure.port());
    EXPECT_EQ(silent.rest(), "");
    RawClient slow(secure.port());
    slow.send("\x16\x03\x01\x02");
    EXPECT_EQ(slow.rest(), "");
}

TEST(HttpsServer, TheSlowestHandshakeMakesRoom) {
    HttpServerSettings settings;
    settings.max_handshakes = 8;
    settings.handshake_time = std::chrono::hours{1};
    Secure secure(settings);
    std::vector<std::unique_ptr<RawClient>> silent;
    silent.reserve(40);
    for (int i = 0; i < 40; ++i) silent.push_back(std::make_unique<RawClient>(secure.port()));
    TlsClient client(secure.port());
    ASSERT_TRUE(client.shake_hands()) << client.error().message();
    EXPECT_NE(client.ask("/"), "");
    EXPECT_EQ(silent.front()->rest(), "");
    // Eight, and the client that is through.
    const auto end = std::chrono::steady_clock::now() + milliseconds{testing::kPatienceMs};
    while (secure.server().connections() > 9 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_LE(secure.server().connections(), 9u);
}

TEST(HttpsServer, StopClosesConnectionsAndHandshakes) {
    Secure secure;
    TlsClient idle(secure.port());
    ASSERT_TRUE(idle.shake_hands());
    EXPECT_NE(idle.ask("/"), "");
    RawClient silent(secure.port());
    EXPECT_TRUE(secure.server().stop(milliseconds{testing::kPatienceMs}));
    EXPECT_EQ(idle.rest(), "");
    EXPECT_EQ(secure.server().connections(), 0u);
}

/// A WebSocket over TLS.
class WssClient {
  public:
    explicit WssClient(std::uint16_t port) : tls_(port), frames_(tls_.stream()) {
        EXPECT_TRUE(tls_.shake_hands());
        frames_.binary(true);
        frames_.handshake("localhost", "/control/m", error_);
    }
    void write(const std::string& message) { frames_.write(asio::buffer(message), error_); }
    std::string exchange(const std::string& message) {
        write(message);
        boost::beast::flat_buffer buffer;
        if (!error_) frames_.read(buffer, error_);
        return boost::beast::buffers_to_string(buffer.data());
    }
    void close() { frames_.close(websocket::close_code::normal, error_); }
    const boost::system::error_code& error() const { return error_; }
    TlsClient& tls() { return tls_; }

  private:
    TlsClient tls_;
    websocket::stream<ssl::stream<TlsClient::Socket>&> frames_;
    boost::system::error_code error_;
};

TEST(HttpsServer, CarriesWebSockets) {
    Secure secure;
    WssClient client(secure.port());
    ASSERT_FALSE(client.error()) << client.error().message();
    for (const auto size : {0u, 1u, 1000u, 16'384u, 20'000u, 700'000u}) {
        const std::string message(size, 'm');
        EXPECT_EQ(client.exchange(message), message) << size;
    }
    client.close();
    EXPECT_FALSE(client.error()) << client.error().message();
}

/// Tells when a conversation has ended.
struct Watch {
    std::promise<void> ended;
    UpgradeHandler upgrade() {
        return [this](const Request&) -> asio::awaitable<Decision> {
            Upgrade agreed;
            agreed.serve = [this](std::shared_ptr<WebSocket> socket) { return listen(*this, std::move(socket)); };
            co_return agreed;
        };
    }
    static asio::awaitable<void> listen(Watch& watch, std::shared_ptr<WebSocket> socket) {
        while (auto message = co_await socket->read()) {
            // More than any kernel buffers, to a peer that does not read.
            for (int i = 0; i < 64 * 1024; ++i) socket->send(std::string(1024, 'x'));
        }
        watch.ended.set_value();
    }
    bool ends() { return ended.get_future().wait_for(milliseconds{testing::kPatienceMs}) == std::future_status::ready; }
};

TEST(HttpsServer, AWebSocketEndsWhenThePeerGoesSilent) {
    Watch watch;
    HttpServerSettings settings;
    settings.websocket_idle = milliseconds{100};
    Secure secure(settings, watch.upgrade());
    WssClient client(secure.port());
    EXPECT_TRUE(watch.ends());
}

TEST(HttpsServer, AWebSocketEndsWhenThePeerVanishes) {
    Watch watch;
    Secure secure({}, watch.upgrade());
    {
        WssClient client(secure.port());
        EXPECT_FALSE(client.error());
    }
    EXPECT_TRUE(watch.ends());
}

TEST(HttpsServer, AWebSocketEndsWhenThePeerDoesNotRead) {
    Watch watch;
    Secure secure({}, watch.upgrade());
    WssClient client(secure.port());
    client.write("go");
    EXPECT_TRUE(watch.ends());
}

TEST(HttpsServer, ManyWebSocketsAtOnce) {
    Secure secure;
    std::vector<std::thread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&secure, i] {
            WssClient client(secure.port());
            for (int round = 0; round < 20; ++round) {
                const std::string message(static_cast<std::size_t>(i) * 5'000 + 1, static_cast<char>('a' + i));
                EXPECT_EQ(client.exchange(message), message);
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

TEST(HttpsServer, AChangedCertificateIsForNewConnectionsOnly) {
    Secure secure;
    WssClient client(secure.port());
    EXPECT_EQ(client.exchange("before"), "before");

    const Issued next({.common_name = "next", .names = "DNS:localhost"});
    // As most tools do it: written beside, then renamed.
    testing::write_certificates(secure.identity().certificate_file() + ".new", {&next});
    testing::write_key(secure.identity().key_file() + ".new", next);
    for (const auto& path : {secure.identity().certificate_file(), secure.identity().key_file()}) {
        std::filesystem::rename(path + ".new", path);
    }
    EXPECT_TRUE(secure.comes_to_show(next));
    EXPECT_EQ(client.exchange("after"), "after");
    EXPECT_TRUE(client.tls().saw(secure.identity().issued()));
}

}  // namespace
}  // namespace net
