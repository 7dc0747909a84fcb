// For tests: a blocking TLS client of a server on the loopback address.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <string_view>

#include "net/loopback.hpp"
#include "net/test_identity.hpp"

namespace net::testing {

class TlsClient {
  public:
    using Socket = boost::asio::ip::tcp::socket;

    explicit TlsClient(std::uint16_t port) : stream_(context_io_, context_) {
        auto& socket = stream_.next_layer();
        socket.connect({boost::asio::ip::address_v4::loopback(), port});
        timeval patience{kPatienceMs / 1000, 0};
        setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }

    /// False: `error` says why.
    bool shake_hands() {
        stream_.handshake(boost::asio::ssl::stream_base::client, error_);
        return !error_;
    }
    bool send(std::string_view bytes) {
        boost::asio::write(stream_, boost::asio::buffer(bytes), error_);
        return !error_;
    }
    /// Up to the end of the next answer's body; empty when the connection ended before.
    std::string answer() {
        std::size_t end;
        while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
            if (!receive()) return {};
        }
        std::size_t length = 0;
        if (const auto field = pending_.find("Content-Length: "); field < end) {
            length = std::stoul(pending_.substr(field + 16));
        }
        while (pending_.size() < end + 4 + length) {
            if (!receive()) return {};
        }
        auto whole = pending_.substr(0, end + 4 + length);
        pending_.erase(0, whole.size());
        return whole;
    }
    std::string ask(std::string_view target) {
        send("GET " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return answer();
    }
    /// Everything until the server ends the connection; `error` says how it did.
    std::string rest() {
        while (receive()) {
        }
        return std::exchange(pending_, {});
    }

    /// Whether the server showed this certificate.
    bool saw(const Issued& issued) {
        const Openssl<X509> shown{SSL_get1_peer_certificate(ssl())};
        return shown && X509_cmp(shown.get(), issued.certificate()) == 0;
    }
    SSL* ssl() { return stream_.native_handle(); }
    boost::asio::ssl::stream<Socket>& stream() { return stream_; }
    const boost::system::error_code& error() const { return error_; }

  private:
    bool receive() {
        char buffer[16384];
        const auto got = stream_.read_some(boost::asio::buffer(buffer), error_);
        pending_.append(buffer, got);
        return !error_;
    }

    boost::asio::io_context context_io_;
    boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
    boost::asio::ssl::stream<Socket> stream_;
    boost::system::error_code error_;
    std::string pending_;
};

}  // namespace net::testing
