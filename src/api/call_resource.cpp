// Beside the visit itself: having it written down, and how the call was.
#include "api/requests.hpp"
#include "api/resource.hpp"

namespace api {

using service::Task;

Task<net::Response> post_transcription(Call& call) {
    Faults faults;
    auto options = read_transcription({call.request.body, call.request.header("Content-Type")}, faults);
    if (faults.any()) co_return unprocessable(faults);
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    co_return co_await session_response(call, co_await call.site.consultations.start_transcription(
                                                  std::move(call.caller), std::move(call.piece), std::move(*options)));
}

Task<net::Response> delete_transcription(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    co_return co_await session_response(
        call, co_await call.site.consultations.stop_transcription(std::move(call.caller), std::move(call.piece)));
}

Task<net::Response> post_quality(Call& call) {
    Faults faults;
    auto report = read_quality({call.request.body, call.request.header("Content-Type")}, faults);
    if (faults.any()) co_return unprocessable(faults);
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    const auto reported = co_await call.site.consultations.report_quality(std::move(call.caller), std::move(call.piece),
                                                                          std::move(*report));
    if (!reported) co_return failure(reported.error(), {}, call.request.request_id);
    co_return json_response(204, {});
}

}  // namespace api
