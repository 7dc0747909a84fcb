#include "api/site.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>

#include "api/authorization.hpp"
#include "api/cors.hpp"
#include "api/json_text.hpp"
#include "api/rate_gate.hpp"
#include "api/request_origin.hpp"
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
    RateClass rate = RateClass::by_method;
    bool guests = false;  ///< Also to those who were invited to the one session that it is about.
};

#define SESSIONS "/api/video/sessions"
constexpr auto kRoutes = std::to_array<Route>({
    {{"GET", SESSIONS "/{}"}, false, get_session, RateClass::by_method, true},
    {{"POST", SESSIONS}, false, post_session},
    {{"GET", SESSIONS}, false, get_sessions},
    {{"POST", SESSIONS "/{}/join"}, false, post_join, RateClass::join, true},
    {{"POST", SESSIONS "/{}/start"}, false, post_start, RateClass::join},
    {{"POST", SESSIONS "/{}/leave"}, false, post_leave, RateClass::by_method, true},
    {{"POST", SESSIONS "/{}/end"}, false, post_end},
    {{"POST", SESSIONS "/{}/cancel"}, false, post_cancel},
    {{"PUT", SESSIONS "/{}/notes"}, false, put_notes},
    {{"GET", SESSIONS "/{}/events"}, false, get_events},
    {{"GET", SESSIONS "/{}/stream"}, false, get_stream, RateClass::by_method, true},
    {{"PATCH", SESSIONS "/{}"}, false, patch_session},
    {{"POST", SESSIONS "/{}/transcription"}, false, post_transcription},
    {{"DELETE", SESSIONS "/{}/transcription"}, false, delete_transcription},
    {{"POST", SESSIONS "/{}/quality"}, false, post_quality, RateClass::by_method, true},
    {{"GET", SESSIONS "/{}/waiting-room"}, false, get_waiting_room},
    {{"POST", SESSIONS "/{}/waiting-room/{}/admit"}, false, post_admit},
    {{"POST", SESSIONS "/{}/waiting-room/{}/deny"}, false, post_deny},
    {{"POST", SESSIONS "/{}/waiting-room/{}/remove"}, false, post_remove},
    {{"POST", SESSIONS "/{}/invitations"}, false, post_invitation},
    {{"GET", SESSIONS "/{}/invitations"}, false, get_invitations},
    {{"DELETE", SESSIONS "/{}/invitations/{}"}, false, delete_invitation},
    {{"GET", SESSIONS "/doctor/{}"}, false, get_sessions_of_doctor},
    {{"GET", SESSIONS "/patient/{}"}, false, get_sessions_of_patient},
    {{"GET", SESSIONS "/by-appointment/{}"}, false, get_session_by_appointment},
    {{"GET", "/api/video/patients/{}/export"}, false, get_patient_export},
    {{"GET", "/api/video/consent"}, false, get_consent},
    {{"POST", "/api/video/consent"}, false, post_consent},
    {{"GET", "/api/video/metrics/usage"}, false, get_usage},
    // The link that was opened is all that its bearer has.
    {{"POST", "/api/video/invitations/redeem"}, true, post_redemption, RateClass::link},
    // These two look at their callers' credentials themselves.
    {{"POST", "/api/video/auth/refresh-token"}, true, post_refresh_token, RateClass::unlimited},
    {{"POST", "/api/video/chime/events"}, true, post_chime_events, RateClass::unlimited},
    {{"GET", "/health"}, true, get_health},
    {{"GET", "/health/live"}, true, get_live, RateClass::unlimited},
    {{"GET", "/health/ready"}, true, get_ready, RateClass::unlimited},
    {{"GET", "/metrics"}, true, get_metrics, RateClass::unlimited},
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

constexpr std::string_view kGuestsElsewhere = "Guests can only take part in the session that they were invited to";

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

/// Whether the token that is shown was good at a time: a page that was left open is no attack.
bool was_good(const Site& site, const net::Request& request) {
    constexpr std::chrono::days kLeftOpen{30};
    const auto* issuer = site.settings.issuer;
    const auto authorization = authorization_of(request);
    return issuer && authorization.is("bearer") && issuer->recognise(authorization.credentials, kLeftOpen).has_value();
}

/// Whoever is about to be told 401, or the refusal instead.
net::Response unless_too_often(const Site& site, const net::Request& request, net::Response unauthorized) {
    if (!request.has_header("Authorization") && !request.has_header("X-Api-Key")) return unauthorized;
    if (was_good(site, request)) return unauthorized;
    return turn_away_guesser(site.settings.limits, request).value_or(std::move(unauthorized));
}

/// Headers that every answer carries.
void add_common_headers(const Site& site, const net::Request& request, net::Response& response) {
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    const bool cached = std::ranges::any_of(response.headers, [](const auto& h) { return h.first == "Cache-Control"; });
    if (!cached) response.headers.emplace_back("Cache-Control", "no-store");
    add_cors(site.settings.cors, request, response);
}

Task<net::Response> answer_stranger(const Route& route, Call& call) {
    if (route.rate != RateClass::unlimited) {
        if (auto refused = turn_away_stranger(call.site.settings.limits, call.request)) co_return std::move(*refused);
    }
    auto response = co_await route.resource(call);
    if (response.status == 401) co_return unless_too_often(call.site, call.request, std::move(response));
    if (route.rate == RateClass::link && response.status == 404) {
        co_return turn_away_guesser(call.site.settings.limits, call.request).value_or(std::move(response));
    }
    co_return response;
}

Task<net::Response> answer(const Site& site, const net::Request& request, const Found& found,
                           const core::trace::Context& trace) {
    const auto& route = kRoutes[found.index];
    Call call{site, request, found.piece, {}, found.second};
    note_origin(call.caller, request);
    call.caller.trace = trace;
    if (route.open) co_return co_await answer_stranger(route, call);
    auto caller = caller_of(request, site.tokens);
    if (!caller) {
        if (auto refused = turn_away_stranger(site.settings.limits, request)) co_return std::move(*refused);
        co_return unless_too_often(site, request, failure(caller.error(), {}, request.request_id));
    }
    const Admission admission(site.settings.limits, request, route.rate, caller->user_id);
    if (auto refused = admission.refusal()) co_return std::move(*refused);
    call.caller = std::move(*caller);
    note_origin(call.caller, request);
    call.caller.trace = trace;
    auto response =
        call.caller.is_guest() && !route.guests ? refusal(403, kGuestsElsewhere) : co_await route.resource(call);
    admission.describe(response);
    co_return response;
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
    RequestWatch::Seen seen(site->requests(), request);
    try {
        if (auto methods = request.method == "OPTIONS" ? methods_of(kPatterns, request.target) : std::string{};
            !methods.empty()) {
            seen.is(RequestWatch::Other::preflight);
            response = preflight_response(site->settings.cors, request, methods);
        } else if (const auto routed = route(kPatterns, request.method, request.target);
                   const auto* found = std::get_if<Found>(&routed)) {
            seen.is(found->index);
            response = co_await answer(*site, request, *found, seen.trace());
        } else {
            auto refused = turn_away_stranger(site->settings.limits, request);
            response = refused ? std::move(*refused) : dead_end(routed);
        }
    } catch (const std::exception& thrown) {
        response = crash(thrown.what(), site->settings.debug, request.request_id);
    }
    add_common_headers(*site, request, response);
    seen.answered(response.status);
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

std::span<const Pattern> route_patterns() {
    return kPatterns;
}

net::Handler make_site(SiteSettings settings, service::Consultations& consultations, service::Metering& metering,
                       const service::TokenVerifier& tokens) {
    auto openapi = openapi_of(settings);
    auto site = std::make_shared<Site>(Site{std::move(settings), consultations, metering, tokens, std::move(openapi)});
    if (!site->settings.requests) {
        site->own_requests = std::make_unique<RequestWatch>(route_patterns(), std::chrono::milliseconds{0});
    }
    return [site = std::move(site)](const net::Request& request) { return dispatch(site, request); };
}

}  // namespace api
