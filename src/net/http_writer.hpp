// The text of HTTP/1.1 answers. No sockets.
#pragma once

#include <string>
#include <string_view>

#include "net/http.hpp"

namespace net {

struct AnswerOptions {
    std::string_view request_id;
    bool keep_alive = true;
    bool chunked = false;  ///< Of a streamed body, which has no length; else it ends with the connection.
    bool http10 = false;   ///< The client speaks HTTP/1.0 and must be told when the connection stays open.
};

/// Appends status line and header, ready for the body. Fields with characters that do not belong into a header are
/// left out: a value that came from outside must not be able to add lines of its own. Any thread.
void append_head(std::string& out, const Response& response, const AnswerOptions& options);

/// The bytes that follow the head, unless the request was HEAD.
inline std::string_view body_of(const Response& response) {
    return response.static_body.empty() ? std::string_view{response.body} : response.static_body;
}

/// RFC 9110 section 5.6.7, the present second: `Sun, 06 Nov 1994 08:49:37 GMT`. Valid until the thread's next call.
std::string_view http_date();

/// `{"detail":"…"}` with that status; `detail` must need no escaping.
Response refusal(unsigned status, std::string_view detail);

/// What a client is told when a handler has thrown.
Response crash_answer();

}  // namespace net
