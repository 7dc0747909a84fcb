#include "service/consultations.hpp"

#include <algorithm>
#include <utility>

#include "consultation/access.hpp"
#include "consultation/life_cycle.hpp"
#include "core/bytes.hpp"

namespace service {
namespace {

using consultation::Change;
using consultation::Role;
using consultation::Session;
using core::ErrorKind;
using core::fail;

/// Each round somebody else has moved the session on; a session can only be moved on so often.
constexpr int kMaxRounds = 64;

auto not_found() {
    return fail(ErrorKind::not_found, "Video consultation session not found");
}
auto too_busy() {
    return fail(ErrorKind::unavailable, "The session is being changed by too many at once, try again",
                std::chrono::seconds{1});
}

std::string external_user_id(Role role, const std::string& user_id) {
    return (role == Role::doctor ? "doctor-" : "patient-") + user_id;
}

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
    return core::hex(core::sha256(core::as_bytes(text)));
}

const consultation::Attendee* by_attendee_id(const Session& session, const std::string& attendee_id) {
    const auto found = std::ranges::find(session.attendees, attendee_id, &consultation::Attendee::chime_attendee_id);
    return found == session.attendees.end() ? nullptr : &*found;
}

}  // namespace

/// Loads a session that must exist.
Task<Result<Session>> Consultations::load(std::string session_id) {
    auto found = co_await store_.find(std::move(session_id));
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return not_found();
    co_return std::move(**found);
}

template <class Decide>
Task<Result<Session>> Consultations::change(std::string session_id, Decide decide) {
    for (int round = 0; round < kMaxRounds; ++round) {
        auto session = co_await load(session_id);
        if (!session) co_return std::unexpected(session.error());
        Result<std::optional<Change>> decision = decide(*session, clock_.now());
        if (!decision) co_return std::unexpected(decision.error());
        if (!*decision) co_return std::move(*session);
        auto after = (*decision)->after;
        auto committed = co_await store_.commit(std::move(**decision));
        if (!committed) co_return std::unexpected(committed.error());
        if (*committed == Committed::applied) co_return after;
    }
    co_return too_busy();
}

Task<Result<Created>> Consultations::create(Caller caller, CreateRequest request) {
    if (auto allowed = consultation::may_create(caller, request.doctor_id, request.patient_id); !allowed) {
        co_return std::unexpected(allowed.error());
    }
    std::optional<IdempotencyRecord> idempotency;
    if (request.idempotency_key) {
        idempotency = IdempotencyRecord{caller.user_id, *request.idempotency_key, fingerprint(request), {}};
    }
    for (int round = 0; round < kMaxRounds; ++round) {
        auto change = consultation::book(request, caller, clock_.now(), settings_.meeting_url_base);
        auto session = change.after;
        if (idempotency) idempotency->session_id = session.session_id;
        auto committed = co_await store_.commit(std::move(change), idempotency);
        if (!committed) co_return std::unexpected(committed.error());
        switch (*committed) {
            case Committed::applied:
                co_return Created{std::move(session), true};
            case Committed::stale:
                break;
            case Committed::duplicate_key: {
                auto earlier = co_await store_.find_idempotency(caller.user_id, *request.idempotency_key);
                if (!earlier) co_return std::unexpected(earlier.error());
                if (!*earlier) break;
                if ((*earlier)->body_hash != idempotency->body_hash) {
                    co_return fail(ErrorKind::unprocessable, "Idempotency-Key was used before with another request");
                }
                auto first = co_await load((*earlier)->session_id);
                if (!first) co_return std::unexpected(first.error());
                co_return Created{consultation::as_booked(std::move(*first)), true};
            }
            case Committed::duplicate_appointment: {
                auto existing = co_await store_.find_by_appointment(*request.appointment_id);
                if (!existing) co_return std::unexpected(existing.error());
                if (!*existing) break;
                if ((*existing)->doctor_id != request.doctor_id || (*existing)->patient_id != request.patient_id) {
                    co_return fail(ErrorKind::conflict,
                                   "This appointment already has a session with other participants");
                }
                co_return Created{std::move(**existing), false};
            }
        }
    }
    co_return too_busy();
}

