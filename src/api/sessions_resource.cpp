// Booking, reading and listing sessions, and their audit trail.
#include "api/answers.hpp"
#include "api/requests.hpp"
#include "api/resource.hpp"
#include "api/text.hpp"

namespace api {
namespace {

using service::Task;

constexpr std::size_t kLongestId = 100;

/// What a list shows of whom: one of the use cases that take a query.
using ListOf = Task<core::Result<service::SessionPage>> (service::Consultations::*)(service::Caller, std::string,
                                                                                    service::SessionQuery);

Task<net::Response> list_of_person(Call& call, ListOf list_of, std::string_view name) {
    Faults faults;
    if (!can_be_an_id(call.piece)) faults.rule({"path", name}, "this is not an id", "null");
    const auto list = read_list(QueryString{call.request.query()}, call.site.settings.time_zone, faults);
    if (faults.any()) co_return unprocessable(faults);
    auto& consultations = call.site.consultations;
    const auto page = co_await (consultations.*list_of)(std::move(call.caller), std::move(call.piece), list->query);
    if (!page) co_return failure(page.error(), {}, call.request.request_id);
    co_return json_response(200, list_answer(*page, *list, consultations.now()));
}

}  // namespace

bool can_be_an_id(std::string_view text) {
    return !text.empty() && text.size() <= kLongestId && text.find('\0') == std::string_view::npos && is_utf8(text);
}

net::Response session_not_found() {
    return refusal(404, "Video consultation session not found");
}

Task<net::Response> post_session(Call& call) {
    Faults faults;
    std::optional<std::string> key;
    if (call.request.has_header("Idempotency-Key")) {
        key = read_idempotency_key(call.request.header("Idempotency-Key"), faults);
    }
    auto request =
        read_create({call.request.body, call.request.header("Content-Type")}, call.site.settings.time_zone, faults);
    if (faults.any()) co_return unprocessable(faults);
    request->idempotency_key = std::move(key);
    auto& consultations = call.site.consultations;
    const auto created = co_await consultations.create(std::move(call.caller), std::move(*request));
    if (!created) {
        co_return failure(created.error(), "Failed to create video consultation session", call.request.request_id);
    }
    co_return json_response(created->is_new ? 201 : 200, session_answer(created->session, consultations.now()));
}

Task<net::Response> get_session(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    auto& consultations = call.site.consultations;
    const auto session = co_await consultations.get(std::move(call.caller), std::move(call.piece));
    if (!session) co_return failure(session.error(), {}, call.request.request_id);
    co_return json_response(200, session_answer(*session, consultations.now()));
}

Task<net::Response> get_sessions(Call& call) {
    Faults faults;
    const auto list = read_list(QueryString{call.request.query()}, call.site.settings.time_zone, faults);
    if (faults.any()) co_return unprocessable(faults);
    auto& consultations = call.site.consultations;
    const auto page = co_await consultations.list(std::move(call.caller), list->query);
    if (!page) co_return failure(page.error(), {}, call.request.request_id);
    co_return json_response(200, list_answer(*page, *list, consultations.now()));
}

Task<net::Response> get_sessions_of_doctor(Call& call) {
    return list_of_person(call, &service::Consultations::list_of_doctor, "doctor_id");
}

Task<net::Response> get_sessions_of_patient(Call& call) {
    return list_of_person(call, &service::Consultations::list_of_patient, "patient_id");
}

Task<net::Response> get_events(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    const auto events = co_await call.site.consultations.events(std::move(call.caller), std::move(call.piece));
    if (!events) co_return failure(events.error(), {}, call.request.request_id);
    co_return json_response(200, events_answer(*events));
}

}  // namespace api
