// What an attendee of a meeting may send and receive, as the Chime SDK's `Capabilities` say it
// (docs.aws.amazon.com/chime-sdk/latest/APIReference/API_meeting-chime_AttendeeCapabilities.html). Plain values.
#pragma once

#include <cstdint>
#include <string_view>

namespace core {

enum class Flow : std::uint8_t { none = 0, send = 1, receive = 2, both = 3 };

constexpr bool sends(Flow flow) {
    return (static_cast<unsigned>(flow) & 1U) != 0;
}
constexpr bool receives(Flow flow) {
    return (static_cast<unsigned>(flow) & 2U) != 0;
}

/// As the API writes it.
constexpr std::string_view name_of(Flow flow) {
    switch (flow) {
        case Flow::both:
            return "SendReceive";
        case Flow::send:
            return "Send";
        case Flow::receive:
            return "Receive";
        case Flow::none:
            break;
    }
    return "None";
}

struct Capabilities {
    Flow audio = Flow::both;
    Flow video = Flow::both;
    Flow content = Flow::both;

    /// Whoever may only look and listen does not keep a meeting going.
    constexpr bool sends_anything() const { return sends(audio) || sends(video) || sends(content); }
    /// Content that is received needs video that is received (the API refuses anything else).
    constexpr bool sound() const { return !receives(content) || receives(video); }
    friend constexpr bool operator==(const Capabilities&, const Capabilities&) = default;
};

}  // namespace core
