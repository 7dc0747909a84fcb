// A change under construction: starts as a copy of the session, ends with the next version. Only for the files that
// hold the rules (life_cycle.cpp, attendance.cpp).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "consultation/life_cycle.hpp"
#include "consultation/session.hpp"
#include "core/bytes.hpp"

namespace consultation {

inline Event::Value value(const std::optional<std::string>& text) {
    return text ? Event::Value{*text} : Event::Value{nullptr};
}
inline Event::Value when(Time time) {
    return core::format_zoneless(time);
}

/// The person as the audit trail calls somebody whom another person has decided about: `PATIENT 34`.
inline std::string name_in_trail(const Attendee& attendee) {
    std::string text{to_text(attendee.role)};
    text.append(" ").append(attendee.user_id);
    if (attendee.guest_kind) text.append(" (").append(to_text(*attendee.guest_kind)).append(")");
    return text;
}

class Draft {
  public:
    Draft(const Session& session, Time now) : now_(now) {
        change.expected_version = session.version;
        change.after = session;
        was_closed_ = is_closed(session.status);
    }

    Session& session() { return change.after; }

    void audit(std::string type, std::string description, std::optional<std::string> user,
               std::optional<std::string> subject = {}) {
        change.audit.push_back(
            {core::uuid4(), change.after.session_id, std::move(type), std::move(description), std::move(user), now_});
        change.audit.back().subject_id = std::move(subject);
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

    /// The person's entry in the session, made where there is none.
    Attendee& attendee(Role role, std::string_view user_id) {
        auto& all = session().attendees;
        const auto known = std::ranges::find(all, user_id, &Attendee::user_id);
        if (known != all.end()) return *known;
        Attendee fresh;
        fresh.row_id = core::uuid4();
        fresh.user_id = user_id;
        fresh.role = role;
        return *all.insert(std::ranges::upper_bound(all, role, {}, &Attendee::role), std::move(fresh));
    }

    /// Out of the meeting, against their will; AWS is told by a job.
    void put_out(Attendee& attendee) {
        if (attendee.present()) {
            close_interval(attendee, now_);
            announce_leave(attendee);
        }
        const auto& s = session();
        if (!is_closed(s.status) && s.meeting && s.meeting->provider == Provider::chime &&
            !attendee.chime_attendee_id.empty()) {
            add_job(Job::Kind::remove_attendee, attendee.chime_attendee_id);
        }
    }

    void open_interval(Attendee& attendee, Time at, std::optional<Time> present_until) {
        attendee.open_interval_id = core::uuid4();
        attendee.opened_at = at;
        attendee.last_seen_at = at;
        attendee.present_until = present_until;
        attendee.left_at.reset();
        if (auto* stamp = left_stamp(attendee.role)) stamp->reset();
        write_interval(attendee, std::nullopt);
    }

    /// The stay began at `at`, not when it was announced.
    void move_opening(Attendee& attendee, Time at) {
        attendee.opened_at = at;
        write_interval(attendee, std::nullopt);
    }

    void close_interval(Attendee& attendee, Time at) {
        at = std::max(at, *attendee.opened_at);
        const auto stay = at - *attendee.opened_at;
        if (provider() == Provider::chime) {
            attendee.attended_chime += stay;
            attendee.billed_tenths += billed_tenths(stay);
        } else {
            attendee.attended += stay;
        }
        attendee.left_at = at;
        if (auto* stamp = left_stamp(attendee.role)) *stamp = at;
        write_interval(attendee, at);
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
    void adopt_meeting(const Venue& venue, std::optional<std::string> by) {
        auto& s = session();
        const auto& meeting = venue.meeting;
        if (s.meeting == meeting) return;
        if (s.meeting && s.meeting->meeting_id != meeting.meeting_id) give_meeting_up();
        s.meeting = meeting;
        s.last_generation = 0;
        change.meetings.push_back({meeting.meeting_id, s.session_id, meeting.provider, meeting.generation, now_, {}});
        std::string text = meeting.provider == Provider::chime ? "AWS Chime meeting created: " : "Meeting created: ";
        text += meeting.meeting_id;
        if (!venue.note.empty()) text += " (" + venue.note + ")";
        audit("MEETING_CREATED", std::move(text), std::move(by));
    }

    /// The session goes on without its meeting; the next one will be another, in which old tokens are worth nothing.
    /// AWS is told by a job.
    void lose_meeting() {
        auto& s = session();
        if (!s.meeting) return;
        give_meeting_up();
        if (s.meeting->provider == Provider::chime) add_job(Job::Kind::end_meeting, {});
        s.last_generation = s.meeting->generation;
        s.meeting.reset();
    }

    /// The meeting's end, for its record; where it is AWS's, it must be told.
    void end_meeting() {
        const auto& s = session();
        if (!s.meeting) return;
        change.meetings.push_back(
            {s.meeting->meeting_id, s.session_id, s.meeting->provider, s.meeting->generation, now_, now_});
        if (s.meeting->provider == Provider::chime) add_job(Job::Kind::end_meeting, {});
    }

    void add_job(Job::Kind kind, std::string attendee_id) {
        const auto& s = session();
        change.jobs.push_back({core::uuid4(), kind, s.session_id, s.meeting->provider, s.meeting->meeting_id,
                               std::move(attendee_id), now_, 0});
    }

    Change finish() {
        auto& s = session();
        s.version = change.expected_version + 1;
        s.updated_at = std::max(now_, s.updated_at);
        if (is_closed(s.status) && !was_closed_) {
            end_meeting();
            clear_queue();
        }
        if (!change.intervals.empty() || is_closed(s.status)) {
            for (const auto& attendee : s.attendees) write_usage(attendee);
        }
        return std::move(change);
    }

    Change change;

  private:
    Provider provider() const { return change.after.meeting ? change.after.meeting->provider : Provider::embedded; }

    void write_interval(const Attendee& attendee, std::optional<Time> left_at) {
        const auto& s = change.after;
        change.intervals.push_back({*attendee.open_interval_id, s.session_id, attendee.user_id, attendee.role,
                                    *attendee.opened_at, left_at, provider(),
                                    s.meeting ? s.meeting->meeting_id : std::string{}});
    }

    void write_usage(const Attendee& attendee) {
        const auto& s = change.after;
        const bool completed = s.status == Status::completed;
        const auto record = [&](Provider where, std::chrono::microseconds attended, std::int64_t tenths) {
            if (attended <= std::chrono::microseconds::zero()) return;
            change.usage.push_back({s.session_id, attendee.user_id, whole_minutes(attended), *attendee.joined_at,
                                    completed, where, tenths});
        };
        record(Provider::embedded, attendee.attended, 0);
        record(Provider::chime, attendee.attended_chime, attendee.billed_tenths);
    }

    /// Another meeting takes its place: whoever was in has left when they were last known to be there, and nobody's
    /// identity is worth anything any more.
    void give_meeting_up() {
        auto& s = change.after;
        for (auto& attendee : s.attendees) {
            if (attendee.present()) {
                close_interval(attendee, attendee.last_seen_at.value_or(*attendee.opened_at));
                announce_leave(attendee);
            }
            attendee.chime_attendee_id.clear();
        }
        change.meetings.push_back(
            {s.meeting->meeting_id, s.session_id, s.meeting->provider, s.meeting->generation, now_, now_});
    }

    /// Guests have none.
    std::optional<Time>* left_stamp(Role role) {
        if (role == Role::guest) return nullptr;
        return role == Role::doctor ? &change.after.doctor_left_at : &change.after.patient_left_at;
    }

    /// Nobody waits in front of a closed session.
    void clear_queue() {
        for (auto& attendee : change.after.attendees) {
            if (attendee.lobby == Lobby::waiting) attendee.lobby = Lobby::none;
        }
    }

    Time now_;
    bool was_closed_ = false;
};

}  // namespace consultation
