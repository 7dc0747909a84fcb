// Moving a visit to another time.
#include "api/booking_requests.hpp"
#include "api/resource.hpp"

namespace api {

using service::Task;

Task<net::Response> patch_session(Call& call) {
    Faults faults;
    const auto move =
        read_reschedule({call.request.body, call.request.header("Content-Type")}, call.site.settings.time_zone, faults);
    if (faults.any()) co_return unprocessable(faults);
    if (!call.request.has_header("If-Match")) {
        co_return refusal(428, "If-Match is required: the ETag of the session as you have read it, or *");
    }
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    auto match = read_if_match(call.request.header("If-Match"));
    std::optional<std::vector<std::int64_t>> versions;
    if (!match.any) versions = std::move(match.versions);
    co_return co_await session_response(
        call, co_await call.site.consultations.reschedule(std::move(call.caller), std::move(call.piece), *move,
                                                          std::move(versions)));
}

}  // namespace api
