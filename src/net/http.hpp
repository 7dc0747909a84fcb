// HTTP as the rest of the service sees it: one request in, one response out. The server behind it is http_server.hpp.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/fields.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/body_sink.hpp"

namespace net {

class AddressRanges;

/// A whole request. Views are valid until the handler's coroutine has returned. Header names match in any case.
class Request {
  public:
    std::string_view method;  ///< `GET`, also unknown ones, as sent; but HEAD comes as GET, the server drops the body.
    std::string_view target;  ///< Path and query, as sent.
    std::string_view body;    ///< At most the server's limit.
    std::string_view remote_address;  ///< Of the client, without port; behind a trusted proxy what that one tells.
    bool is_secure = false;           ///< Came over TLS of our own.
    const AddressRanges* proxies = nullptr;  ///< Those trusted, when the request came from one of them; else null.
    std::string_view request_id;  ///< The client's X-Request-ID if it is a sane one, else ours; the server echoes it.
    const boost::beast::http::fields* fields = nullptr;

    std::string_view header(std::string_view name) const {
        const auto found = fields->find({name.data(), name.size()});
        return found == fields->end() ? std::string_view{}
                                      : std::string_view{found->value().data(), found->value().size()};
    }
    bool has_header(std::string_view name) const { return fields->find({name.data(), name.size()}) != fields->end(); }
    /// The part of `target` before `?`.
    std::string_view path() const { return target.substr(0, target.find('?')); }
    /// The part of `target` behind `?`, or empty.
    std::string_view query() const {
        const auto mark = target.find('?');
        return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
    }
};

struct Response {
    unsigned status = 200;
    std::string_view content_type = "application/json";  ///< A literal or otherwise permanent text.
    std::string body;
    std::string_view static_body;  ///< Sent instead of `body` when not empty; must live as long as the program.
    std::vector<std::pair<std::string, std::string>> headers;  ///< Beside Content-Type, Content-Length, Date.
    /// Set: the body is what this writes after the head (and nothing for HEAD), of unknown length. What it holds is
    /// destroyed when the stream is over, or was never begun.
    BodySource stream{};
};

/// Answers a request; runs on the event loop of its connection and must not block it. What it throws becomes a 500.
using Handler = std::function<boost::asio::awaitable<Response>(const Request&)>;

}  // namespace net
