// Our ids in the shapes that AWS takes. Each is a function of its input alone, so that the same person and the same
// meeting are called the same every time. Pure.
#pragma once

#include <string>
#include <string_view>

namespace meetings::chime {

/// Of a meeting or an attendee, as AWS gives them; anything else is not sent to AWS.
bool is_chime_id(std::string_view text);

/// ExternalUserId for `doctor-<user>`, `patient-<user>` or `guest-<…>`: 2 to 64 of AWS's characters, not starting with
/// `aws:`. What does not fit becomes that role and 32 digits of its SHA-256.
std::string external_user_id_for(std::string_view wanted);

/// `pulseone-<session id>`, or the digits of its SHA-256 behind the dash.
std::string external_meeting_id_for(std::string_view session_id);

/// ClientRequestToken: `<session id>-<generation>` in 2 to 64 of `[-_a-zA-Z0-9]`, or the SHA-256 of that.
std::string request_token_for(std::string_view session_id, int generation);

/// A tag's value: at most 256 characters; those that AWS does not take become `_`.
std::string tag_value_for(std::string_view text);

}  // namespace meetings::chime
