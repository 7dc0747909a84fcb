#include "service/consultations.hpp"

#include <algorithm>
#include <utility>

#include "consultation/access.hpp"
#include "consultation/life_cycle.hpp"
#include "core/bytes.hpp"
#include "service/change_loop.hpp"
#include "service/spans.hpp"

namespace service {
namespace {

using consultation::Change;
using consultation::Role;
using consultation::Session;
using core::ErrorKind;
using core::fail;

/// What makes two bookings the same: every field as understood, so that `30` and `"30"` do not differ.
std::string fingerprint(const CreateRequest& r) {
    std::string text;
    const auto add = [&](std::string_view field) {
        text.append(std::to_string(field.size())).append(":").append(field);
    };
    const auto add_optional = [&](const std::optional<std::string>& field) { field ? add(*field) : add("\xff"); };
    add(to_text(r.booking_type));
    add_optional(r.appointment_id);
    add(r.doctor_id);
    add(r.patient_id);
    add(r.clinic_id ? std::to_string(*r.clinic_id) : "-");
    add(core::format_rfc3339(r.scheduled_start_time));
    add(std::to_string(r.duration_minutes));
    add_optional(r.chief_complaint);
    if (r.media_region) add(*r.media_region);
    if (r.waiting_room) add(*r.waiting_room ? "waiting room" : "no waiting room");
    return core::hex(core::sha256(core::as_bytes(text)));
}

}  // namespace

/// Loads a session that must exist.
Task<Result<Session>> Consultations::load(std::string session_id, core::trace::Context of) {
    auto found = co_await in_span(of, "store find", store_.find(std::move(session_id)));
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return session_not_found();
    co_return std::move(**found);
}

Task<Result<Committed>> Consultations::commit(Change change, std::optional<IdempotencyRecord> idempotency) {
    const auto of = change.trace;
    return in_span(of, "store commit", store_.commit(std::move(change), std::move(idempotency)));
}

Task<Result<Session>> Consultations::load_any(std::string id, core::trace::Context of) {
    auto found = co_await in_span(of, "store find", store_.find(id));
    if (found && !*found) found = co_await in_span(of, "store find", store_.find_by_appointment(std::move(id)));
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return session_not_found();
    co_return std::move(**found);
}

Task<Result<void>> Consultations::fill_from_appointment(const Caller& caller, CreateRequest& request) {
    if (!settings_.appointments || !request.appointment_id) {
        if (request.left_out.any_required()) {
            co_return fail(ErrorKind::unprocessable, "doctor_id, patient_id and scheduled_start_time are required");
        }
        co_return Result<void>{};
    }
    const auto found = co_await settings_.appointments->appointment(*request.appointment_id, caller.trace);
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return fail(ErrorKind::unprocessable, "The appointment does not exist");
    const auto& appointment = **found;
    // First of all: whoever has nothing to do with it learns nothing more of it.
    const bool strangers =
        !caller.is_admin() && caller.user_id != appointment.doctor_id && caller.user_id != appointment.patient_id;
    if (strangers) co_return fail(ErrorKind::forbidden, "The appointment belongs to other participants");
    if (!appointment.is_virtual) co_return fail(ErrorKind::unprocessable, "The appointment is not a virtual one");
    if (appointment.is_cancelled) co_return fail(ErrorKind::unprocessable, "The appointment has been cancelled");
    if (request.left_out.doctor) request.doctor_id = appointment.doctor_id;
    if (request.left_out.patient) request.patient_id = appointment.patient_id;
    if (request.doctor_id != appointment.doctor_id || request.patient_id != appointment.patient_id) {
        co_return fail(ErrorKind::forbidden, "The appointment belongs to other participants");
    }
    if (request.left_out.start) {
        if (!appointment.start) {
            co_return fail(ErrorKind::unprocessable, "The appointment has no time yet: send scheduled_start_time");
        }
        request.scheduled_start_time = *appointment.start;
    }
    if (request.left_out.duration && appointment.duration_minutes) {
        request.duration_minutes = std::clamp(*appointment.duration_minutes, 15, 120);
    }
    if (!request.clinic_id) request.clinic_id = appointment.clinic_id;
    co_return Result<void>{};
}

Task<Result<Created>> Consultations::create(Caller caller, CreateRequest request) {
    // Before anybody is asked: what is left out is the caller's own, or the admin's to fill in.
    const auto& doctor = request.left_out.doctor && caller.is_doctor() ? caller.user_id : request.doctor_id;
    const auto& patient = request.left_out.patient && caller.is_patient() ? caller.user_id : request.patient_id;
    if (auto allowed = consultation::may_create(caller, doctor, patient); !allowed) {
        co_return std::unexpected(allowed.error());
    }
    auto filled = co_await fill_from_appointment(caller, request);
    if (!filled) co_return std::unexpected(filled.error());
    if (auto allowed = consultation::may_create(caller, request.doctor_id, request.patient_id); !allowed) {
        co_return std::unexpected(allowed.error());
    }
    co_return co_await book(std::move(caller), std::move(request));
}

Task<Result<Created>> Consultations::book_requested(CreateRequest request, core::trace::Context of) {
    Caller by{{}, "SERVICE"};
    by.trace = std::move(of);
    co_return co_await book(std::move(by), std::move(request));
}

Task<Result<Created>> Consultations::found_booked(const Caller& caller, Created created) {
    if (caller.user_id.empty()) co_return created;
    auto noted = co_await trail_.note(caller, created.session.session_id, "SESSION_READ", "BOOK");
    if (!noted) co_return std::unexpected(noted.error());
    if (!created.is_new) trail_.veil(caller, created.session);
    co_return created;
}

Task<Result<Created>> Consultations::book(Caller caller, CreateRequest request) {
    std::optional<IdempotencyRecord> idempotency;
    if (request.idempotency_key) {
        idempotency = IdempotencyRecord{caller.user_id, *request.idempotency_key, fingerprint(request), {}};
    }
    if (!request.waiting_room) request.waiting_room = settings_.waiting_room;
    for (int round = 0; round < kMaxRounds; ++round) {
        auto change = consultation::book(request, caller, clock_.now(), settings_.meeting_url_base);
        change.no_overlap = settings_.prevent_overlap;
        sign(change, caller, clock_.now());
        auto session = change.after;
        if (idempotency) idempotency->session_id = session.session_id;
        auto committed = co_await commit(std::move(change), idempotency);
        if (!committed) co_return std::unexpected(committed.error());
        switch (*committed) {
            case Committed::applied:
                co_return Created{std::move(session), true};
            case Committed::stale:
                break;
            case Committed::overlap:
                co_return overlapping();
            case Committed::duplicate_key: {
                auto earlier = co_await store_.find_idempotency(caller.user_id, *request.idempotency_key);
                if (!earlier) co_return std::unexpected(earlier.error());
                if (!*earlier) break;
                if ((*earlier)->body_hash != idempotency->body_hash) {
                    co_return fail(ErrorKind::unprocessable, "Idempotency-Key was used before with another request");
                }
                auto first = co_await load((*earlier)->session_id, caller.trace);
                if (!first) co_return std::unexpected(first.error());
                co_return co_await found_booked(caller, Created{consultation::as_booked(std::move(*first)), true});
            }
            case Committed::duplicate_appointment: {
                auto existing = co_await store_.find_by_appointment(*request.appointment_id);
                if (!existing) co_return std::unexpected(existing.error());
                if (!*existing) break;
                if ((*existing)->doctor_id != request.doctor_id || (*existing)->patient_id != request.patient_id) {
                    co_return fail(ErrorKind::conflict,
                                   "This appointment already has a session with other participants");
                }
                co_return co_await found_booked(caller, Created{std::move(**existing), false});
            }
        }
    }
    co_return too_busy();
}

Task<Result<Session>> Consultations::get(Caller caller, std::string session_id) {
    auto session = co_await load(std::move(session_id), caller.trace);
    if (!session) co_return session;
    if (!caller.is_guest()) co_return co_await shown(caller, std::move(*session), "SESSION_READ");
    if (auto allowed = consultation::may_attend(*session, caller); !allowed) {
        co_return std::unexpected(
            co_await trail_.refused(caller, session->session_id, "SESSION_READ", allowed.error()));
    }
    auto noted = co_await trail_.note(caller, session->session_id, "SESSION_READ", {});
    if (!noted) co_return std::unexpected(noted.error());
    co_return consultation::for_guest(std::move(*session));
}

Task<Result<Session>> Consultations::shown(const Caller& caller, Session session, std::string what) {
    if (auto allowed = consultation::may_see(session, caller); !allowed) {
        co_return std::unexpected(co_await trail_.refused(caller, session.session_id, what, allowed.error()));
    }
    auto noted = co_await trail_.show(caller, session, std::move(what), {});
    if (!noted) co_return std::unexpected(std::move(noted.error()));
    co_return session;
}

Task<Result<Session>> Consultations::get_by_appointment(Caller caller, std::string appointment_id) {
    auto found = co_await in_span(caller.trace, "store find", store_.find_by_appointment(std::move(appointment_id)));
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return session_not_found();
    co_return co_await shown(caller, std::move(**found), "SESSION_READ");
}

Task<Result<SessionPage>> Consultations::list(Caller caller, SessionQuery query) {
    if (caller.is_doctor()) {
        query.doctor_id = caller.user_id;
    } else if (caller.is_patient()) {
        query.patient_id = caller.user_id;
    } else if (caller.is_guest()) {
        co_return fail(ErrorKind::forbidden, "Guests can only take part in the session that they were invited to");
    } else if (!caller.is_admin()) {
        co_return SessionPage{};
    }
    co_return co_await listed(caller, std::move(query), "own");
}

Task<Result<SessionPage>> Consultations::listed(const Caller& caller, SessionQuery query, std::string asked) {
    asked += ", from " + std::to_string(query.offset);
    auto page = co_await in_span(caller.trace, "store list", store_.list(std::move(query)));
    if (!page) co_return page;
    co_return co_await trail_.list(caller, std::move(*page), std::move(asked));
}

Task<Result<SessionPage>> Consultations::list_of_doctor(Caller caller, std::string doctor_id, SessionQuery query) {
    std::string asked = "doctor " + doctor_id;
    if (auto allowed = consultation::may_list_of(caller, Role::doctor, doctor_id); !allowed) {
        co_return std::unexpected(co_await trail_.refused(caller, {}, "SESSIONS_LISTED: " + asked, allowed.error()));
    }
    query.doctor_id = std::move(doctor_id);
    co_return co_await listed(caller, std::move(query), std::move(asked));
}

Task<Result<SessionPage>> Consultations::list_of_patient(Caller caller, std::string patient_id, SessionQuery query) {
    std::string asked = "patient " + patient_id;
    if (auto allowed = consultation::may_list_of(caller, Role::patient, patient_id); !allowed) {
        co_return std::unexpected(co_await trail_.refused(caller, {}, "SESSIONS_LISTED: " + asked, allowed.error()));
    }
    query.patient_id = std::move(patient_id);
    co_return co_await listed(caller, std::move(query), std::move(asked));
}

Task<Result<std::vector<consultation::AuditEntry>>> Consultations::events(Caller caller, std::string session_id) {
    auto session = co_await load(session_id, caller.trace);
    if (!session) co_return std::unexpected(session.error());
    auto allowed = co_await shown(caller, std::move(*session), "EVENTS_READ");
    if (!allowed) co_return std::unexpected(allowed.error());
    co_return co_await store_.audit_trail(std::move(session_id));
}

Task<Result<Session>> Consultations::end(Caller caller, std::string session_id, EndRequest request) {
    auto after = co_await change_by(
        caller, "END", std::move(session_id), [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            if (auto allowed = consultation::may_end(s, caller); !allowed) return std::unexpected(allowed.error());
            return consultation::end(s, caller, {request.session_notes, request.connection_quality_rating}, now);
        });
    co_return co_await close_meeting(std::move(after));
}

Task<Result<Session>> Consultations::cancel(Caller caller, std::string session_id, std::string reason) {
    auto after = co_await change_by(caller, "CANCEL", std::move(session_id),
                                    [&](const Session& s, Time now) -> Result<std::optional<Change>> {
                                        if (auto allowed = consultation::may_see(s, caller); !allowed)
                                            return std::unexpected(allowed.error());
                                        return consultation::cancel(s, caller, reason, now);
                                    });
    co_return co_await close_meeting(std::move(after));
}

Task<Result<Session>> Consultations::update_notes(Caller caller, std::string session_id, std::string notes) {
    co_return co_await change_by(caller, "NOTES", std::move(session_id),
                                 [&](const Session& s, Time now) -> Result<std::optional<Change>> {
                                     if (auto allowed = consultation::may_write_notes(s, caller); !allowed)
                                         return std::unexpected(allowed.error());
                                     return consultation::update_notes(s, caller, notes, now);
                                 });
}

Task<Result<Session>> Consultations::start_requested(std::string session_id, std::string doctor_id,
                                                     core::trace::Context of) {
    co_return co_await change(
        std::move(session_id), [&](const Session& s, Time now) { return consultation::note_start(s, doctor_id, now); },
        std::move(of));
}

Task<Result<Session>> Consultations::end_requested(std::string session_id, Caller by) {
    auto after = co_await change(
        std::move(session_id),
        [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            if (!consultation::part_of(s, by)) return fail(ErrorKind::forbidden, "Not a participant of the session");
            return consultation::end_on_request(s, by, now);
        },
        by.trace);
    co_return co_await close_meeting(std::move(after));
}

Task<Result<void>> Consultations::report_quality(Caller caller, std::string session_id, QualityReport report) {
    auto session = co_await load(std::move(session_id), caller.trace);
    if (!session) co_return std::unexpected(session.error());
    const auto role = consultation::may_join(*session, caller);
    if (!role) co_return std::unexpected(co_await trail_.refused(caller, session->session_id, "QUALITY", role.error()));
    const auto* attendee = consultation::find_attendee(*session, caller.user_id);
    if (!attendee || !attendee->joined_at || !session->meeting) {
        co_return fail(ErrorKind::conflict, "Quality can be reported once you have joined the session");
    }
    auto noted = co_await trail_.note(caller, session->session_id, "QUALITY_REPORTED", {});
    if (!noted) co_return std::unexpected(noted.error());
    co_return co_await store_.record_quality(session->session_id, attendee->user_id, session->meeting->provider,
                                             std::move(report), clock_.now());
}

Task<Result<bool>> Consultations::in_running_session(Caller caller) {
    if (!caller.is_doctor() && !caller.is_patient()) co_return false;
    for (const auto status : {consultation::Status::active, consultation::Status::waiting}) {
        SessionQuery query;
        (caller.is_doctor() ? query.doctor_id : query.patient_id) = caller.user_id;
        query.status = status;
        query.limit = 1;
        const auto page = co_await store_.list(std::move(query));
        if (!page) co_return std::unexpected(page.error());
        if (page->total > 0) co_return true;
    }
    co_return false;
}

}  // namespace service
