// Where a handler writes a body that comes bit by bit: a stream of events, say. The server behind it is
// http_server.hpp; it has sent the head before, and ends the connection afterwards.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>

namespace net {

/// Everything but what `waker` returns belongs to the connection's event loop, and to one coroutine.
class BodySink {
  public:
    virtual ~BodySink() = default;

    /// Sends the next piece, and returns when the client's machine has room for more: nothing is kept back, so a client
    /// that does not read holds up its own stream only, until the server's time for an answer is over. False: nobody
    /// reads any more, or the server is stopping; return soon.
    virtual boost::asio::awaitable<bool> write(std::string piece) = 0;

    /// Waits until somebody wakes it (also before, since the last wait) or `limit` has passed. False as above.
    virtual boost::asio::awaitable<bool> wait(std::chrono::milliseconds limit) = 0;

    /// Ends a wait. Any thread, also when the sink has gone; returns at once.
    virtual std::function<void()> waker() = 0;
};

/// Writes a body until it has nothing more to say.
using BodySource = std::function<boost::asio::awaitable<void>(BodySink&)>;

}  // namespace net
