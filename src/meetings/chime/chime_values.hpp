// The nouns of the "Chime SDK Meetings" API, as far as the service uses them. Plain.
// https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_Operations_Amazon_Chime_SDK_Meetings.html
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/trace.hpp"

namespace meetings::chime {

struct NewMeeting {
    std::string client_request_token;  ///< The same token and content give the same meeting.
    std::string external_meeting_id;
    std::string media_region;
    std::vector<std::string> external_user_ids;  ///< At most 20.
    std::vector<std::pair<std::string, std::string>> tags;
    core::trace::Context trace{};  ///< Of the call; AWS gets it as a header.
};

struct ChimeMeeting {
    std::string meeting_id;
    std::string media_region;
    std::string audio_host_url, audio_fallback_url, signaling_url;
    std::string turn_control_url;  ///< Empty: AWS did not name one.

    bool operator==(const ChimeMeeting&) const = default;
};

struct ChimeAttendee {
    std::string attendee_id;
    std::string external_user_id;
    std::string join_token;  ///< Secret.

    bool operator==(const ChimeAttendee&) const = default;
};

struct CreatedMeeting {
    ChimeMeeting meeting;
    std::vector<ChimeAttendee> attendees;  ///< Those that could be made.
};

struct AttendeePage {
    std::vector<std::string> attendee_ids;
    std::string next_token;  ///< Empty: that was all.
};

}  // namespace meetings::chime
