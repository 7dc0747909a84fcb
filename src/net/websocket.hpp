// One accepted WebSocket that carries binary messages. The server upgrades; a handler talks.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "net/http.hpp"

namespace net {

/// Created by the HTTP server. `read` belongs to the connection's event loop; everything else may be called from any
/// thread and returns at once.
class WebSocket {
  public:
    virtual ~WebSocket() = default;

    /// The next whole binary message (at most the size agreed at the upgrade), or nullopt once the connection is over,
    /// for whatever reason. Text messages end the connection.
    virtual boost::asio::awaitable<std::optional<std::string>> read() = 0;

    /// Queues one binary message. When the peer is too slow and the queue is full (1 MiB or 1,024 messages) the
    /// connection is aborted.
    virtual void send(std::string message) = 0;

    /// Sends what is queued, then a close frame with this code, then closes. Reads end.
    virtual void close(std::uint16_t code) = 0;

    /// Drops the TCP connection without a close frame.
    virtual void abort() = 0;
};

/// The handler's decision about an upgrade request: a plain HTTP answer instead, or a conversation.
struct Upgrade {
    std::string subprotocol;  ///< Sent back as Sec-WebSocket-Protocol when not empty.
    std::size_t max_message = 64 * 1024;
    /// Runs on the connection's event loop until it returns; the connection is closed (1000) afterwards if still open.
    std::function<boost::asio::awaitable<void>(std::shared_ptr<WebSocket>)> serve;
};

/// Decides about a request that asks for a WebSocket.
using UpgradeHandler = std::function<boost::asio::awaitable<std::variant<Response, Upgrade>>(const Request&)>;

}  // namespace net
