// Reads the answers of the "Chime SDK Meetings" API. Everything is checked before the service relies on it: lengths
// that its own columns and AWS's limits allow, ids that may go into a path, no control characters. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "meetings/chime/chime_values.hpp"

namespace meetings::chime {

inline constexpr std::size_t kMaxMeetingUrl = 500;  ///< Of our columns; AWS allows itself 4096.
inline constexpr std::size_t kMaxJoinToken = 2048;
inline constexpr std::size_t kMaxNextToken = 4096;

// Errors: `bad_gateway`.
/// `{"Meeting", "Attendees"?, "Errors"?}`; of CreateMeeting, CreateMeetingWithAttendees and GetMeeting.
core::Result<CreatedMeeting> read_meeting(std::string_view text);
/// `{"Attendee"}`.
core::Result<ChimeAttendee> read_attendee(std::string_view text);
/// `{"Attendees", "NextToken"?}`.
core::Result<AttendeePage> read_attendee_page(std::string_view text);

/// The error's name, from the header x-amzn-errortype if there is one, or else from the body; at most 64 letters and
/// digits, empty when there is none. AWS's message is not looked at.
std::string error_code(std::string_view error_type_header, std::string_view body);

}  // namespace meetings::chime
