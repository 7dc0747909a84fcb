// Whether the service lives, and whether it can do its work. `/health` answers 200 also when degraded, as the contract
// has it; `/health/ready` is for orchestrators that go by the status, `/metrics` for Prometheus.
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
    return {settings.app_name, settings.version, call.site.consultations.now(), database, vitals};
}

net::Response status_response(unsigned status, std::string_view text) {
    std::string body;
    JsonObject{body}("status", text);
    return json_response(status, std::move(body));
}

}  // namespace

Task<net::Response> get_health(Call& call) {
    const bool database = co_await database_answers(call);
    const auto vitals = call.site.settings.vitals();
    co_return json_response(200, health_answer(self_report(call, database, vitals)));
}

Task<net::Response> get_metrics(Call& call) {
    const bool database = co_await database_answers(call);
    const auto vitals = call.site.settings.vitals();
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
