// What happened in a meeting of our own server, as the media plane tells it to the control plane. Plain values.
#pragma once

#include <cstdint>
#include <string>

#include "core/time.hpp"

namespace core {

struct MeetingEvent {
    enum class Kind : std::uint8_t {
        attendee_joined,
        attendee_left,     ///< Or was put out, or the meeting ended.
        attendee_dropped,  ///< Was lost for so long that they count as gone; `at` is when the connection ended.
        content_joined,
        content_left,
        content_dropped,
        video_started,
        video_stopped,
        content_video_started,
        content_video_stopped,
    };
    Kind kind = Kind::attendee_joined;
    std::string meeting_id;
    std::string attendee_id;  ///< Without `#content`.
    Time at;
};

}  // namespace core
