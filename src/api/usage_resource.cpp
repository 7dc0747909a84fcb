// Attendee-minutes of a month against the free tier.
#include "api/answers.hpp"
#include "api/requests.hpp"
#include "api/resource.hpp"

namespace api {

service::Task<net::Response> get_usage(Call& call) {
    auto& consultations = call.site.consultations;
    Faults faults;
    const auto month = read_usage_month(QueryString{call.request.query()}, consultations.now(), faults);
    if (faults.any()) co_return unprocessable(faults);
    const auto usage = co_await consultations.usage(std::move(call.caller), month->from, month->to);
    if (!usage) co_return failure(usage.error(), {}, call.request.request_id);
    co_return json_response(200, usage_answer(*usage, call.site.settings.free_tier_minutes));
}

}  // namespace api
