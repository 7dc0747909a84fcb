// Attendee-minutes of a month against the free tier.
#include "api/requests.hpp"
#include "api/resource.hpp"
#include "api/usage_answer.hpp"

namespace api {
namespace {

/// The list of the sessions behind the figures ends there, however busy the month was.
constexpr int kMostSessions = 1000;

}  // namespace

service::Task<net::Response> get_usage(Call& call) {
    auto& metering = call.site.metering;
    Faults faults;
    const auto month = read_usage_month(QueryString{call.request.query()}, call.site.consultations.now(), faults);
    if (faults.any()) co_return unprocessable(faults);
    const auto usage = co_await metering.usage(call.caller, month->from, month->to);
    if (!usage) co_return failure(usage.error(), {}, call.request.request_id);
    std::optional<std::vector<service::SessionUsage>> sessions;
    if (call.caller.is_admin()) {
        auto behind = co_await metering.sessions(call.caller, month->from, month->to, kMostSessions);
        if (!behind) co_return failure(behind.error(), {}, call.request.request_id);
        sessions = std::move(*behind);
    }
    co_return json_response(200, usage_answer(*usage, month->from, metering.free_tier_minutes(), sessions));
}

}  // namespace api
