// The server's end of one TLS connection on a non-blocking socket. Every call does what can be done now and says what
// to wait for; stream.hpp does the waiting.
//
// OpenSSL works on the socket directly. Asio's own stream keeps about 70 KB of buffers for every connection, which
// thousands of idle WebSockets would pay for; here an idle one holds none.
//
// Owned by a Stream and by the operations that wait for it; the connection's event loop only.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>

struct ssl_st;
struct ssl_ctx_st;
struct bio_st;

namespace net {

class TlsSession {
  public:
    enum class Want { nothing, read, write };
    struct Outcome {
        Want want = Want::nothing;  ///< Else: call again, with the same bytes, when the socket is ready for that.
        boost::system::error_code error{};
        std::size_t bytes = 0;
    };

    /// Of one TLS record.
    static constexpr std::size_t kRecord = 16 * 1024;

    /// `socket` must be non-blocking. The context's certificate is the session's for good.
    TlsSession(boost::asio::ip::tcp::socket socket, ssl_ctx_st& context);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    /// First of all; ends with an error when the peer does not speak TLS or nothing we have in common.
    Outcome shake_hands();
    /// `eof` at the peer's end, with or without a goodbye: HTTP and WebSocket know by themselves what is complete.
    Outcome read(boost::asio::mutable_buffer buffer);
    /// Some of it; at least a record when it says so.
    Outcome write(boost::asio::const_buffer buffer);
    /// The same for several buffers, whose beginnings share a record.
    template <class Buffers>
    Outcome write_some(const Buffers& buffers) {
        const auto begin = boost::asio::buffer_sequence_begin(buffers);
        if (begin == boost::asio::buffer_sequence_end(buffers)) return {};
        if (const boost::asio::const_buffer first{*begin}; first.size() >= kRecord) return write(first);
        const auto room = scratch();
        return write(boost::asio::buffer(room, boost::asio::buffer_copy(room, buffers)));
    }
    /// Sends `close_notify` if the kernel takes it.
    void say_goodbye();

    /// After a failed handshake: the peer sent no TLS but text, like an HTTP request. Nothing has been sent to it.
    bool heard_text() const { return heard_text_; }

    boost::asio::ip::tcp::socket& socket() { return socket_; }

  private:
    struct Transfers;
    struct FreeSession {
        void operator()(ssl_st* session) const;
    };

    static boost::asio::mutable_buffer scratch();
    Outcome failure(int result);

    boost::asio::ip::tcp::socket socket_;
    std::unique_ptr<ssl_st, FreeSession> ssl_;
    bool heard_ = false;
    bool heard_text_ = false;
    bool at_end_ = false;
    bool broken_ = false;  ///< OpenSSL must not be asked for anything any more.
};

}  // namespace net