Task<Result<Session>> Consultations::get(Caller caller, std::string session_id) {
    auto session = co_await load(std::move(session_id));
    if (!session) co_return session;
    if (auto allowed = consultation::may_see(*session, caller); !allowed) co_return std::unexpected(allowed.error());
    co_return session;
}

Task<Result<SessionPage>> Consultations::list(Caller caller, SessionQuery query) {
    if (caller.is_doctor()) {
        query.doctor_id = caller.user_id;
    } else if (caller.is_patient()) {
        query.patient_id = caller.user_id;
    } else if (!caller.is_admin()) {
        co_return SessionPage{};
    }
    co_return co_await store_.list(std::move(query));
}

Task<Result<SessionPage>> Consultations::list_of_doctor(Caller caller, std::string doctor_id, SessionQuery query) {
    if (auto allowed = consultation::may_list_of(caller, Role::doctor, doctor_id); !allowed) {
        co_return std::unexpected(allowed.error());
    }
    query.doctor_id = std::move(doctor_id);
    co_return co_await store_.list(std::move(query));
}

Task<Result<SessionPage>> Consultations::list_of_patient(Caller caller, std::string patient_id, SessionQuery query) {
    if (auto allowed = consultation::may_list_of(caller, Role::patient, patient_id); !allowed) {
        co_return std::unexpected(allowed.error());
    }
    query.patient_id = std::move(patient_id);
    co_return co_await store_.list(std::move(query));
}

Task<Result<std::vector<consultation::AuditEntry>>> Consultations::events(Caller caller, std::string session_id) {
    auto session = co_await get(std::move(caller), session_id);
    if (!session) co_return std::unexpected(session.error());
    co_return co_await store_.audit_trail(std::move(session_id));
}

Task<Result<consultation::Meeting>> Consultations::meeting_of(const Session& session) {
    if (session.meeting) co_return *session.meeting;
    co_return co_await meetings_.create_meeting(session.session_id, 1);
}

Task<Result<Joined>> Consultations::enter(Session session, Role role, JoinRequest request, bool only_scheduled) {
    for (int round = 0; round < kMaxRounds; ++round) {
        if (auto open = only_scheduled ? consultation::can_start(session) : consultation::can_join(session); !open) {
            co_return std::unexpected(open.error());
        }
        auto meeting = co_await meeting_of(session);
        if (!meeting) co_return std::unexpected(meeting.error());
        const auto& user_id = role == Role::doctor ? session.doctor_id : session.patient_id;
        const auto* known = consultation::find_attendee(session, role);
        auto credentials = co_await meetings_.credentials(*meeting, external_user_id(role, user_id),
                                                          known ? known->chime_attendee_id : std::string{});
        if (!credentials) co_return std::unexpected(credentials.error());

        const auto now = clock_.now();
        consultation::Entry entry{role,
                                  credentials->attendee_id,
                                  credentials->external_user_id,
                                  request.device_type,
                                  request.browser_info,
                                  std::nullopt};
        if (meetings_.reports_presence()) entry.present_until = now + settings_.join_timeout;
        auto change = consultation::join(session, *meeting, entry, now);
        auto reachable = meetings_.placed_for(*meeting, request.reached_at);
        if (!change) {
            auto who = user_id;
            co_return Joined{std::move(session), role, std::move(who), std::move(reachable), std::move(*credentials)};
        }
        auto after = change->after;
        auto committed = co_await store_.commit(std::move(*change));
        if (!committed) co_return std::unexpected(committed.error());
        if (*committed == Committed::applied) {
            auto who = role == Role::doctor ? after.doctor_id : after.patient_id;
            co_return Joined{std::move(after), role, std::move(who), std::move(reachable), std::move(*credentials)};
        }
        auto fresh = co_await load(session.session_id);
        if (!fresh) co_return std::unexpected(fresh.error());
        session = std::move(*fresh);
    }
    co_return too_busy();
}

