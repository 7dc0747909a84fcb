#include "net/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <stdexcept>

namespace net {
namespace asio = boost::asio;
namespace {

/// Written in one go before other connections of the loop get their turn.
constexpr std::size_t kAtOnce = 256 * 1024;

bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

/// What OpenSSL reads and writes through. Its own socket BIO would raise SIGPIPE, and knows a number that may belong to
/// another connection once the socket is closed.
struct TlsSession::Transfers {
    static TlsSession& session_of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

    static int receive(BIO* bio, char* out, int size) {
        auto& self = session_of(bio);
        BIO_clear_retry_flags(bio);
        ssize_t got = -1;
        do {
            got = ::recv(self.socket_.native_handle(), out, static_cast<std::size_t>(size), 0);
        } while (got < 0 && errno == EINTR);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
        if (got == 0) self.at_end_ = true;
        // A TLS connection begins with the byte 22, an HTTP request with a letter. OpenSSL would answer the latter with
        // an alert that nobody can read.
        if (got > 0 && !std::exchange(self.heard_, true) && is_letter(*out)) {
            self.heard_text_ = true;
            return -1;
        }
        return static_cast<int>(got);
    }

    static int send(BIO* bio, const char* bytes, int size) {
        auto& self = session_of(bio);
        BIO_clear_retry_flags(bio);
        if (self.heard_text_) return size;
        ssize_t sent = -1;
        do {
            sent = ::send(self.socket_.native_handle(), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
        } while (sent < 0 && errno == EINTR);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
        return static_cast<int>(sent);
    }

    static long control(BIO* bio, int command, long, void*) {
        if (command == BIO_CTRL_EOF) return session_of(bio).at_end_ ? 1 : 0;
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }

    static BIO_METHOD* method() {
        static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> kMethod = [] {
            std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> made(
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client socket"), BIO_meth_free);
            if (!made) throw std::runtime_error("no memory for TLS");
            BIO_meth_set_read(made.get(), receive);
            BIO_meth_set_write(made.get(), send);
            BIO_meth_set_ctrl(made.get(), control);
            return made;
        }();
        return kMethod.get();
    }
};

void TlsSession::FreeSession::operator()(ssl_st* session) const {
    SSL_free(session);
}

TlsSession::TlsSession(asio::ip::tcp::socket socket, ssl_ctx_st& context)
    : socket_(std::move(socket)), ssl_(SSL_new(&context)) {
    auto* bio = ssl_ ? BIO_new(Transfers::method()) : nullptr;
    if (!bio) throw std::runtime_error("no memory for a TLS connection");
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_accept_state(ssl_.get());
}

TlsSession::~TlsSession() = default;

TlsSession::Outcome TlsSession::shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    return result == 1 ? Outcome{} : failure(result);
}

TlsSession::Outcome TlsSession::read(asio::mutable_buffer buffer) {
    if (buffer.size() == 0) return {};
    if (broken_) return {.error = asio::error::eof};
    ERR_clear_error();
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
    return result == 1 ? Outcome{.bytes = size} : failure(result);
}

TlsSession::Outcome TlsSession::write(asio::const_buffer buffer) {
    std::size_t total = 0;
    const auto size = std::min(buffer.size(), kAtOnce);
    while (total < size) {
        if (broken_) return {.error = asio::error::broken_pipe};
        ERR_clear_error();
        std::size_t written = 0;
        const auto* next = static_cast<const char*>(buffer.data()) + total;
        const int result = SSL_write_ex(ssl_.get(), next, std::min(size - total, kRecord), &written);
        if (result != 1) {
            const auto outcome = failure(result);
            return total > 0 ? Outcome{.bytes = total} : outcome;
        }
        total += written;
    }
    return {.bytes = total};
}

void TlsSession::say_goodbye() {
    if (broken_ || SSL_in_init(ssl_.get()) != 0) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

asio::mutable_buffer TlsSession::scratch() {
    thread_local std::array<char, kRecord> bytes;
    return asio::buffer(bytes);
}

TlsSession::Outcome TlsSession::failure(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return {.want = Want::read};
        case SSL_ERROR_WANT_WRITE:
            return {.want = Want::write};
        case SSL_ERROR_ZERO_RETURN:
            return {.error = asio::error::eof};
        default:
            break;
    }
    broken_ = true;
    ERR_clear_error();
    if (at_end_) return {.error = asio::error::eof};
    return {.error = asio::error::connection_reset};
}

}  // namespace net
