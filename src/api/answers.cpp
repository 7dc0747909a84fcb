#include "api/answers.hpp"

#include <algorithm>
#include <chrono>

#include "api/json_text.hpp"
#include "consultation/life_cycle.hpp"

namespace api {
namespace {

using consultation::Meeting;
using consultation::Session;
using core::Time;

/// Null before anybody came; grows while the session is open.
std::optional<int> minutes_so_far(const Session& session, Time now) {
    if (!session.actual_start_time) return {};
    if (consultation::is_closed(session.status)) return consultation::duration_minutes(session);
    const auto span = std::chrono::floor<std::chrono::minutes>(now - *session.actual_start_time).count();
    return static_cast<int>(std::max<std::int64_t>(0, span));
}

void append_attendees(std::string& out, const Session& session) {
    out += '[';
    bool first = true;
    for (const auto& attendee : session.attendees) {
        if (!first) out += ',';
        first = false;
        JsonObject{out}("user_id", attendee.user_id)("role", to_text(attendee.role))("joined_at", attendee.joined_at)(
            "left_at", attendee.left_at)("connected", attendee.present())("attendee_minutes",
                                                                          consultation::attendee_minutes(attendee));
    }
    out += ']';
}

void append_meeting(JsonObject& object, const std::optional<Meeting>& meeting) {
    const auto field = [&](std::string_view name, const std::string Meeting::* member) {
        if (meeting) {
            object(name, (*meeting).*member);
        } else {
            object.key(name) += "null";
        }
    };
    field("meeting_id", &Meeting::meeting_id);
    field("external_meeting_id", &Meeting::external_meeting_id);
    field("media_region", &Meeting::media_region);
    field("media_placement_audio_host_url", &Meeting::audio_host_url);
    field("media_placement_audio_fallback_url", &Meeting::audio_fallback_url);
    field("media_placement_signaling_url", &Meeting::signaling_url);
    field("media_placement_turn_control_url", &Meeting::turn_control_url);
}

void append_session(std::string& out, const Session& s, Time now) {
    JsonObject o{out};
    o("session_id", s.session_id)("booking_type", to_text(s.booking_type))("appointment_id", s.appointment_id);
    o("doctor_id", s.doctor_id)("patient_id", s.patient_id)("clinic_id", s.clinic_id)("status", to_text(s.status));
    o("scheduled_start_time", s.scheduled_start_time)("scheduled_end_time", s.scheduled_end_time);
    o("actual_start_time", s.actual_start_time)("actual_end_time", s.actual_end_time);
    o("consultation_duration_minutes", s.consultation_duration_minutes);
    o("chief_complaint", s.chief_complaint)("session_notes", s.session_notes);
    o("doctor_joined_at", s.doctor_joined_at)("patient_joined_at", s.patient_joined_at);
    append_meeting(o, s.meeting);
    o("created_at", s.created_at)("updated_at", s.updated_at);
    // Beyond the contract: what its clients asked for and did not get.
    o("doctor_left_at", s.doctor_left_at)("patient_left_at", s.patient_left_at);
    o("cancelled_at", s.cancelled_at)("cancelled_by", s.cancelled_by)("cancellation_reason", s.cancellation_reason);
    o("connection_quality_rating", s.connection_quality_rating);
    o("duration_minutes", minutes_so_far(s, now))("attendee_minutes", consultation::attendee_minutes(s));
    append_attendees(o.key("attendees"), s);
}

void append_placement(std::string& out, const Meeting& meeting) {
    JsonObject placement{out};
    placement("audio_host_url", meeting.audio_host_url)("audio_fallback_url", meeting.audio_fallback_url);
    placement("signaling_url", meeting.signaling_url)("turn_control_url", meeting.turn_control_url);
    for (const auto* unused : {"screen_data_url", "screen_viewing_url", "screen_sharing_url"}) {
        placement.key(unused) += "null";
    }
}

/// Two decimals, as a JSON number.
std::string percentage(std::int64_t used, std::int64_t limit) {
    if (limit <= 0) return used > 0 ? "100.0" : "0.0";
    const std::int64_t hundredths = (used * 10'000 + limit / 2) / limit;
    std::string out = std::to_string(hundredths / 100) + '.';
    if (hundredths % 100 < 10) out += '0';
    out += std::to_string(hundredths % 100);
    if (out.ends_with('0')) out.pop_back();
    return out;
}

}  // namespace

std::string session_answer(const Session& session, Time now) {
    std::string out;
    out.reserve(2048);
    append_session(out, session, now);
    return out;
}

std::string list_answer(const service::SessionPage& page, const ListRequest& request, Time now) {
    std::string out;
    out.reserve(128 + page.sessions.size() * 2048);
    {
        JsonObject object{out};
        object.key("sessions") += '[';
        for (bool first = true; const auto& session : page.sessions) {
            if (!first) out += ',';
            first = false;
            append_session(out, session, now);
        }
        out += ']';
        object("total", page.total)("page", request.page)("page_size", request.page_size);
    }
    return out;
}

std::string join_answer(const service::Joined& joined) {
    const auto& meeting = joined.meeting;
    std::string out;
    out.reserve(2048);
    {
        JsonObject o{out};
        o("session_id", joined.session.session_id)("meeting_id", meeting.meeting_id);
        o("external_meeting_id", meeting.external_meeting_id)("media_region", meeting.media_region);
        append_placement(o.key("media_placement"), meeting);
        JsonObject{o.key("attendee")}("attendee_id", joined.credentials.attendee_id)(
            "external_user_id", joined.credentials.external_user_id)("join_token", joined.credentials.join_token)(
            "user_id", joined.user_id)("role", to_text(joined.role));
        o("scheduled_start_time", joined.session.scheduled_start_time);
        o("scheduled_end_time", joined.session.scheduled_end_time);
    }
    return out;
}

std::string events_answer(const std::vector<consultation::AuditEntry>& entries) {
    std::string out{"["};
    for (const auto& entry : entries) {
        if (out.size() > 1) out += ',';
        JsonObject{out}("event_id", entry.event_id)("session_id", entry.session_id)("event_type", entry.event_type)(
            "event_description", entry.event_description)("user_id", entry.user_id)("event_timestamp",
                                                                                    entry.event_timestamp);
    }
    out += ']';
    return out;
}

std::string usage_answer(const service::Usage& usage, int free_tier_minutes) {
    std::string out;
    {
        JsonObject o{out};
        o("total_attendee_minutes_current_month", usage.attendee_minutes)("free_tier_limit", free_tier_minutes);
        o("remaining_minutes", std::max<std::int64_t>(0, free_tier_minutes - usage.attendee_minutes));
        o.key("percentage_used") += percentage(usage.attendee_minutes, free_tier_minutes);
        o("total_sessions_current_month", usage.sessions)("active_sessions", usage.active_sessions);
    }
    return out;
}

}  // namespace api
