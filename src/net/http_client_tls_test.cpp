// The HTTP client and https: whom it believes.
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "net/http_client.hpp"
#include "net/raw_server.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using core::ErrorKind;
using std::chrono::milliseconds;
using testing::CallerLoop;
using testing::Loopback;

struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

/// A certificate that vouches for itself, good for `names`, and its key, as files of a folder of its own.
class Identity {
  public:
    explicit Identity(const std::string& names) {
        std::string pattern = ::testing::TempDir() + "tls-XXXXXX";
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
        folder_ = pattern;
        const Owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
        const Owned<X509> certificate{X509_new()};
        X509_set_version(certificate.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
        X509_set_pubkey(certificate.get(), key.get());
        auto* name = X509_get_subject_name(certificate.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
        X509_set_issuer_name(certificate.get(), name);
        const Owned<X509_EXTENSION> extension{
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str())};
        X509_add_ext(certificate.get(), extension.get(), -1);
        X509_sign(certificate.get(), key.get(), EVP_sha256());
        PEM_write_X509(Owned<std::FILE>{std::fopen(certificate_file().c_str(), "w")}.get(), certificate.get());
        PEM_write_PrivateKey(Owned<std::FILE>{std::fopen(key_file().c_str(), "w")}.get(), key.get(), nullptr, nullptr,
                             0, nullptr, nullptr);
    }
    ~Identity() { std::filesystem::remove_all(folder_); }
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;

    std::string certificate_file() const { return folder_ / "certificate.pem"; }
    std::string key_file() const { return folder_ / "key.pem"; }

  private:
    std::filesystem::path folder_;
};

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
