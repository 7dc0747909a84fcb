#include "consultation/reschedule.hpp"

#include <string>

#include "consultation/draft.hpp"

namespace consultation {
namespace {

using core::ErrorKind;
using core::fail;
using core::Result;

/// Nobody keeps what they were given for the old time; that somebody is not wanted stays as it is.
void shut_the_door(Draft& draft, const Caller& by, Time now) {
    for (auto& attendee : draft.session().attendees) {
        if (attendee.lobby == Lobby::waiting || attendee.lobby == Lobby::admitted) attendee.lobby = Lobby::none;
        if (attendee.role != Role::guest || attendee.invitation_revoked_at) continue;
        attendee.invitation_revoked_at = now;
        draft.audit("INVITATION_REVOKED", name_in_trail(attendee) + " is not invited to the new time", by.user_id,
                    attendee.user_id);
    }
}

std::string planned(const Session& session) {
    return core::format_rfc3339(session.scheduled_start_time) + " (" +
           std::to_string(session.consultation_duration_minutes) + " minutes)";
}

}  // namespace

Result<void> may_reschedule(const Session& session, const Caller& caller) {
    const auto part = part_of(session, caller);
    if (caller.is_admin() || part == Role::doctor || part == Role::patient) return {};
    return fail(ErrorKind::forbidden, "You do not have access to this video consultation session");
}

Result<std::optional<Change>> reschedule(const Session& session, const Caller& by, const Move& move, Time now) {
    if (session.status != Status::scheduled) {
        return fail(ErrorKind::conflict, "Cannot move session with status: " + std::string{to_text(session.status)});
    }
    const auto start = move.start.value_or(session.scheduled_start_time);
    const int duration = move.duration_minutes.value_or(session.consultation_duration_minutes);
    const auto end = start + std::chrono::minutes{duration};
    if (start == session.scheduled_start_time && end == session.scheduled_end_time &&
        duration == session.consultation_duration_minutes) {
        return std::nullopt;
    }
    Draft draft(session, now);
    auto& s = draft.session();
    s.scheduled_start_time = start;
    s.scheduled_end_time = end;
    s.consultation_duration_minutes = duration;
    // It was announced for the old time.
    s.start_requested_at.reset();
    draft.lose_meeting();
    draft.audit("SESSION_RESCHEDULED", "Session moved from " + planned(session) + " to " + planned(s), by.user_id);
    shut_the_door(draft, by, now);
    draft.publish("video.session.rescheduled", {{"session_id", s.session_id},
                                                {"appointment_id", value(s.appointment_id)},
                                                {"doctor_id", s.doctor_id},
                                                {"patient_id", s.patient_id},
                                                {"rescheduled_by", by.user_id},
                                                {"previous_start_time", when(session.scheduled_start_time)},
                                                {"previous_end_time", when(session.scheduled_end_time)},
                                                {"scheduled_start_time", when(s.scheduled_start_time)},
                                                {"scheduled_end_time", when(s.scheduled_end_time)},
                                                {"rescheduled_at", when(now)}});
    return draft.finish();
}

}  // namespace consultation
