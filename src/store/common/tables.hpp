// Which column holds what: sessions and attendees, read and written column by column in one fixed order, the same for
// every engine. An engine brings a Row to read from and an Out to write to:
//   Row: null(i), text(i) -> string_view, number(i) -> int64, time(i) -> Time
//   Out: null(), text(string_view), number(int64), time(Time)
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "consultation/session.hpp"

namespace store {

inline constexpr std::array<std::string_view, 37> kSessionColumns{"session_id",
                                                                  "booking_type",
                                                                  "appointment_id",
                                                                  "doctor_id",
                                                                  "patient_id",
                                                                  "clinic_id",
                                                                  "status",
                                                                  "scheduled_start_time",
                                                                  "scheduled_end_time",
                                                                  "actual_start_time",
                                                                  "actual_end_time",
                                                                  "consultation_duration_minutes",
                                                                  "chief_complaint",
                                                                  "session_notes",
                                                                  "requested_media_region",
                                                                  "waiting_room",
                                                                  "start_requested_at",
                                                                  "doctor_joined_at",
                                                                  "patient_joined_at",
                                                                  "doctor_left_at",
                                                                  "patient_left_at",
                                                                  "meeting_id",
                                                                  "meeting_provider",
                                                                  "external_meeting_id",
                                                                  "media_region",
                                                                  "media_placement_audio_host_url",
                                                                  "media_placement_audio_fallback_url",
                                                                  "media_placement_signaling_url",
                                                                  "media_placement_turn_control_url",
                                                                  "meeting_generation",
                                                                  "connection_quality_rating",
                                                                  "cancelled_at",
                                                                  "cancelled_by",
                                                                  "cancellation_reason",
                                                                  "created_at",
                                                                  "updated_at",
                                                                  "version"};

/// The last two belong to heartbeats as well as to commits.
inline constexpr std::array<std::string_view, 26> kAttendeeColumns{"attendee_id",
                                                                   "user_id",
                                                                   "role",
                                                                   "chime_attendee_id",
                                                                   "external_user_id",
                                                                   "joined_at",
                                                                   "left_at",
                                                                   "device_type",
                                                                   "browser_info",
                                                                   "attended_micros",
                                                                   "attended_chime_micros",
                                                                   "billed_tenths",
                                                                   "lobby",
                                                                   "waiting_since",
                                                                   "waiting_seen_at",
                                                                   "guest_kind",
                                                                   "guest_name",
                                                                   "invitation_hash",
                                                                   "invited_at",
                                                                   "invitation_expires_at",
                                                                   "invitation_used_at",
                                                                   "invitation_revoked_at",
                                                                   "open_interval_id",
                                                                   "opened_at",
                                                                   "last_seen_at",
                                                                   "present_until"};

inline constexpr int kSessionColumnCount = static_cast<int>(kSessionColumns.size());
inline constexpr int kAttendeeColumnCount = static_cast<int>(kAttendeeColumns.size());

/// `a.x, a.y` for prefix `a.`
template <std::size_t N>
std::string joined(const std::array<std::string_view, N>& columns, std::string_view prefix = {}) {
    std::string text;
    for (const auto column : columns) {
        if (!text.empty()) text += ", ";
        text.append(prefix).append(column);
    }
    return text;
}

namespace detail {

/// A row that this service cannot have written: wrong spelling of a state, a role, a provider …
template <class T>
T known(std::optional<T> value, const char* what) {
    if (!value) throw std::runtime_error(std::string("unknown ") + what + " in the database");
    return *value;
}

template <class Row>
struct Columns {
    const Row& row;
    int next = 0;

