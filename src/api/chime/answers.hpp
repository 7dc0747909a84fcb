// What the operations of "Chime SDK Meetings" answer, as JSON. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/sdk_meetings.hpp"

namespace api::chime {

/// `arn:aws:chime:eu-central-1:000000000000:meeting/<id>`
std::string arn_of(const service::SdkMeeting& meeting);
/// The meeting's id, lower case; nullopt when it is the ARN of no meeting.
std::optional<std::string> meeting_of_arn(std::string_view arn);

std::string meeting_answer(const service::PlacedMeeting& meeting);
std::string created_answer(const service::CreatedMeeting& created);
std::string attendee_answer(const service::InvitedAttendee& attendee);
std::string batch_answer(const std::vector<service::InvitedAttendee>& attendees);
/// `next_token` is left out when it is empty.
std::string list_answer(const std::vector<service::InvitedAttendee>& attendees, std::string_view next_token);
std::string tags_answer(const service::Tags& tags);

/// A page token, opaque to clients: where the next page begins.
std::string page_token(std::string_view last_attendee_id);
std::optional<std::string> read_page_token(std::string_view token);

}  // namespace api::chime
