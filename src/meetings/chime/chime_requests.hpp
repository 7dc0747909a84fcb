// The bodies of requests to the "Chime SDK Meetings" API. Pure.
#pragma once

#include <string>
#include <string_view>

#include "meetings/chime/chime_values.hpp"
#include "service/meeting_provider.hpp"

namespace meetings::chime {

/// Of CreateMeeting, and of CreateMeetingWithAttendees when the meeting names attendees.
std::string create_meeting_body(const NewMeeting& meeting, bool with_tags);
std::string create_attendee_body(std::string_view external_user_id);
std::string start_transcription_body(const service::TranscriptionOptions& options);

}  // namespace meetings::chime
