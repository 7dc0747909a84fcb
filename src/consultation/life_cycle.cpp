#include "consultation/life_cycle.hpp"

#include <algorithm>
#include <utility>

#include "core/bytes.hpp"

namespace consultation {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;
using core::fail;
using core::Result;

Event::Value value(const std::optional<std::string>& text) {
    return text ? Event::Value{*text} : Event::Value{nullptr};
}
Event::Value when(Time time) {
    return core::format_zoneless(time);
}

/// A change under construction: starts as a copy of the session, ends with the next version.
class Draft {
  public:
    Draft(const Session& session, Time now) : now_(now) {
        change.expected_version = session.version;
        change.after = session;
    }

    Session& session() { return change.after; }

    void audit(std::string type, std::string description, std::optional<std::string> user) {
        change.audit.push_back(
            {core::uuid4(), change.after.session_id, std::move(type), std::move(description), std::move(user), now_});
    }

    using Fields = std::vector<std::pair<std::string, Event::Value>>;
    void publish(std::string routing_key, Fields data) {
        auto type = routing_key;
        publish_as(std::move(routing_key), std::move(type), std::move(data));
    }
    void publish_as(std::string routing_key, std::string type, Fields data) {
        change.events.push_back(
            {core::uuid4(), change.after.session_id, std::move(routing_key), std::move(type), now_, std::move(data)});
    }

    void open_interval(Attendee& attendee, std::optional<Time> present_until) {
        attendee.open_interval_id = core::uuid4();
        attendee.opened_at = now_;
        attendee.last_seen_at = now_;
        attendee.present_until = present_until;
        attendee.left_at.reset();
        left_stamp(attendee.role).reset();
        change.intervals.push_back(
            {*attendee.open_interval_id, change.after.session_id, attendee.user_id, attendee.role, now_, std::nullopt});
    }

    void close_interval(Attendee& attendee, Time at) {
        at = std::max(at, *attendee.opened_at);
        attendee.attended += at - *attendee.opened_at;
        attendee.left_at = at;
        left_stamp(attendee.role) = at;
        change.intervals.push_back({*attendee.open_interval_id, change.after.session_id, attendee.user_id,
                                    attendee.role, *attendee.opened_at, at});
        attendee.open_interval_id.reset();
        attendee.opened_at.reset();
        attendee.last_seen_at.reset();
        attendee.present_until.reset();
    }

    void announce_leave(const Attendee& attendee) {
        audit("USER_LEFT", std::string{to_text(attendee.role)} + " left the session", attendee.user_id);
        publish("video.user.left", {{"session_id", session().session_id},
                                    {"user_id", attendee.user_id},
                                    {"role", std::string{to_text(attendee.role)}},
                                    {"left_at", when(*attendee.left_at)}});
    }

    void close_all_intervals() {
        for (auto& attendee : session().attendees) {
            if (attendee.present()) close_interval(attendee, now_);
        }
    }

    /// COMPLETED, with the messages that follow from it.
    void complete(Time ended_at, std::string description, std::optional<std::string> by) {
        auto& s = session();
        s.status = Status::completed;
        s.actual_end_time = ended_at;
        audit("SESSION_ENDED", std::move(description), std::move(by));
        const std::int64_t minutes = duration_minutes(s);
        publish("video.session.ended", {{"session_id", s.session_id},
                                        {"doctor_id", s.doctor_id},
                                        {"patient_id", s.patient_id},
                                        {"appointment_id", value(s.appointment_id)},
                                        {"duration_minutes", minutes},
                                        {"ended_at", when(ended_at)}});
        if (s.appointment_id) {
            publish_as("appointment.consultation.completed", "video.consultation.completed",
                       {{"appointment_id", *s.appointment_id},
                        {"session_id", s.session_id},
                        {"doctor_id", s.doctor_id},
                        {"patient_id", s.patient_id},
                        {"duration_minutes", minutes},
                        {"completed_at", when(ended_at)}});
        }
    }

    /// The meeting comes into being; the trail names it. The first entry of a person is what starts the session.
    void adopt_meeting(const Meeting& meeting) {
        if (session().meeting == meeting) return;
        session().meeting = meeting;
        audit("MEETING_CREATED", "Meeting created: " + meeting.meeting_id, std::nullopt);
    }

    Change finish() {
        auto& s = session();
        s.version = change.expected_version + 1;
        s.updated_at = std::max(now_, s.updated_at);
        if (!change.intervals.empty() || is_closed(s.status)) {
            for (const auto& attendee : s.attendees) {
                if (attendee.attended <= 0us) continue;
                change.usage.push_back({s.session_id, attendee.user_id, attendee_minutes(attendee), *attendee.joined_at,
                                        s.status == Status::completed});
            }
        }
        return std::move(change);
    }

    Change change;

  private:
    std::optional<Time>& left_stamp(Role role) {
        return role == Role::doctor ? change.after.doctor_left_at : change.after.patient_left_at;
    }

