// Booking, reading and listing sessions, and their audit trail.
#include "api/answers.hpp"
#include "api/booking_requests.hpp"
#include "api/requests.hpp"
#include "api/resource.hpp"

namespace api {
namespace {

using service::Task;

/// How the people of these sessions are called, asked for all of them at once.
Task<std::vector<service::SessionNames>> names_of(const Site& site,
                                                  const std::vector<consultation::Session>& sessions) {
    if (!site.settings.names || sessions.empty()) co_return std::vector<service::SessionNames>(sessions.size());
    std::vector<service::NamesWanted> wanted;
    wanted.reserve(sessions.size());
    for (const auto& session : sessions) wanted.push_back({session.doctor_id, session.patient_id, session.clinic_id});
    auto names = co_await site.settings.names->names_of(std::move(wanted));
    names.resize(sessions.size());
    co_return names;
}

Task<net::Response> list_response(const Call& call, core::Result<service::SessionPage> page, ListRequest list) {
    if (!page) co_return failure(page.error(), {}, call.request.request_id);
    const auto names = co_await names_of(call.site, page->sessions);
    co_return json_response(200, list_answer(*page, names, list, call.site.consultations.now()));
}

/// What a list shows of whom: one of the use cases that take a query.
using ListOf = Task<core::Result<service::SessionPage>> (service::Consultations::*)(service::Caller, std::string,
                                                                                    service::SessionQuery);

Task<net::Response> list_of_person(Call& call, ListOf list_of, std::string_view name) {
    Faults faults;
    if (!can_be_an_id(call.piece)) faults.rule({"path", name}, "this is not an id", "null");
    const auto list = read_list(QueryString{call.request.query()}, call.site.settings.time_zone, faults);
    if (faults.any()) co_return unprocessable(faults);
    auto& consultations = call.site.consultations;
    co_return co_await list_response(
        call, co_await (consultations.*list_of)(std::move(call.caller), std::move(call.piece), list->query), *list);
}

}  // namespace

net::Response session_not_found() {
    return refusal(404, "Video consultation session not found");
}

Task<net::Response> session_response(const Call& call, core::Result<consultation::Session> session,
                                     std::string_view operation, unsigned status) {
    if (!session) co_return failure(session.error(), operation, call.request.request_id);
    service::SessionNames names;
    if (auto* directory = call.site.settings.names) {
        std::vector<service::NamesWanted> wanted{{session->doctor_id, session->patient_id, session->clinic_id}};
        if (auto known = co_await directory->names_of(std::move(wanted)); !known.empty()) names = std::move(known[0]);
    }
    auto response = json_response(status, session_answer(*session, names, call.site.consultations.now()));
    response.headers.emplace_back("ETag", entity_tag(session->version));
    co_return response;
}

Task<net::Response> post_session(Call& call) {
    Faults faults;
    std::optional<std::string> key;
    if (call.request.has_header("Idempotency-Key")) {
        key = read_idempotency_key(call.request.header("Idempotency-Key"), faults);
    }
    const auto& settings = call.site.settings;
    auto request = read_create({call.request.body, call.request.header("Content-Type")}, settings.time_zone,
                               {settings.media_regions, settings.appointments_fill_in}, faults);
    if (faults.any()) co_return unprocessable(faults);
    request->idempotency_key = std::move(key);
    auto created = co_await call.site.consultations.create(std::move(call.caller), std::move(*request));
    if (!created) {
        co_return failure(created.error(), "Failed to create video consultation session", call.request.request_id);
    }
    co_return co_await session_response(call, std::move(created->session), {}, created->is_new ? 201 : 200);
}

Task<net::Response> get_session(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    co_return co_await session_response(
        call, co_await call.site.consultations.get(std::move(call.caller), std::move(call.piece)));
}

Task<net::Response> get_session_by_appointment(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    co_return co_await session_response(
        call, co_await call.site.consultations.get_by_appointment(std::move(call.caller), std::move(call.piece)));
}

Task<net::Response> get_sessions(Call& call) {
    Faults faults;
    const auto list = read_list(QueryString{call.request.query()}, call.site.settings.time_zone, faults);
    if (faults.any()) co_return unprocessable(faults);
    auto& consultations = call.site.consultations;
    co_return co_await list_response(call, co_await consultations.list(std::move(call.caller), list->query), *list);
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
