// Whether the service lives, and whether it can do its work. `/health` answers 200 also when degraded, as the contract
// has it; `/health/ready` is for orchestrators that go by the status.
#include "api/json_text.hpp"
#include "api/resource.hpp"
#include "core/log.hpp"

namespace api {
namespace {

using service::Task;

Task<bool> database_answers(Call& call) {
    const auto pong = co_await call.site.consultations.ping();
    if (!pong) core::log::warning("database does not answer", {{"why", pong.error().detail}});
    co_return pong.has_value();
}

net::Response status_response(unsigned status, std::string_view text) {
    std::string body;
    JsonObject{body}("status", text);
    return json_response(status, std::move(body));
}

}  // namespace

Task<net::Response> get_health(Call& call) {
    const auto& settings = call.site.settings;
    const bool database = co_await database_answers(call);
    const auto broker = settings.message_broker();
    const bool healthy = database && (broker == "healthy" || broker == "disabled");
    std::string body;
    JsonObject{body}("status", healthy ? "healthy" : "degraded")("service", settings.app_name)(
        "version", settings.version)("timestamp", call.site.consultations.now())(
        "database", database ? "healthy" : "unhealthy")("rabbitmq", broker)("aws_chime", settings.meetings);
    co_return json_response(200, std::move(body));
}

Task<net::Response> get_live(Call&) {
    co_return status_response(200, "alive");
}

Task<net::Response> get_ready(Call& call) {
    if (!call.site.settings.accepting()) co_return status_response(503, "not accepting requests");
    if (!co_await database_answers(call)) co_return status_response(503, "database does not answer");
    co_return status_response(200, "ready");
}

}  // namespace api
