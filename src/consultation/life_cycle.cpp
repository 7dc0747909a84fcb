#include "consultation/life_cycle.hpp"

#include <algorithm>
#include <utility>

#include "consultation/draft.hpp"

namespace consultation {
namespace {

using core::ErrorKind;
using core::fail;
using core::Result;

const std::string& user_of(const Session& session, const Entry& entry) {
    if (!entry.user_id.empty()) return entry.user_id;
    return entry.role == Role::doctor ? session.doctor_id : session.patient_id;
}

/// `meeting_id` and `room_id` hold the session id: the one value that is there before a meeting is and stays the same
/// when the meeting is made again. Listeners store it and send it back in start and end.
Draft::Fields announcement(const Session& s, std::string_view meeting_url_base) {
    return {{"session_id", s.session_id},
            {"doctor_id", s.doctor_id},
            {"patient_id", s.patient_id},
            {"appointment_id", value(s.appointment_id)},
            {"booking_type", std::string{to_text(s.booking_type)}},
            {"scheduled_start_time", when(s.scheduled_start_time)},
            {"meeting_id", s.session_id},
            {"room_id", s.session_id},
            {"meeting_url", std::string{meeting_url_base} + "/api/video/sessions/" + s.session_id + "/join"},
            {"status", std::string{"created"}},
            {"created_at", when(s.created_at)}};
}

}  // namespace

Change book(const Booking& booking, const Caller& by, Time now, std::string_view meeting_url_base) {
    Session s;
    s.session_id = core::uuid4();
    s.booking_type = booking.booking_type;
    s.appointment_id = booking.appointment_id;
    s.doctor_id = booking.doctor_id;
    s.patient_id = booking.patient_id;
    s.clinic_id = booking.clinic_id;
    s.scheduled_start_time = booking.scheduled_start_time;
    s.scheduled_end_time = booking.scheduled_start_time + std::chrono::minutes{booking.duration_minutes};
    s.consultation_duration_minutes = booking.duration_minutes;
    s.chief_complaint = booking.chief_complaint;
    s.media_region = booking.media_region;
    s.waiting_room = booking.waiting_room.value_or(false);
    s.created_at = now;
    s.updated_at = now;
    s.version = -1;
    Draft draft(s, now);
    draft.audit("SESSION_CREATED", "Video consultation session created for " + std::string{to_text(s.booking_type)},
                by.user_id.empty() ? std::nullopt : std::optional{by.user_id});
    draft.publish("video.session.created", announcement(s, meeting_url_base));
    return draft.finish();
}

Event announce_again(const Session& session, std::string event_id, Time now, std::string_view meeting_url_base) {
    return {std::move(event_id),
            session.session_id,
            "video.session.created",
            "video.session.created",
            now,
            announcement(session, meeting_url_base)};
}

Session as_booked(Session session) {
    Session s;
    s.session_id = session.session_id;
    s.booking_type = session.booking_type;
    s.appointment_id = session.appointment_id;
    s.doctor_id = session.doctor_id;
    s.patient_id = session.patient_id;
    s.clinic_id = session.clinic_id;
    s.scheduled_start_time = session.scheduled_start_time;
    s.scheduled_end_time = session.scheduled_end_time;
    s.consultation_duration_minutes = session.consultation_duration_minutes;
    s.chief_complaint = session.chief_complaint;
    s.media_region = session.media_region;
    s.waiting_room = session.waiting_room;
    s.created_at = session.created_at;
    s.updated_at = session.created_at;
    return s;
}

Result<void> can_join(const Session& session) {
    switch (session.status) {
        case Status::cancelled:
            return fail(ErrorKind::invalid, "This session has been cancelled");
        case Status::completed:
            return fail(ErrorKind::invalid, "This session has already been completed");
        case Status::no_show:
            return fail(ErrorKind::invalid, "This session was missed and is closed");
        default:
            return {};
    }
}

Result<void> can_start(const Session& session) {
    if (session.status == Status::scheduled) return {};
    return fail(ErrorKind::invalid, "Cannot start session with status: " + std::string{to_text(session.status)});
}

std::optional<Change> join(const Session& session, const Venue& venue, const Entry& entry, Time now) {
    Draft draft(session, now);
    auto& s = draft.session();
    draft.adopt_meeting(venue, std::nullopt);
    auto& attendee = draft.attendee(entry.role, user_of(session, entry));
    attendee.chime_attendee_id = entry.chime_attendee_id;
    attendee.external_user_id = entry.external_user_id;
    if (entry.device_type) attendee.device_type = entry.device_type;
    if (entry.browser_info) attendee.browser_info = entry.browser_info;
    if (attendee.present()) {
        if (s == session) return {};
        return draft.finish();
    }

    draft.open_interval(attendee, now, entry.present_until);
    if (!attendee.joined_at) attendee.joined_at = now;
    if (entry.role != Role::guest) {
        auto& joined_stamp = entry.role == Role::doctor ? s.doctor_joined_at : s.patient_joined_at;
        if (!joined_stamp) joined_stamp = now;
    }
    if (s.status == Status::scheduled) {
        s.status = Status::waiting;
        s.actual_start_time = now;
        draft.publish("video.session.started", {{"session_id", s.session_id},
                                                {"meeting_id", venue.meeting.meeting_id},
                                                {"room_id", s.session_id},
                                                {"doctor_id", s.doctor_id},
                                                {"patient_id", s.patient_id},
                                                {"started_at", when(now)}});
    }
    if (s.status == Status::waiting && s.doctor_joined_at && s.patient_joined_at) s.status = Status::active;
    draft.audit("USER_JOINED", std::string{to_text(entry.role)} + " joined the session", attendee.user_id);
    draft.publish("video.user.joined", {{"session_id", s.session_id},
                                        {"user_id", attendee.user_id},
                                        {"role", std::string{to_text(entry.role)}},
                                        {"joined_at", when(now)}});
    return draft.finish();
}

std::optional<Change> prepare_meeting(const Session& session, const Venue& venue, const Caller& by, Time now) {
    if (session.meeting == venue.meeting) return {};
    Draft draft(session, now);
    draft.adopt_meeting(venue, by.user_id);
    return draft.finish();
}

Result<std::optional<Change>> note_start(const Session& session, const std::string& doctor_id, Time now) {
    if (doctor_id != session.doctor_id) return fail(ErrorKind::forbidden, "The doctor is not the session's");
    if (session.start_requested_at) return std::nullopt;
    if (is_closed(session.status)) {
        return fail(ErrorKind::invalid, "Cannot start session with status: " + std::string{to_text(session.status)});
    }
    Draft draft(session, now);
    auto& s = draft.session();
    s.start_requested_at = now;
    draft.audit("START_REQUESTED", "The doctor started the session in the appointments service", doctor_id);
    draft.publish("video.session.started", {{"session_id", s.session_id},
                                            {"meeting_id", s.session_id},
                                            {"room_id", s.session_id},
                                            {"appointment_id", value(s.appointment_id)},
                                            {"doctor_id", s.doctor_id},
                                            {"patient_id", s.patient_id},
                                            {"started_by", doctor_id},
                                            {"started_at", when(now)}});
    return draft.finish();
}

Result<Change> end(const Session& session, const Caller& by, const Ending& ending, Time now) {
    if (session.status == Status::completed) return fail(ErrorKind::invalid, "Session already completed");
    if (session.status == Status::cancelled) return fail(ErrorKind::invalid, "Session already cancelled");
    Draft draft(session, now);
    auto& s = draft.session();
    draft.close_all_intervals();
    if (ending.notes) s.session_notes = ending.notes;
    if (ending.rating) s.connection_quality_rating = ending.rating;
    draft.complete(now, "Video consultation session ended", by.user_id);
    return draft.finish();
}

Result<std::optional<Change>> end_on_request(const Session& session, const Caller& by, Time now) {
    if (session.status == Status::completed) return std::nullopt;
    if (session.status == Status::cancelled) return fail(ErrorKind::invalid, "Session already cancelled");
    Draft draft(session, now);
    auto& s = draft.session();
    draft.close_all_intervals();
    draft.complete(now, "Video consultation session ended in the appointments service", by.user_id);
    draft.publish_as("video.consultation.completed", "video.session.completed",
                     {{"session_id", s.session_id},
                      {"appointment_id", value(s.appointment_id)},
                      {"ended_by", by.user_id},
                      {"ended_by_role", std::string{by.is_doctor() ? "doctor" : "patient"}},
                      {"ended_at", when(now)}});
    return draft.finish();
}

Result<Change> cancel(const Session& session, const Caller& by, const std::string& reason, Time now) {
    if (session.status != Status::scheduled && session.status != Status::waiting) {
        return fail(ErrorKind::invalid, "Cannot cancel session with status: " + std::string{to_text(session.status)});
    }
    Draft draft(session, now);
    auto& s = draft.session();
    draft.close_all_intervals();
    s.status = Status::cancelled;
    s.cancelled_at = now;
    s.cancelled_by = by.user_id;
    s.cancellation_reason = reason;
    draft.audit("SESSION_CANCELLED", "Session cancelled: " + reason, by.user_id);
    draft.publish("video.session.cancelled", {{"session_id", s.session_id},
                                              {"appointment_id", value(s.appointment_id)},
                                              {"cancelled_by", by.user_id},
                                              {"reason", reason},
                                              {"cancelled_at", when(now)}});
    return draft.finish();
}

Change update_notes(const Session& session, const Caller& by, const std::string& notes, Time now) {
    Draft draft(session, now);
    draft.session().session_notes = notes;
    draft.audit("NOTES_UPDATED", "Session notes updated", by.user_id);
    return draft.finish();
}

Change note(const Session& session, const std::string& user_id, std::string event_type, std::string description,
            Time now) {
    Draft draft(session, now);
    draft.audit(std::move(event_type), std::move(description), user_id);
    return draft.finish();
}

}  // namespace consultation