    std::optional<std::string> optional_text() {
        const int i = next++;
        return row.null(i) ? std::nullopt : std::optional<std::string>(std::in_place, row.text(i));
    }
    std::string text() { return optional_text().value_or(std::string()); }
    std::string_view word() {
        const int i = next++;
        return row.null(i) ? std::string_view{} : row.text(i);
    }
    std::optional<consultation::Time> optional_time() {
        const int i = next++;
        return row.null(i) ? std::nullopt : std::optional(row.time(i));
    }
    consultation::Provider provider() { return known(consultation::provider_from(word()), "provider"); }
    consultation::Time time() { return optional_time().value_or(consultation::Time{}); }
    std::int64_t number() { return optional_number<std::int64_t>().value_or(0); }
    template <class Int>
    std::optional<Int> optional_number() {
        const int i = next++;
        return row.null(i) ? std::nullopt : std::optional(static_cast<Int>(row.number(i)));
    }
};

template <class Out, class T>
void write_optional(Out& out, const std::optional<T>& value) {
    if (!value) {
        out.null();
    } else if constexpr (std::is_same_v<T, std::string>) {
        out.text(*value);
    } else if constexpr (std::is_same_v<T, consultation::Time>) {
        out.time(*value);
    } else {
        out.number(*value);
    }
}

/// Empty text is kept as null: these columns are unique where they are set.
template <class Out>
void write_or_null(Out& out, std::string_view text) {
    text.empty() ? out.null() : out.text(text);
}

}  // namespace detail

/// The session of a row, without its attendees.
template <class Row>
consultation::Session read_session(const Row& row) {
    detail::Columns<Row> in{row};
    consultation::Session s;
    s.session_id = in.text();
    s.booking_type = detail::known(consultation::booking_type_from(in.word()), "booking type");
    s.appointment_id = in.optional_text();
    s.doctor_id = in.text();
    s.patient_id = in.text();
    s.clinic_id = in.template optional_number<std::int32_t>();
    s.status = detail::known(consultation::status_from(in.word()), "status");
    s.scheduled_start_time = in.time();
    s.scheduled_end_time = in.time();
    s.actual_start_time = in.optional_time();
    s.actual_end_time = in.optional_time();
    s.consultation_duration_minutes = in.template optional_number<int>().value_or(30);
    s.chief_complaint = in.optional_text();
    s.session_notes = in.optional_text();
    s.media_region = in.optional_text();
    s.waiting_room = in.number() != 0;
    s.start_requested_at = in.optional_time();
    s.doctor_joined_at = in.optional_time();
    s.patient_joined_at = in.optional_time();
    s.doctor_left_at = in.optional_time();
    s.patient_left_at = in.optional_time();
    if (auto meeting_id = in.optional_text()) {
        auto& meeting = s.meeting.emplace();
        meeting.meeting_id = std::move(*meeting_id);
        meeting.provider = in.provider();
        meeting.external_meeting_id = in.text();
        meeting.media_region = in.text();
        meeting.audio_host_url = in.text();
        meeting.audio_fallback_url = in.text();
        meeting.signaling_url = in.text();
        meeting.turn_control_url = in.text();
        meeting.generation = in.template optional_number<int>().value_or(1);
    } else {
        in.next += 7;
        s.last_generation = in.template optional_number<int>().value_or(0);
    }
    s.connection_quality_rating = in.template optional_number<int>();
    s.cancelled_at = in.optional_time();
    s.cancelled_by = in.optional_text();
    s.cancellation_reason = in.optional_text();
    s.created_at = in.time();
    s.updated_at = in.time();
    s.version = in.number();
    return s;
}

template <class Out>
void write_session(Out& out, const consultation::Session& s) {
    using detail::write_optional;
    using detail::write_or_null;
    out.text(s.session_id);
    out.text(consultation::to_text(s.booking_type));
    write_optional(out, s.appointment_id);
    out.text(s.doctor_id);
    out.text(s.patient_id);
    write_optional(out, s.clinic_id);
    out.text(consultation::to_text(s.status));
    out.time(s.scheduled_start_time);
    out.time(s.scheduled_end_time);
    write_optional(out, s.actual_start_time);
    write_optional(out, s.actual_end_time);
    out.number(s.consultation_duration_minutes);
    write_optional(out, s.chief_complaint);
    write_optional(out, s.session_notes);
    write_optional(out, s.media_region);
    out.number(s.waiting_room ? 1 : 0);
    write_optional(out, s.start_requested_at);
    write_optional(out, s.doctor_joined_at);
    write_optional(out, s.patient_joined_at);
    write_optional(out, s.doctor_left_at);
    write_optional(out, s.patient_left_at);
    if (s.meeting) {
        out.text(s.meeting->meeting_id);
        out.text(consultation::to_text(s.meeting->provider));
        write_or_null(out, s.meeting->external_meeting_id);
        out.text(s.meeting->media_region);
        out.text(s.meeting->audio_host_url);
        out.text(s.meeting->audio_fallback_url);
        out.text(s.meeting->signaling_url);
        out.text(s.meeting->turn_control_url);
        out.number(s.meeting->generation);
    } else {
        for (int i = 0; i < 8; ++i) out.null();
        s.last_generation > 0 ? out.number(s.last_generation) : out.null();
    }
    write_optional(out, s.connection_quality_rating);
    write_optional(out, s.cancelled_at);
    write_optional(out, s.cancelled_by);
    write_optional(out, s.cancellation_reason);
    out.time(s.created_at);
    out.time(s.updated_at);
    out.number(s.version);
}

template <class Row>
consultation::Attendee read_attendee(const Row& row) {
    detail::Columns<Row> in{row};
    consultation::Attendee a;
    a.row_id = in.text();
    a.user_id = in.text();
    a.role = detail::known(consultation::role_from(in.word()), "role");
    a.chime_attendee_id = in.text();
    a.external_user_id = in.text();
    a.joined_at = in.optional_time();
    a.left_at = in.optional_time();
    a.device_type = in.optional_text();
    a.browser_info = in.optional_text();
    a.attended = std::chrono::microseconds(in.number());
    a.attended_chime = std::chrono::microseconds(in.number());
    a.billed_tenths = in.number();
    a.lobby = detail::known(consultation::lobby_from(in.word()), "lobby");
    a.waiting_since = in.optional_time();
    a.waiting_seen_at = in.optional_time();
    if (const auto kind = in.word(); !kind.empty()) {
        a.guest_kind = detail::known(consultation::guest_kind_from(kind), "kind of guest");
    }
    a.guest_name = in.optional_text();
    a.invitation_hash = in.optional_text();
    a.invited_at = in.optional_time();
    a.invitation_expires_at = in.optional_time();
    a.invitation_used_at = in.optional_time();
    a.invitation_revoked_at = in.optional_time();
    a.open_interval_id = in.optional_text();
    a.opened_at = in.optional_time();
    a.last_seen_at = in.optional_time();
    a.present_until = in.optional_time();
    return a;
}

template <class Out>
void write_attendee(Out& out, const consultation::Attendee& a) {
    using detail::write_optional;
    out.text(a.row_id);
    out.text(a.user_id);
    out.text(consultation::to_text(a.role));
    detail::write_or_null(out, a.chime_attendee_id);
    detail::write_or_null(out, a.external_user_id);
    write_optional(out, a.joined_at);
    write_optional(out, a.left_at);
    write_optional(out, a.device_type);
    write_optional(out, a.browser_info);
    out.number(a.attended.count());
    out.number(a.attended_chime.count());
    out.number(a.billed_tenths);
    out.text(consultation::to_text(a.lobby));
    write_optional(out, a.waiting_since);
    write_optional(out, a.waiting_seen_at);
    detail::write_or_null(out, a.guest_kind ? consultation::to_text(*a.guest_kind) : std::string_view{});
    write_optional(out, a.guest_name);
    write_optional(out, a.invitation_hash);
    write_optional(out, a.invited_at);
    write_optional(out, a.invitation_expires_at);
    write_optional(out, a.invitation_used_at);
    write_optional(out, a.invitation_revoked_at);
    write_optional(out, a.open_interval_id);
    write_optional(out, a.opened_at);
    write_optional(out, a.last_seen_at);
    write_optional(out, a.present_until);
}

/// In the order that the domain wants.
void sort_attendees(std::vector<consultation::Attendee>& attendees);

/// The value of `appointment_key`, unique: one session for each appointment, cancelled ones apart.
inline std::optional<std::string> appointment_key(const consultation::Session& s) {
    return s.status == consultation::Status::cancelled ? std::nullopt : s.appointment_id;
}

}  // namespace store
