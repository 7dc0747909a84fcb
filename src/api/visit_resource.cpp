// A visit from joining to its end, and the doctor's notes.
#include "api/answers.hpp"
#include "api/door_answers.hpp"
#include "api/requests.hpp"
#include "api/resource.hpp"
#include "net/forwarded.hpp"

namespace api {
namespace {

using service::Task;

RawBody body_of(const net::Request& request) {
    return {request.body, request.header("Content-Type")};
}

}  // namespace

Task<net::Response> post_join(Call& call) {
    Faults faults;
    auto request = read_join(body_of(call.request), faults);
    if (faults.any()) co_return unprocessable(faults);
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    request->reached_at = net::reached_at(call.request);
    const auto joined =
        co_await call.site.consultations.join(std::move(call.caller), std::move(call.piece), std::move(*request));
    if (!joined) co_return join_failure(call, joined.error(), "Failed to join video session");
    if (!joined->queued) co_return json_response(200, join_answer(*joined));
    auto response = json_response(202, waiting_answer(*joined));
    response.headers.emplace_back("Retry-After", std::to_string(kPollSeconds));
    co_return response;
}

Task<net::Response> post_start(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    auto request = read_start(body_of(call.request));
    request.reached_at = net::reached_at(call.request);
    auto started =
        co_await call.site.consultations.start(std::move(call.caller), std::move(call.piece), std::move(request));
    if (!started) co_return failure(started.error(), "Failed to start video meeting", call.request.request_id);
    if (started->second) co_return json_response(200, join_answer(*started->second));
    co_return co_await session_response(call, std::move(started->first));
}

Task<net::Response> post_leave(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    co_return co_await session_response(
        call, co_await call.site.consultations.leave(std::move(call.caller), std::move(call.piece)));
}

Task<net::Response> post_end(Call& call) {
    Faults faults;
    auto request = read_end(body_of(call.request), faults);
    if (faults.any()) co_return unprocessable(faults);
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    co_return co_await session_response(
        call, co_await call.site.consultations.end(std::move(call.caller), std::move(call.piece), std::move(*request)));
}

Task<net::Response> post_cancel(Call& call) {
    Faults faults;
    auto reason = read_cancel(body_of(call.request), faults);
    if (faults.any()) co_return unprocessable(faults);
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    co_return co_await session_response(call, co_await call.site.consultations.cancel(
                                                  std::move(call.caller), std::move(call.piece), std::move(*reason)));
}

Task<net::Response> put_notes(Call& call) {
    Faults faults;
    auto notes = read_notes(body_of(call.request), faults);
    if (faults.any()) co_return unprocessable(faults);
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    co_return co_await session_response(call, co_await call.site.consultations.update_notes(
                                                  std::move(call.caller), std::move(call.piece), std::move(*notes)));
}

}  // namespace api
