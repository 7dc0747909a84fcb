// A bearer token that runs out in mid-call is renewed here, for as long as the call lasts.
#include "api/authorization.hpp"
#include "api/json_text.hpp"
#include "api/rate_gate.hpp"
#include "api/resource.hpp"

namespace api {
namespace {

constexpr std::string_view kNoToken = "Missing or invalid authorization header";
constexpr std::string_view kBadToken = "Invalid token - cannot refresh";
constexpr std::string_view kIncompleteToken = "Invalid token payload - missing user_id or role";
constexpr std::string_view kNotInACall = "Only participants of a running session may renew an expired token";
constexpr std::string_view kNotHere = "This service does not issue tokens";

/// The refusals of a token, in the words that the contract has for this place.
net::Response refused(const core::Error& error, std::string_view request_id) {
    if (error.kind != core::ErrorKind::unauthenticated) return failure(error, {}, request_id);
    return unauthenticated(error.detail == "Invalid token payload" ? kIncompleteToken : kBadToken);
}

std::string token_answer(const service::Identity& identity, const service::IssuedToken& issued) {
    std::string out;
    {
        JsonObject o{out};
        o("access_token", issued.token)("token_type", "bearer")("expires_at", issued.expires_at);
        JsonObject{o.key("user")}("user_id", identity.caller.user_id)("email", identity.email)(
            "role", identity.caller.role)("name", identity.name);
    }
    return out;
}

}  // namespace

service::Task<net::Response> post_refresh_token(Call& call) {
    const auto& settings = call.site.settings;
    if (!settings.issuer) co_return refusal(501, kNotHere);
    const auto authorization = authorization_of(call.request);
    if (!authorization.complete() || !authorization.is("bearer")) co_return unauthenticated(kNoToken);
    const auto identity = settings.issuer->recognise(authorization.credentials, settings.refresh_grace);
    if (!identity) co_return refused(identity.error(), call.request.request_id);
    const Admission admission(settings.limits, call.request, RateClass::refresh, identity->caller.user_id);
    if (auto too_many = admission.refusal()) co_return std::move(*too_many);
    const auto running = co_await call.site.consultations.in_running_session(identity->caller);
    if (!running) co_return failure(running.error(), {}, call.request.request_id);
    if (!*running) co_return refusal(403, kNotInACall);
    const auto issued = settings.issuer->issue(*identity, settings.token_life);
    if (!issued) co_return failure(issued.error(), {}, call.request.request_id);
    auto response = json_response(200, token_answer(*identity, *issued));
    admission.describe(response);
    co_return response;
}

}  // namespace api
