// Which pages of other origins may read answers (Fetch standard, section "CORS protocol"). Pages of our own origin need
// none of this. Immutable after the start; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.hpp"

namespace api {

struct CorsSettings {
    bool any = false;                  ///< Every origin, but never with credentials; `origins` is empty then.
    std::vector<std::string> origins;  ///< As browsers write them: `https://video.example.org`.
};

/// True: the answer depends on nothing but the method and who asks; the resource need not be asked.
bool is_preflight(const net::Request& request);

/// The answer to a preflight of a path with these methods (`GET, POST, OPTIONS`); whether the page may go on is said by
/// `add_cors`.
net::Response preflight_response(const CorsSettings& settings, const net::Request& request, std::string_view methods);

/// Says on any answer whether the page that asked may read it.
void add_cors(const CorsSettings& settings, const net::Request& request, net::Response& response);

}  // namespace api
