// The server's end of one WebSocket (RFC 6455) on Boost.Beast.
//
// Shared by the HTTP connection that upgraded it and by whoever talks. `accept`, `read` and `finish` belong to the
// connection's event loop; `send`, `close` and `abort` may come from any thread while that loop exists.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/stream.hpp"
#include "net/websocket.hpp"

namespace net {

class WebSocketConnection final : public WebSocket, public std::enable_shared_from_this<WebSocketConnection> {
  public:
    static constexpr std::size_t kMaxQueuedBytes = 1024 * 1024;
    static constexpr std::size_t kMaxQueuedMessages = 1024;
    static constexpr std::chrono::seconds kCloseTime{5};

    WebSocketConnection(Stream connection, std::chrono::milliseconds idle_time);

    /// Answers the upgrade request (101). False: it was not a proper one and the connection is over.
    boost::asio::awaitable<bool> accept(const Request& request, const Upgrade& upgrade);

    boost::asio::awaitable<std::optional<std::string>> read() override;
    void send(std::string message) override;
    void close(std::uint16_t code) override;
    void abort() override;

    /// Closes (1000) if nobody has, and waits until the connection is down: at most about `kCloseTime`.
    boost::asio::awaitable<void> finish();

  private:
    using Frames = boost::beast::websocket::stream<Stream>;

    void enqueue(std::string message);
    void write_next();
    void begin_close();
    void shut();

    Frames stream_;
    std::chrono::milliseconds idle_time_;
    std::atomic<std::size_t> queued_bytes_{0};
    std::atomic<std::size_t> queued_messages_{0};
    std::atomic<bool> over_{false};  ///< Sends are dropped from now on.

    // The event loop's.
    std::deque<std::string> queue_;
    bool open_ = false;
    bool writing_ = false;
    bool closing_ = false;
    bool close_sent_ = false;
    bool down_ = false;
    std::uint16_t close_code_ = 1000;
    boost::asio::steady_timer close_timer_;
    boost::asio::steady_timer went_down_;  ///< Never expires; cancelled when the socket is closed.
};

}  // namespace net
