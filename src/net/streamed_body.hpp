// A body on its way that comes bit by bit: the chunked transfer coding (RFC 9112 section 7.1), and an ear for a client
// that goes.
//
// Shared by its connection and the operations it has begun; the loop's thread only.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "net/body_sink.hpp"
#include "net/stream.hpp"

namespace net {

class StreamedBody final : public BodySink, public std::enable_shared_from_this<StreamedBody> {
  public:
    /// `stream` must outlive `finish`; `writing` is told when a write begins (true) and ends. Without `chunked` the
    /// body's end is the connection's.
    StreamedBody(Stream& stream, bool chunked, std::function<void(bool)> writing);

    /// Begins to listen for the client's going; what it sends is thrown away.
    void start();
    /// The server stops: the source is asked to end.
    void end();
    /// The last piece, if the client is still there; then it waits until nothing is under way any more.
    boost::asio::awaitable<void> finish();
    /// The stream goes now; nothing touches it any more.
    void leave() { gone_ = true; }

    boost::asio::awaitable<bool> write(std::string piece) override;
    boost::asio::awaitable<bool> wait(std::chrono::milliseconds limit) override;
    std::function<void()> waker() override;

  private:
    void listen();
    void wake();
    boost::asio::awaitable<bool> send(std::string bytes);

    Stream& stream_;
    const bool chunked_;
    std::function<void(bool)> writing_;
    boost::asio::steady_timer signal_;
    std::array<char, 512> scrap_{};
    std::size_t heard_ = 0;   ///< Bytes that the client has sent meanwhile.
    bool listening_ = false;  ///< A read is under way.
    bool gone_ = false;       ///< The client.
    bool ending_ = false;     ///< The server.
    bool woken_ = false;
};

}  // namespace net
