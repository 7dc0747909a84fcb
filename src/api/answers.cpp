#include "api/answers.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "api/json_text.hpp"
#include "consultation/life_cycle.hpp"

namespace api {
namespace {

using consultation::Meeting;
using consultation::Session;
using core::Time;
using service::SessionNames;

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
            "left_at", attendee.left_at)("connected", attendee.present())(
            "attendee_minutes", consultation::attendee_minutes(attendee))("admission", to_text(attendee.lobby))(
            "guest_role", attendee.guest_kind ? std::optional{to_text(*attendee.guest_kind)} : std::nullopt)(
            "name", attendee.guest_name);
    }
    out += ']';
}

void append_meeting(JsonObject& object, const Session& session) {
    const auto& meeting = session.meeting;
    const auto field = [&](std::string_view name, const std::string Meeting::* member) {
        if (meeting) {
            object(name, (*meeting).*member);
        } else {
            object.key(name) += "null";
        }
    };
    field("meeting_id", &Meeting::meeting_id);
    field("external_meeting_id", &Meeting::external_meeting_id);
    // Where the meeting is; before there is one, where it shall be.
    object("media_region", meeting ? std::optional{meeting->media_region} : session.media_region);
    field("media_placement_audio_host_url", &Meeting::audio_host_url);
    field("media_placement_audio_fallback_url", &Meeting::audio_fallback_url);
    field("media_placement_signaling_url", &Meeting::signaling_url);
    field("media_placement_turn_control_url", &Meeting::turn_control_url);
}

void append_session(std::string& out, const Session& s, const SessionNames& names, Time now) {
    JsonObject o{out};
    o("session_id", s.session_id)("booking_type", to_text(s.booking_type))("appointment_id", s.appointment_id);
    o("doctor_id", s.doctor_id)("patient_id", s.patient_id)("clinic_id", s.clinic_id)("status", to_text(s.status));
    o("scheduled_start_time", s.scheduled_start_time)("scheduled_end_time", s.scheduled_end_time);
    o("actual_start_time", s.actual_start_time)("actual_end_time", s.actual_end_time);
    o("consultation_duration_minutes", s.consultation_duration_minutes);
    o("chief_complaint", s.chief_complaint)("session_notes", s.session_notes);
    o("doctor_joined_at", s.doctor_joined_at)("patient_joined_at", s.patient_joined_at);
    append_meeting(o, s);
    o("created_at", s.created_at)("updated_at", s.updated_at);
    // Beyond the contract: what its clients asked for and did not get.
    o("doctor_left_at", s.doctor_left_at)("patient_left_at", s.patient_left_at);
    o("cancelled_at", s.cancelled_at)("cancelled_by", s.cancelled_by)("cancellation_reason", s.cancellation_reason);
    o("connection_quality_rating", s.connection_quality_rating);
    o("meeting_provider", s.meeting ? std::optional{to_text(s.meeting->provider)} : std::nullopt);
    o("doctor_name", names.doctor_name)("doctor_specialty", names.doctor_specialty);
    o("patient_name", names.patient_name)("clinic_name", names.clinic_name);
    o("duration_minutes", minutes_so_far(s, now))("attendee_minutes", consultation::attendee_minutes(s));
    append_attendees(o.key("attendees"), s);
    o("waiting_room", s.waiting_room);
}

void append_placement(std::string& out, const Meeting& meeting) {
    JsonObject placement{out};
    placement("audio_host_url", meeting.audio_host_url)("audio_fallback_url", meeting.audio_fallback_url);
    placement("signaling_url", meeting.signaling_url)("turn_control_url", meeting.turn_control_url);
    for (const auto* unused : {"screen_data_url", "screen_viewing_url", "screen_sharing_url"}) {
        placement.key(unused) += "null";
    }
}

}  // namespace

std::string session_answer(const Session& session, const SessionNames& names, Time now) {
    std::string out;
    out.reserve(2048);
    append_session(out, session, names, now);
    return out;
}

std::string list_answer(const service::SessionPage& page, std::span<const SessionNames> names,
                        const ListRequest& request, Time now) {
    if (names.size() != page.sessions.size()) throw std::logic_error("names for another number of sessions");
    std::string out;
    out.reserve(128 + page.sessions.size() * 2048);
    {
        JsonObject object{out};
        object.key("sessions") += '[';
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (i > 0) out += ',';
            append_session(out, page.sessions[i], names[i], now);
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

}  // namespace api
