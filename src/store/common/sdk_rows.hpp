// Rows of the SDK's meetings, read and written column by column, the same for every engine. Row and Out as in
// tables.hpp.
#pragma once

#include <array>

#include "service/sdk_meeting_store.hpp"
#include "store/common/tables.hpp"

namespace store {

inline constexpr std::array<std::string_view, 12> kSdkMeetingColumns{
    "meeting_id",          "request_token", "request_hash", "control_region",
    "external_meeting_id", "media_region",  "details",      "max_attendees",
    "created_at",          "active_at",     "ended_at",     "transcription"};

inline constexpr std::array<std::string_view, 7> kSdkAttendeeColumns{
    "attendee_id", "external_user_id", "audio", "video", "content", "created_at", "removed_at"};

inline constexpr std::array<std::string_view, 13> kNotificationColumns{
    "sequence",     "meeting_id",     "event_type",  "occurred_at",      "external_meeting_id",
    "media_region", "control_region", "attendee_id", "external_user_id", "audio",
    "video",        "content",        "attempts"};

namespace detail {

inline core::Flow flow_from(std::int64_t number) {
    if (number < 0 || number > 3) throw std::runtime_error("unknown capability in the database");
    return static_cast<core::Flow>(number);
}

template <class Row>
core::Capabilities read_capabilities(Columns<Row>& in) {
    core::Capabilities capabilities;
    capabilities.audio = flow_from(in.number());
    capabilities.video = flow_from(in.number());
    capabilities.content = flow_from(in.number());
    return capabilities;
}

}  // namespace detail

template <class Row>
service::SdkMeeting read_sdk_meeting(const Row& row) {
    detail::Columns<Row> in{row};
    service::SdkMeeting meeting;
    meeting.meeting_id = in.text();
    meeting.request_token = in.text();
    meeting.request_hash = in.text();
    meeting.control_region = in.text();
    meeting.external_meeting_id = in.text();
    meeting.media_region = in.text();
    meeting.details = in.text();
    meeting.max_attendees = static_cast<int>(in.number());
    meeting.created_at = in.time();
    meeting.active_at = in.time();
    meeting.ended_at = in.optional_time();
    meeting.transcription = in.optional_text();
    return meeting;
}

/// All but `ended_at` and `transcription`, which a new meeting has not.
template <class Out>
void write_sdk_meeting(Out& out, const service::SdkMeeting& meeting) {
    out.text(meeting.meeting_id);
    out.text(meeting.request_token);
    out.text(meeting.request_hash);
    out.text(meeting.control_region);
    out.text(meeting.external_meeting_id);
    out.text(meeting.media_region);
    out.text(meeting.details);
    out.number(meeting.max_attendees);
    out.time(meeting.created_at);
    out.time(meeting.active_at);
}

/// The attendee whose columns begin at `first`.
template <class Row>
service::SdkAttendee read_sdk_attendee(const Row& row, int first = 0) {
    detail::Columns<Row> in{row, first};
    service::SdkAttendee attendee;
    attendee.attendee_id = in.text();
    attendee.external_user_id = in.text();
    attendee.capabilities = detail::read_capabilities(in);
    attendee.created_at = in.time();
    attendee.removed = in.optional_time().has_value();
    return attendee;
}

/// A meeting, then the columns of an attendee, which may all be null.
template <class Row>
service::SdkPlace read_sdk_place(const Row& row) {
    constexpr int kFirst = static_cast<int>(kSdkMeetingColumns.size());
    service::SdkPlace place{read_sdk_meeting(row), {}};
    if (!row.null(kFirst)) place.attendee = read_sdk_attendee(row, kFirst);
    return place;
}

/// meeting_id, attendee_id, whether the meeting has ended, whether the attendee was removed, audio, video, content.
template <class Row>
service::Misplaced read_misplaced(const Row& row) {
    using Why = service::Misplaced::Why;
    detail::Columns<Row> in{row};
    service::Misplaced misplaced;
    misplaced.meeting_id = in.text();
    misplaced.attendee_id = in.text();
    const bool ended = in.number() != 0;
    const bool removed = in.number() != 0;
    misplaced.why = ended ? Why::meeting_ended : removed ? Why::removed : Why::capabilities_changed;
    misplaced.capabilities = detail::read_capabilities(in);
    return misplaced;
}

template <class Row>
service::MeetingNotification read_notification(const Row& row) {
    detail::Columns<Row> in{row};
    service::MeetingNotification told;
    told.sequence = in.number();
    told.meeting_id = in.text();
    told.event_type = in.text();
    told.occurred_at = in.time();
    told.external_meeting_id = in.text();
    told.media_region = in.text();
    told.control_region = in.text();
    told.attendee_id = in.text();
    told.external_user_id = in.text();
    if (!row.null(in.next)) {
        told.capabilities = detail::read_capabilities(in);
    } else {
        in.next += 3;
    }
    told.attempts = static_cast<int>(in.number());
    return told;
}

inline std::int64_t flow_number(core::Flow flow) {
    return static_cast<std::int64_t>(flow);
}

}  // namespace store