    Time now_;
};

Attendee& attendee_in(Session& session, Role role, const Entry& entry) {
    for (auto& attendee : session.attendees) {
        if (attendee.role == role) {
            attendee.chime_attendee_id = entry.chime_attendee_id;
            attendee.external_user_id = entry.external_user_id;
            return attendee;
        }
    }
    Attendee fresh;
    fresh.row_id = core::uuid4();
    fresh.user_id = role == Role::doctor ? session.doctor_id : session.patient_id;
    fresh.role = role;
    fresh.chime_attendee_id = entry.chime_attendee_id;
    fresh.external_user_id = entry.external_user_id;
    const auto place = role == Role::doctor ? session.attendees.begin() : session.attendees.end();
    return *session.attendees.insert(place, std::move(fresh));
}

std::string missed_by_whom(const Session& session) {
    if (!session.doctor_joined_at && !session.patient_joined_at) return "Nobody joined the session";
    return session.doctor_joined_at ? "The patient did not join the session" : "The doctor did not join the session";
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
    s.created_at = now;
    s.updated_at = now;
    s.version = -1;
    Draft draft(s, now);
    draft.audit("SESSION_CREATED", "Video consultation session created for " + std::string{to_text(s.booking_type)},
                by.user_id);
    // `meeting_id` and `room_id` hold the session id: the one value that is there before a meeting is and stays the
    // same when the meeting is made again. Listeners store it and send it back in start and end.
    draft.publish("video.session.created",
                  {{"session_id", s.session_id},
                   {"doctor_id", s.doctor_id},
                   {"patient_id", s.patient_id},
                   {"appointment_id", value(s.appointment_id)},
                   {"booking_type", std::string{to_text(s.booking_type)}},
                   {"scheduled_start_time", when(s.scheduled_start_time)},
                   {"meeting_id", s.session_id},
                   {"room_id", s.session_id},
                   {"meeting_url", std::string{meeting_url_base} + "/api/video/sessions/" + s.session_id + "/join"},
                   {"status", std::string{"created"}},
                   {"created_at", when(now)}});
    return draft.finish();
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

std::optional<Change> join(const Session& session, const Meeting& meeting, const Entry& entry, Time now) {
    Draft draft(session, now);
    auto& s = draft.session();
    draft.adopt_meeting(meeting);
    auto& attendee = attendee_in(s, entry.role, entry);
    if (entry.device_type) attendee.device_type = entry.device_type;
    if (entry.browser_info) attendee.browser_info = entry.browser_info;
    if (attendee.present()) {
        if (s == session) return {};
        return draft.finish();
    }

    draft.open_interval(attendee, entry.present_until);
    if (!attendee.joined_at) attendee.joined_at = now;
    auto& joined_stamp = entry.role == Role::doctor ? s.doctor_joined_at : s.patient_joined_at;
    if (!joined_stamp) joined_stamp = now;
    if (s.status == Status::scheduled) {
        s.status = Status::waiting;
        s.actual_start_time = now;
        draft.publish("video.session.started", {{"session_id", s.session_id},
                                                {"meeting_id", meeting.meeting_id},
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

std::optional<Change> prepare_meeting(const Session& session, const Meeting& meeting, const Caller& by, Time now) {
    if (session.meeting == meeting) return {};
    Draft draft(session, now);
    draft.session().meeting = meeting;
    draft.audit("MEETING_CREATED", "Meeting created: " + meeting.meeting_id, by.user_id);
    return draft.finish();
}

std::optional<Change> leave(const Session& session, Role role, Time at, Time now) {
    const auto* present = find_attendee(session, role);
    if (!present || !present->present()) return {};
    Draft draft(session, now);
    for (auto& attendee : draft.session().attendees) {
        if (attendee.role != role) continue;
        draft.close_interval(attendee, at);
        draft.announce_leave(attendee);
    }
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
    const bool somebody_in = std::ranges::any_of(s.attendees, &Attendee::present);
    if (s.status == Status::active && !somebody_in) {
        Time last = s.actual_start_time.value_or(s.created_at);
        for (const auto& attendee : s.attendees) last = std::max(last, attendee.left_at.value_or(last));
        if (last + patience.abandoned_after < now) {
            draft.complete(last, "Video consultation session ended: everybody had left", std::nullopt);
            changed = true;
        }
    } else if ((s.status == Status::scheduled || s.status == Status::waiting) && !somebody_in &&
               s.scheduled_end_time + patience.no_show_grace < now) {
        s.status = Status::no_show;
        draft.audit("SESSION_NO_SHOW", missed_by_whom(s), std::nullopt);
        draft.publish("video.session.no_show", {{"session_id", s.session_id},
                                                {"appointment_id", value(s.appointment_id)},
                                                {"doctor_joined", std::string{s.doctor_joined_at ? "true" : "false"}},
                                                {"patient_joined", std::string{s.patient_joined_at ? "true" : "false"}},
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

int attendee_minutes(const Attendee& attendee) {
    if (attendee.attended <= 0us) return 0;
    return static_cast<int>(
        std::max<std::int64_t>(1, std::chrono::floor<std::chrono::minutes>(attendee.attended).count()));
}

int attendee_minutes(const Session& session) {
    int sum = 0;
    for (const auto& attendee : session.attendees) sum += attendee_minutes(attendee);
    return sum;
}

const Attendee* find_attendee(const Session& session, Role role) {
    const auto found = std::ranges::find(session.attendees, role, &Attendee::role);
    return found == session.attendees.end() ? nullptr : &*found;
}

}  // namespace consultation
