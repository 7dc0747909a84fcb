// The rules of who is there: leaving, what the meeting sees, what the clock alone does, and the minutes that come of
// it.
#include <algorithm>

#include "consultation/draft.hpp"
#include "consultation/life_cycle.hpp"
#include "consultation/waiting_room.hpp"

namespace consultation {
namespace {

using namespace std::chrono_literals;

/// Whoever asked to be let in has come, if no further than the waiting room.
bool patient_waited(const Session& session) {
    const auto* patient = find_attendee(session, Role::patient);
    return !session.patient_joined_at && patient && patient->waiting_since;
}

std::string missed_by_whom(const Session& session) {
    if (patient_waited(session)) {
        return session.doctor_joined_at ? "The patient waited, but was not in the session"
                                        : "The doctor did not join the session; the patient waited for them";
    }
    if (!session.doctor_joined_at && !session.patient_joined_at) return "Nobody joined the session";
    return session.doctor_joined_at ? "The patient did not join the session" : "The doctor did not join the session";
}

}  // namespace

std::optional<Change> leave(const Session& session, std::string_view user_id, Departure how, Time at, Time now) {
    const auto* present = find_attendee(session, user_id);
    if (!present || !present->present()) return {};
    Draft draft(session, now);
    for (auto& attendee : draft.session().attendees) {
        if (attendee.user_id != user_id) continue;
        draft.close_interval(attendee, at);
        draft.announce_leave(attendee);
        if (how == Departure::by_call && session.meeting && session.meeting->provider == Provider::chime &&
            !attendee.chime_attendee_id.empty()) {
            draft.add_job(Job::Kind::remove_attendee, attendee.chime_attendee_id);
        }
    }
    return draft.finish();
}

std::optional<Change> connected(const Session& session, std::string_view user_id, Time at, Time now) {
    const auto* known = find_attendee(session, user_id);
    if (!known || !session.meeting || !may_be_in(session, *known)) return {};
    Draft draft(session, now);
    for (auto& attendee : draft.session().attendees) {
        if (attendee.user_id != user_id) continue;
        if (attendee.present()) {
            if (!attendee.present_until) return {};
            if (at > *attendee.opened_at) draft.move_opening(attendee, at);
            attendee.last_seen_at = std::max(at, *attendee.last_seen_at);
            attendee.present_until.reset();
            return draft.finish();
        }
        // The news of a stay that has ended since may come late.
        if (attendee.left_at && at <= *attendee.left_at) return {};
        draft.open_interval(attendee, at, std::nullopt);
        const std::string role{to_text(attendee.role)};
        draft.audit("USER_JOINED", role + " joined the session", attendee.user_id);
        draft.publish("video.user.joined", {{"session_id", session.session_id},
                                            {"user_id", attendee.user_id},
                                            {"role", role},
                                            {"joined_at", when(at)}});
    }
    return draft.finish();
}

std::optional<Change> meeting_over(const Session& session, std::optional<Time> at, std::chrono::seconds unseen,
                                   Time now) {
    if (std::ranges::none_of(session.attendees, &Attendee::present)) return {};
    Draft draft(session, now);
    for (auto& attendee : draft.session().attendees) {
        if (!attendee.present()) continue;
        draft.close_interval(attendee, at.value_or(attendee.last_seen_at.value_or(*attendee.opened_at) - unseen));
        draft.announce_leave(attendee);
    }
    return draft.finish();
}

std::optional<Change> advance(const Session& session, const Patience& patience, Time now) {
    Draft draft(session, now);
    auto& s = draft.session();
    bool changed = false;
    for (auto& attendee : s.attendees) {
        if (!attendee.present() || !attendee.present_until || *attendee.present_until > now) continue;
        draft.close_interval(attendee, attendee.last_seen_at.value_or(*attendee.opened_at));
        draft.announce_leave(attendee);
        changed = true;
    }
    // A guest does not keep a visit going that doctor and patient have left.
    const bool somebody_in =
        std::ranges::any_of(s.attendees, [](const Attendee& a) { return a.present() && a.role != Role::guest; });
    if (s.status == Status::active && !somebody_in) {
        Time last = s.actual_start_time.value_or(s.created_at);
        for (const auto& attendee : s.attendees) {
            if (attendee.role != Role::guest) last = std::max(last, attendee.left_at.value_or(last));
        }
        if (last + patience.abandoned_after < now) {
            draft.close_all_intervals();
            draft.complete(last, "Video consultation session ended: everybody had left", std::nullopt);
            changed = true;
        }
    } else if ((s.status == Status::scheduled || s.status == Status::waiting) && !somebody_in &&
               std::max(s.scheduled_end_time, s.created_at) + patience.no_show_grace < now) {
        draft.close_all_intervals();
        s.status = Status::no_show;
        draft.audit("SESSION_NO_SHOW", missed_by_whom(s), std::nullopt);
        draft.publish("video.session.no_show", {{"session_id", s.session_id},
                                                {"appointment_id", value(s.appointment_id)},
                                                {"doctor_joined", std::string{s.doctor_joined_at ? "true" : "false"}},
                                                {"patient_joined", std::string{s.patient_joined_at ? "true" : "false"}},
                                                {"patient_waited", std::string{patient_waited(s) ? "true" : "false"}},
                                                {"closed_at", when(now)}});
        changed = true;
    }
    if (!changed) return {};
    return draft.finish();
}

int duration_minutes(const Session& session) {
    if (!session.actual_start_time || !session.actual_end_time) return 0;
    const auto span = *session.actual_end_time - *session.actual_start_time;
    return static_cast<int>(std::max<std::int64_t>(0, std::chrono::floor<std::chrono::minutes>(span).count()));
}

int whole_minutes(std::chrono::microseconds attended) {
    if (attended <= 0us) return 0;
    return static_cast<int>(std::max<std::int64_t>(1, std::chrono::floor<std::chrono::minutes>(attended).count()));
}

int attendee_minutes(const Attendee& attendee) {
    return whole_minutes(attendee.attended) + whole_minutes(attendee.attended_chime);
}

std::int64_t billed_tenths(std::chrono::microseconds stay) {
    using Tenth = std::chrono::duration<std::int64_t, std::ratio<6>>;
    return stay <= 0us ? 0 : std::chrono::ceil<Tenth>(stay).count();
}

int attendee_minutes(const Session& session) {
    int sum = 0;
    for (const auto& attendee : session.attendees) sum += attendee_minutes(attendee);
    return sum;
}

const Attendee* find_attendee(const Session& session, std::string_view user_id) {
    const auto found = std::ranges::find(session.attendees, user_id, &Attendee::user_id);
    return found == session.attendees.end() ? nullptr : &*found;
}

const Attendee* find_attendee(const Session& session, Role role) {
    const auto found = std::ranges::find(session.attendees, role, &Attendee::role);
    return found == session.attendees.end() ? nullptr : &*found;
}

}  // namespace consultation
