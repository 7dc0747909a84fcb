#include "api/cors.hpp"

#include <algorithm>

namespace api {
namespace {

/// What clients send: ours, those of tracing and of event streams, and those that the platform's pages add to every
/// request (nobody here believes them).
constexpr std::string_view kRequestFields =
    "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, Cache-Control, "
    "X-Request-ID, traceparent, tracestate, baggage, X-Requested-With, X-User-ID, X-User-Role, X-User-Email";
/// What a page may see beside the simple ones.
constexpr std::string_view kAnswerFields =
    "ETag, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-ID";

/// The value for Access-Control-Allow-Origin; empty: none.
std::string_view allowed_origin(const CorsSettings& settings, const net::Request& request) {
    const auto origin = request.header("Origin");
    if (origin.empty()) return {};
    if (settings.any) return "*";
    return std::ranges::find(settings.origins, origin) == settings.origins.end() ? std::string_view{} : origin;
}

}  // namespace

bool is_preflight(const net::Request& request) {
    return request.method == "OPTIONS" && request.has_header("Origin") &&
           request.has_header("Access-Control-Request-Method");
}

net::Response preflight_response(const CorsSettings& settings, const net::Request& request, std::string_view methods) {
    net::Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body = "OK";
    response.headers.emplace_back("Allow", methods);
    if (allowed_origin(settings, request).empty()) return response;
    response.headers.emplace_back("Access-Control-Allow-Methods", methods);
    response.headers.emplace_back("Access-Control-Allow-Headers", kRequestFields);
    response.headers.emplace_back("Access-Control-Max-Age", "600");
    return response;
}

void add_cors(const CorsSettings& settings, const net::Request& request, net::Response& response) {
    // Also without an origin: a cache must not give that answer to a page that has one.
    if (!settings.origins.empty()) response.headers.emplace_back("Vary", "Origin");
    const auto origin = allowed_origin(settings, request);
    if (origin.empty()) return;
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    if (!settings.any) response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
    if (!is_preflight(request)) response.headers.emplace_back("Access-Control-Expose-Headers", kAnswerFields);
}

}  // namespace api