Task<Result<Joined>> Consultations::join(Caller caller, std::string session_id, JoinRequest request) {
    auto session = co_await load(std::move(session_id));
    if (!session) co_return std::unexpected(session.error());
    auto role = consultation::may_join(*session, caller);
    if (!role) co_return std::unexpected(role.error());
    co_return co_await enter(std::move(*session), *role, std::move(request), false);
}

Task<Result<std::pair<Session, std::optional<Joined>>>> Consultations::start(Caller caller, std::string session_id,
                                                                             JoinRequest request) {
    using Started = std::pair<Session, std::optional<Joined>>;
    auto session = co_await load(session_id);
    if (!session) co_return std::unexpected(session.error());
    if (auto allowed = consultation::may_start(*session, caller); !allowed) co_return std::unexpected(allowed.error());

    if (!caller.is_admin()) {
        auto joined = co_await enter(std::move(*session), Role::doctor, std::move(request), true);
        if (!joined) co_return std::unexpected(joined.error());
        auto copy = joined->session;
        co_return Started{std::move(copy), std::move(*joined)};
    }
    auto meeting = co_await meeting_of(*session);
    if (!meeting) co_return std::unexpected(meeting.error());
    auto prepared =
        co_await change(std::move(session_id), [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            if (auto open = consultation::can_start(s); !open) return std::unexpected(open.error());
            return consultation::prepare_meeting(s, s.meeting.value_or(*meeting), caller, now);
        });
    if (!prepared) co_return std::unexpected(prepared.error());
    co_return Started{std::move(*prepared), std::nullopt};
}

Task<Result<Session>> Consultations::leave(Caller caller, std::string session_id) {
    std::optional<std::string> attendee_id;
    auto after = co_await change(session_id, [&](const Session& s, Time now) -> Result<std::optional<Change>> {
        if (auto allowed = consultation::may_see(s, caller); !allowed) return std::unexpected(allowed.error());
        const auto role = consultation::part_of(s, caller);
        if (!role) return std::nullopt;
        if (const auto* attendee = consultation::find_attendee(s, *role)) attendee_id = attendee->chime_attendee_id;
        return consultation::leave(s, *role, now, now);
    });
    if (after && after->meeting && attendee_id) {
        if (auto removed = co_await meetings_.remove_attendee(after->meeting->meeting_id, *attendee_id); !removed) {
            co_return std::unexpected(removed.error());
        }
    }
    co_return after;
}

Task<Result<Session>> Consultations::close_meeting(Result<Session> session) {
    if (session && session->meeting) {
        if (auto ended = co_await meetings_.end_meeting(session->meeting->meeting_id); !ended) {
            co_return std::unexpected(ended.error());
        }
    }
    co_return session;
}

Task<Result<Session>> Consultations::end(Caller caller, std::string session_id, EndRequest request) {
    auto after =
        co_await change(std::move(session_id), [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            if (auto allowed = consultation::may_end(s, caller); !allowed) return std::unexpected(allowed.error());
            return consultation::end(s, caller, {request.session_notes, request.connection_quality_rating}, now);
        });
    co_return co_await close_meeting(std::move(after));
}

Task<Result<Session>> Consultations::cancel(Caller caller, std::string session_id, std::string reason) {
    auto after =
        co_await change(std::move(session_id), [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            if (auto allowed = consultation::may_see(s, caller); !allowed) return std::unexpected(allowed.error());
            return consultation::cancel(s, caller, reason, now);
        });
    co_return co_await close_meeting(std::move(after));
}

Task<Result<Session>> Consultations::update_notes(Caller caller, std::string session_id, std::string notes) {
    co_return co_await change(std::move(session_id), [&](const Session& s, Time now) -> Result<std::optional<Change>> {
        if (auto allowed = consultation::may_write_notes(s, caller); !allowed) return std::unexpected(allowed.error());
        return consultation::update_notes(s, caller, notes, now);
    });
}

Task<Result<Usage>> Consultations::usage(Caller caller, Time from, Time to) {
    if (auto allowed = consultation::may_see_usage(caller); !allowed) co_return std::unexpected(allowed.error());
    co_return co_await store_.usage(from, to);
}

