// One connection of the HTTP server: shakes hands where it speaks TLS, reads requests, asks the handler, writes
// answers, or becomes a WebSocket.
//
// Shared by its coroutine and its loop's list of connections; the loop's thread only.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "net/http_reader.hpp"
#include "net/http_server.hpp"
#include "net/http_writer.hpp"
#include "net/stream.hpp"
#include "net/streamed_body.hpp"
#include "net/websocket_connection.hpp"

namespace net {

class HttpConnection;

/// What the connections of one loop share. Time is counted in ticks of the loop's timer: a request then costs no timer
/// of its own, and being late by a tick does not matter to any of these limits.
struct HttpLoop {
    HttpServerSettings settings;
    Handler handler;
    UpgradeHandler upgrade;
    std::chrono::milliseconds tick_length{250};
    std::string id_prefix;  ///< Of the request ids made here.
    std::uint64_t next_id = 0;
    std::uint64_t tick = 0;
    bool closing = false;
    std::list<HttpConnection*> connections;
    std::list<HttpConnection*> handshakes;  ///< Those still at it, the oldest first.
    std::size_t max_handshakes = 1;

    /// Written on the loop, read on any thread.
    struct Counters {
        std::atomic<std::uint64_t> handshakes{0}, failed_handshakes{0};
        std::atomic<std::int64_t> websockets{0}, streams{0};  ///< Open now.
    } counters;

    std::uint64_t deadline(std::chrono::milliseconds time) const { return tick + 1 + time / tick_length; }
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
  public:
    /// With a certificate (`tls`) the connection speaks HTTPS and nothing else.
    HttpConnection(HttpLoop& loop, boost::asio::ip::tcp::socket socket, ssl_ctx_st* tls);
    ~HttpConnection();

    /// Serves until the connection is over. `loop` must outlive it.
    boost::asio::awaitable<void> run();

    /// Acts if the present deadline has passed.
    void check_deadline();
    /// The server closes: ends the connection unless a request is under way.
    void close_if_idle();
    /// Ends the connection now.
    void cut();

  private:
    enum class Phase { handshake, waiting, header, body, handling, writing, streaming, lingering, websocket };

    void enter(Phase phase);
    boost::asio::awaitable<bool> shake_hands();
    void leave_handshakes();
    void describe_client();
    boost::asio::awaitable<bool> read_request();
    boost::asio::awaitable<bool> write(const Response& response, bool keep_alive);
    boost::asio::awaitable<void> stream(const Response& response);
    void notice_silence();
    boost::asio::awaitable<bool> write_all(std::array<boost::asio::const_buffer, 2> buffers);
    boost::asio::awaitable<Response> ask(const Request& request);
    boost::asio::awaitable<bool> upgrade();
    boost::asio::awaitable<void> refuse(unsigned status, std::string_view detail);
    boost::asio::awaitable<void> linger();
    void name_request();

    HttpLoop& loop_;
    std::list<HttpConnection*>::iterator place_;
    Stream stream_;
    RequestReader reader_;
    std::string head_;  ///< Of the answer; kept to reuse its memory.
    boost::asio::ip::address peer_;
    const AddressRanges* proxies_ = nullptr;  ///< Those trusted, when the peer is one of them.
    std::string remote_address_;
    std::list<HttpConnection*>::iterator handshake_;  ///< Its place; `end` when it is at none.
    std::array<char, 32> own_id_{};
    std::shared_ptr<WebSocketConnection> websocket_;
    std::shared_ptr<StreamedBody> streamed_;
    Phase phase_ = Phase::waiting;
    std::uint64_t deadline_ = 0;  ///< Tick; 0 = none.
    bool first_ = true;
    bool expired_ = false;
};

}  // namespace net
