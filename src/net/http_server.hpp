// The HTTP/1.1 and WebSocket server, with or without TLS: answers on every event loop, a connection stays on the loop
// it was given to.
//
// Owned by `app` (or a test). Start and stop from a thread that is not one of the loops. The handlers are called on
// the loops, several at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "net/address_ranges.hpp"
#include "net/executors.hpp"
#include "net/http.hpp"
#include "net/tls_identity.hpp"
#include "net/websocket.hpp"

namespace net {

struct HttpServerSettings {
    /// Addresses, or names that stand for some. `0.0.0.0` is all of IPv4, `::` all of IPv6; empty: both, as far as the
    /// machine has them.
    std::vector<std::string> hosts;
    std::uint16_t port = 8086;         ///< 0: any free one.
    std::shared_ptr<TlsIdentity> tls;  ///< Null: plain HTTP.
    AddressRanges trusted_proxies;     ///< Whose word about the client behind them is believed.
    std::size_t max_connections = 4096;
    std::size_t max_handshakes = 1024;   ///< TLS connections that have not come further yet; then the oldest goes.
    std::size_t max_header = 16 * 1024;  ///< Request line and fields together.
    std::size_t max_body = 64 * 1024;
    std::chrono::milliseconds handshake_time{10'000};  ///< For TLS, from the connection on.
    std::chrono::milliseconds header_time{10'000};     ///< From the first byte of a request to the end of its header.
    std::chrono::milliseconds body_time{20'000};       ///< From there to the end of its body.
    std::chrono::milliseconds write_time{30'000};      ///< For a client to take one answer.
    std::chrono::milliseconds idle_time{75'000};       ///< Between two requests of a connection.
    std::chrono::milliseconds websocket_idle{60'000};  ///< Without a message or ping.
};

/// Since the start, unless something else is said.
struct HttpServerCounters {
    std::size_t connections = 0;  ///< Open now, WebSockets included.
    std::int64_t websockets = 0;  ///< Open now.
    std::int64_t streams = 0;     ///< Answers without an end that are being written now.
    std::uint64_t accepted = 0;
    std::uint64_t turned_away = 0;  ///< All places were taken.
    std::uint64_t tls_handshakes = 0, failed_tls_handshakes = 0;
};

class HttpServer {
  public:
    /// Binds and listens; a taken port or an address that is not ours is an error with a message for the operator.
    /// Connections are served once `executors` run. They and everything the handlers refer to must outlive the server.
    /// Without `upgrade`, requests for a WebSocket are answered like any other.
    static core::Result<std::unique_ptr<HttpServer>> start(HttpServerSettings settings, Executors& executors,
                                                           Handler handler, UpgradeHandler upgrade = {});
    /// Stops with no patience.
    ~HttpServer();

    std::uint16_t port() const;
    std::size_t connections() const;      ///< Open now, WebSockets included. Any thread.
    HttpServerCounters counters() const;  ///< Any thread.

    /// Takes no new connection, closes idle ones, lets running requests finish and close. Returns at once; any thread.
    void close();
    /// `close`, then waits for everything to end; what has not after `limit` is cut off. False when something had to
    /// be.
    bool stop(std::chrono::milliseconds limit);

  private:
    class Impl;
    explicit HttpServer(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace net