Task<Result<Admission>> Consultations::admit(std::string meeting_id, std::string attendee_id) {
    auto found = co_await store_.find_by_meeting(std::move(meeting_id));
    if (!found) co_return std::unexpected(found.error());
    const auto* attendee = *found ? by_attendee_id(**found, attendee_id) : nullptr;
    if (!attendee) co_return Admission{};
    if (consultation::is_closed((*found)->status)) co_return Admission{Admission::Verdict::ended, {}};
    co_return Admission{Admission::Verdict::admitted, attendee->external_user_id};
}

Task<Result<void>> Consultations::attendee_connected(std::string meeting_id, std::string attendee_id, Time at) {
    auto found = co_await store_.find_by_meeting(meeting_id);
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return Result<void>{};
    for (int round = 0; round < kMaxRounds; ++round) {
        const auto& session = **found;
        if (consultation::is_closed(session.status)) co_return co_await meetings_.end_meeting(meeting_id);
        const auto* attendee = by_attendee_id(session, attendee_id);
        if (!attendee) co_return Result<void>{};
        if (attendee->present()) {
            std::vector<Heartbeat> beat(1, Heartbeat{attendee_id, at, at + settings_.presence_timeout});
            co_return co_await store_.heartbeat(std::move(beat));
        }
        const consultation::Entry entry{attendee->role, attendee_id,  attendee->external_user_id,
                                        std::nullopt,   std::nullopt, at + settings_.presence_timeout};
        auto change = consultation::join(session, *session.meeting, entry, at);
        if (!change) co_return Result<void>{};
        auto committed = co_await store_.commit(std::move(*change));
        if (!committed) co_return std::unexpected(committed.error());
        if (*committed == Committed::applied) co_return Result<void>{};
        found = co_await store_.find_by_meeting(meeting_id);
        if (!found) co_return std::unexpected(found.error());
        if (!*found) co_return Result<void>{};
    }
    co_return too_busy();
}

Task<Result<void>> Consultations::attendee_gone(std::string meeting_id, std::string attendee_id, Time at) {
    auto found = co_await store_.find_by_meeting(std::move(meeting_id));
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return Result<void>{};
    auto after =
        co_await change((*found)->session_id, [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            const auto* attendee = by_attendee_id(s, attendee_id);
            // An interval that opened after the loss belongs to a newer visit.
            if (!attendee || !attendee->present() || *attendee->opened_at > at) return std::nullopt;
            return consultation::leave(s, attendee->role, at, now);
        });
    if (!after) co_return std::unexpected(after.error());
    co_return Result<void>{};
}

Task<Result<void>> Consultations::attendees_seen(std::vector<std::string> attendee_ids) {
    if (attendee_ids.empty()) co_return Result<void>{};
    const auto now = clock_.now();
    std::vector<Heartbeat> beats;
    beats.reserve(attendee_ids.size());
    for (auto& id : attendee_ids) beats.push_back({std::move(id), now, now + settings_.presence_timeout});
    co_return co_await store_.heartbeat(std::move(beats));
}

Task<Result<int>> Consultations::sweep() {
    constexpr int kBatch = 100;
    auto due = co_await store_.due({clock_.now(), settings_.abandoned_after, settings_.no_show_grace}, kBatch);
    if (!due) co_return std::unexpected(due.error());
    const consultation::Patience patience{settings_.abandoned_after, settings_.no_show_grace};
    int changed = 0;
    for (const auto& session_id : *due) {
        bool decided = false;
        auto after = co_await change(session_id, [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            auto next = consultation::advance(s, patience, now);
            decided = next.has_value();
            return next;
        });
        if (!after) co_return std::unexpected(after.error());
        if (!decided) continue;
        ++changed;
        if (!consultation::is_closed(after->status)) continue;
        if (auto closed = co_await close_meeting(std::move(after)); !closed) co_return std::unexpected(closed.error());
    }
    co_return changed;
}

}  // namespace service
