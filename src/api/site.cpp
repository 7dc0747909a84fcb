#include "api/site.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include "api/authorization.hpp"
#include "api/json_text.hpp"
#include "api/resource.hpp"
#include "api/router.hpp"
#include "core/asset.hpp"

namespace api {
namespace {

using service::Task;

struct Route {
    Pattern pattern;
    bool open;  ///< To everybody; all others want a valid token first.
    Resource resource;
};

#define SESSIONS "/api/video/sessions"
constexpr auto kRoutes = std::to_array<Route>({
    {{"GET", SESSIONS "/{}"}, false, get_session},
    {{"POST", SESSIONS}, false, post_session},
    {{"GET", SESSIONS}, false, get_sessions},
    {{"POST", SESSIONS "/{}/join"}, false, post_join},
    {{"POST", SESSIONS "/{}/start"}, false, post_start},
    {{"POST", SESSIONS "/{}/leave"}, false, post_leave},
    {{"POST", SESSIONS "/{}/end"}, false, post_end},
    {{"POST", SESSIONS "/{}/cancel"}, false, post_cancel},
    {{"PUT", SESSIONS "/{}/notes"}, false, put_notes},
    {{"GET", SESSIONS "/{}/events"}, false, get_events},
    {{"POST", SESSIONS "/{}/transcription"}, false, post_transcription},
    {{"DELETE", SESSIONS "/{}/transcription"}, false, delete_transcription},
    {{"POST", SESSIONS "/{}/quality"}, false, post_quality},
    {{"GET", SESSIONS "/doctor/{}"}, false, get_sessions_of_doctor},
    {{"GET", SESSIONS "/patient/{}"}, false, get_sessions_of_patient},
    {{"GET", SESSIONS "/by-appointment/{}"}, false, get_session_by_appointment},
    {{"GET", "/api/video/metrics/usage"}, false, get_usage},
    // These two look at their callers' credentials themselves.
    {{"POST", "/api/video/auth/refresh-token"}, true, post_refresh_token},
    {{"POST", "/api/video/chime/events"}, true, post_chime_events},
    {{"GET", "/health"}, true, get_health},
    {{"GET", "/health/live"}, true, get_live},
    {{"GET", "/health/ready"}, true, get_ready},
    {{"GET", "/metrics"}, true, get_metrics},
    {{"GET", "/"}, true, get_root},
    {{"GET", "/docs"}, true, get_docs},
    {{"GET", "/docs/{}"}, true, get_docs_file},
    {{"GET", "/redoc"}, true, get_redoc},
    {{"GET", "/openapi.json"}, true, get_openapi},
    {{"GET", "/room/{}"}, true, get_room},
    {{"GET", "/assets/{}"}, true, get_web_file},
    {{"GET", "/favicon.ico"}, true, get_icon},
});
#undef SESSIONS

constexpr auto kPatterns = [] {
    std::array<Pattern, kRoutes.size()> patterns;
    std::ranges::transform(kRoutes, patterns.begin(), &Route::pattern);
    return patterns;
}();

/// Contract, "who may call": the caller, or which 401.
core::Result<service::Caller> caller_of(const net::Request& request, const service::TokenVerifier& tokens) {
    const auto authorization = authorization_of(request);
    if (!authorization.complete()) return core::fail(core::ErrorKind::unauthenticated, "Not authenticated");
    if (!authorization.is("bearer")) {
        return core::fail(core::ErrorKind::unauthenticated, "Invalid authentication credentials");
    }
    return tokens.verify(authorization.credentials);
}

bool is_preflight(const net::Request& request) {
    return request.method == "OPTIONS" && request.has_header("Origin") &&
           request.has_header("Access-Control-Request-Method");
}

/// A list of header names, to be repeated as it came.
bool is_name_list(std::string_view text) {
    return !text.empty() && text.size() <= 1024 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == ',' || c == ' ';
    });
}

net::Response preflight_response(const net::Request& request) {
    net::Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body = "OK";
    const auto names = request.header("Access-Control-Request-Headers");
    response.headers = {{"Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"},
                        {"Access-Control-Allow-Headers",
                         is_name_list(names) ? std::string{names} : "Authorization, Content-Type, Idempotency-Key"},
                        {"Access-Control-Max-Age", "600"}};
    return response;
}

/// Headers that every answer carries. Any origin may read answers: what grants access is the bearer token, which no
/// browser adds by itself, so there is nothing to gain from another page; and never with credentials (cookies).
void add_common_headers(const net::Request& request, net::Response& response) {
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    const bool cached = std::ranges::any_of(response.headers, [](const auto& h) { return h.first == "Cache-Control"; });
    if (!cached) response.headers.emplace_back("Cache-Control", "no-store");
    if (request.has_header("Origin")) {
        response.headers.emplace_back("Access-Control-Allow-Origin", "*");
        response.headers.emplace_back("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate, X-Request-ID");
    }
}

Task<net::Response> answer(const Site& site, const net::Request& request, const Found& found) {
    const auto& route = kRoutes[found.index];
    Call call{site, request, found.piece, {}};
    if (!route.open) {
        auto caller = caller_of(request, site.tokens);
        if (!caller) co_return failure(caller.error(), {}, request.request_id);
        call.caller = std::move(*caller);
    }
    co_return co_await route.resource(call);
}

/// What needs no waiting: a path or method that does not exist, a redirect.
net::Response dead_end(const Routed& routed) {
    if (const auto* method = std::get_if<NoSuchMethod>(&routed)) {
        auto response = refusal(405, "Method Not Allowed");
        response.headers.emplace_back("Allow", method->allow);
        return response;
    }
    if (const auto* slash = std::get_if<TrailingSlash>(&routed)) {
        net::Response response;
        response.status = 307;
        response.headers.emplace_back("Location", slash->location);
        return response;
    }
    return refusal(404, "Not Found");
}

Task<net::Response> dispatch(std::shared_ptr<const Site> site, const net::Request& request) {
    net::Response response;
    try {
        if (is_preflight(request)) {
            response = preflight_response(request);
        } else if (const auto routed = route(kPatterns, request.method, request.target);
                   const auto* found = std::get_if<Found>(&routed)) {
            response = co_await answer(*site, request, *found);
        } else {
            response = dead_end(routed);
        }
    } catch (const std::exception& thrown) {
        response = crash(thrown.what(), site->settings.debug, request.request_id);
    }
    add_common_headers(request, response);
    co_return response;
}

/// The embedded document, under the configured name and version.
std::string openapi_of(const SiteSettings& settings) {
    const auto* asset = core::find_asset("api/openapi.json");
    if (!asset) throw std::logic_error("the OpenAPI document is not in the program");
    std::string text{asset->content};
    const auto replace = [&](std::string_view field, std::string_view written, std::string_view wanted) {
        const auto place = text.find(std::string{"\""}.append(field).append("\": \"").append(written));
        if (place == std::string::npos) throw std::logic_error("the OpenAPI document has changed its head");
        std::string value;
        append_json(value, wanted);
        text.replace(place + field.size() + 4, written.size() + 2, value);
    };
    replace("title", "Video Consultation Service", settings.app_name);
    replace("version", "1.0.0", settings.version);
    return text;
}

}  // namespace

net::Handler make_site(SiteSettings settings, service::Consultations& consultations, service::Metering& metering,
                       const service::TokenVerifier& tokens) {
    auto openapi = openapi_of(settings);
    auto site =
        std::make_shared<const Site>(Site{std::move(settings), consultations, metering, tokens, std::move(openapi)});
    return [site = std::move(site)](const net::Request& request) { return dispatch(site, request); };
}

}  // namespace api
