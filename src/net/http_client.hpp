// The HTTP/1.1 client for the service's own calls to others: AWS, webhooks, the platform's other services, key sets.
// libcurl on one thread of its own; event loops hand requests over and get answers posted back, so nothing blocks them.
//
// Connections are kept and used again. A kept connection that turns out to be dead before the first byte of an answer
// is replaced and the request sent once more, whatever its method, so requests that must not happen twice need a key
// that the other side knows them by. The caller's headers, body and URL are sent as they are (they may be signed).
// Beside them go only Host, Content-Length, where the request is part of a trace traceparent and tracestate, and
// nothing else.
//
// Owned by `app` (or a test). Construct, stop and destroy on a thread that is not an event loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/trace.hpp"
#include "net/address_ranges.hpp"

namespace net {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct OutgoingRequest {
    std::string method = "GET";
    std::string url;     ///< http or https, visible ASCII; not normalised, not encoded again.
    HeaderList headers;  ///< A Host among them replaces the URL's.
    std::string body;
    std::chrono::milliseconds timeout{3000};          ///< For everything, waiting for a free connection included.
    std::chrono::milliseconds connect_timeout{1000};  ///< Name, TCP and TLS together.
    std::size_t max_body = std::size_t{1} << 20;      ///< Bytes of the answer.
    bool follow_redirects = false;                    ///< At most three; GET and HEAD only; never from https to http.
    core::trace::Context trace{};       ///< What it is a part of: goes along as `traceparent` and `tracestate`.
    std::string_view purpose = "HTTP";  ///< Names its span; a literal.
};

struct OutgoingResponse {
    unsigned status = 0;
    HeaderList headers;  ///< As they came; names in lower case.
    std::string body;

    /// The first value of that name (lower case), or empty.
    std::string_view header(std::string_view name) const;
};

struct HttpClientSettings {
    std::string thread_name = "http-client";  ///< At most 15 bytes.
    std::size_t max_connections = 256;        ///< And so requests under way at a time.
    std::size_t max_connections_per_host = 256;
    std::size_t queue_limit = 1024;      ///< Requests that wait for a connection; one more is refused.
    std::chrono::seconds idle_time{50};  ///< An unused connection is not used again after so long.
    std::string ca_file;                 ///< PEM; empty: the machine's.
    std::string user_agent;              ///< Sent when the request has none; empty: none.
    /// Set: only public addresses are connected to, and these; whatever names say and wherever redirects lead. For URLs
    /// that others than the operator may have a say in, which must not reach into the network from inside.
    std::optional<AddressRanges> public_and;
};

class HttpClient {
  public:
    /// Throws when the CA file cannot be read, or no thread can be had.
    explicit HttpClient(HttpClientSettings settings = {});
    /// `stop`.
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// The answer, whatever its status. Errors: `unavailable` (no connection, the connection broke, too much to do,
    /// stopped), `timeout`, `bad_gateway` (an answer that is too large, breaks HTTP, or whose sender cannot prove who
    /// it is), `internal` (the request itself is malformed). Their texts name the host at most. From any event loop;
    /// the answer arrives there. Cancelling the coroutine gives the transfer up. The client may be destroyed meanwhile.
    boost::asio::awaitable<core::Result<OutgoingResponse>> send(OutgoingRequest request);

    /// Ends every request with `unavailable`, refuses new ones, and ends the thread. Twice is fine.
    void stop();

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace net
