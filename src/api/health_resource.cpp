// Whether the service lives, and whether it can do its work. `/health` answers 200 also when degraded, as the contract
// has it; `/health/ready` is for orchestrators that go by the status, `/metrics` for Prometheus.
#include "api/authorization.hpp"
#include "api/json_text.hpp"
#include "api/resource.hpp"
#include "api/vitals_answer.hpp"
#include "core/log.hpp"

namespace api {
namespace {

using service::Task;

Task<bool> database_answers(Call& call) {
    const auto pong = co_await call.site.consultations.ping();
    if (!pong) core::log::warning("database does not answer", {{"why", pong.error().detail}});
    co_return pong.has_value();
}

SelfReport self_report(const Call& call, bool database, const service::Vitals& vitals) {
    const auto& settings = call.site.settings;
    return {settings.app_name, settings.version, call.site.consultations.now(),
            database,          vitals,           &call.site.requests()};
}

net::Response status_response(unsigned status, std::string_view text) {
    std::string body;
    JsonObject{body}("status", text);
    return json_response(status, std::move(body));
}

/// Somebody else has passed the request on.
bool came_through_a_proxy(const net::Request& request) {
    return request.has_header("Forwarded") || request.has_header("X-Forwarded-For") || request.has_header("Via");
}

/// Metrics tell nothing about people, but much about the installation: they are for whoever has the token, or, where
/// there is none, for whoever reaches this very process, which the world behind a proxy does not.
std::optional<net::Response> unless_shown(const Call& call) {
    const auto& token = call.site.settings.metrics_token;
    if (token.empty()) {
        if (!came_through_a_proxy(call.request)) return {};
        return refusal(403, "Metrics are not shown through a proxy, unless METRICS_TOKEN is set and given");
    }
    const auto authorization = authorization_of(call.request);
    if (authorization.is("bearer") && same_secret(authorization.credentials, token)) return {};
    auto response = refusal(401, "Not authenticated");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

}  // namespace

Task<net::Response> get_health(Call& call) {
    const bool database = co_await database_answers(call);
    const auto vitals = call.site.settings.vitals();
    co_return json_response(200, health_answer(self_report(call, database, vitals)));
}

Task<net::Response> get_metrics(Call& call) {
    if (auto refused = unless_shown(call)) co_return std::move(*refused);
    const bool database = co_await database_answers(call);
    const auto& settings = call.site.settings;
    const auto vitals = settings.figures ? settings.figures() : settings.vitals();
    net::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics_answer(self_report(call, database, vitals));
    co_return response;
}

Task<net::Response> get_live(Call&) {
    co_return status_response(200, "alive");
}

Task<net::Response> get_ready(Call& call) {
    if (!call.site.settings.accepting()) co_return status_response(503, "not accepting requests");
    if (call.site.settings.vitals().nodes.draining) co_return status_response(503, "draining");
    if (!co_await database_answers(call)) co_return status_response(503, "database does not answer");
    co_return status_response(200, "ready");
}

}  // namespace api
