#include "api/chime/answers.hpp"

#include "api/chime/requests.hpp"
#include "api/json_text.hpp"
#include "core/bytes.hpp"

namespace api::chime {
namespace {

using service::InvitedAttendee;
using service::PlacedMeeting;

/// There is one account, and AWS never gives this number away.
constexpr std::string_view kAccount = "000000000000";
constexpr std::string_view kMeeting = ":meeting/";
constexpr std::string_view kPage = "a:";

void append_placement(std::string& out, const service::MediaPlacement& placement) {
    JsonObject object(out);
    const auto add = [&object](std::string_view name, const std::string& url) {
        if (!url.empty()) object(name, url);
    };
    add("AudioHostUrl", placement.audio_host_url);
    add("AudioFallbackUrl", placement.audio_fallback_url);
    add("SignalingUrl", placement.signaling_url);
    add("TurnControlUrl", placement.turn_control_url);
}

void append(std::string& out, const PlacedMeeting& placed) {
    const auto& meeting = placed.meeting;
    JsonObject object(out);
    object("MeetingId", meeting.meeting_id)("ExternalMeetingId", meeting.external_meeting_id);
    object("MediaRegion", meeting.media_region)("MeetingArn", arn_of(meeting));
    append_placement(object.key("MediaPlacement"), placed.placement);
    // An object whose members belong here as they are.
    const std::string_view details = meeting.details;
    if (details.size() > 2) out.append(",").append(details.substr(1, details.size() - 2));
}

void append(std::string& out, const InvitedAttendee& invited) {
    const auto& attendee = invited.attendee;
    JsonObject object(out);
    object("ExternalUserId", attendee.external_user_id)("AttendeeId", attendee.attendee_id);
    object("JoinToken", invited.join_token);
    JsonObject capabilities(object.key("Capabilities"));
    capabilities("Audio", name_of(attendee.capabilities.audio))("Video", name_of(attendee.capabilities.video));
    capabilities("Content", name_of(attendee.capabilities.content));
}

void append(std::string& out, const std::vector<InvitedAttendee>& attendees) {
    out += '[';
    for (const auto& attendee : attendees) {
        if (out.back() != '[') out += ',';
        append(out, attendee);
    }
    out += ']';
}

}  // namespace

std::string arn_of(const service::SdkMeeting& meeting) {
    return std::string{"arn:aws:chime:"}
        .append(meeting.control_region)
        .append(":")
        .append(kAccount)
        .append(kMeeting)
        .append(meeting.meeting_id);
}

std::optional<std::string> meeting_of_arn(std::string_view arn) {
    constexpr std::string_view kBegin = "arn:aws:chime:";
    const auto place = arn.rfind(kMeeting);
    if (!arn.starts_with(kBegin) || place == std::string_view::npos) return {};
    Complaint unheard;
    return read_guid(arn.substr(place + kMeeting.size()), {}, unheard);
}

std::string meeting_answer(const PlacedMeeting& meeting) {
    std::string out;
    append(JsonObject(out).key("Meeting"), meeting);
    return out;
}

std::string created_answer(const service::CreatedMeeting& created) {
    std::string out;
    {
        JsonObject object(out);
        append(object.key("Meeting"), created.meeting);
        append(object.key("Attendees"), created.attendees);
        object.key("Errors") += "[]";
    }
    return out;
}

std::string attendee_answer(const InvitedAttendee& attendee) {
    std::string out;
    append(JsonObject(out).key("Attendee"), attendee);
    return out;
}

std::string batch_answer(const std::vector<InvitedAttendee>& attendees) {
    std::string out;
    {
        JsonObject object(out);
        append(object.key("Attendees"), attendees);
        object.key("Errors") += "[]";
    }
    return out;
}

std::string list_answer(const std::vector<InvitedAttendee>& attendees, std::string_view next_token) {
    std::string out;
    {
        JsonObject object(out);
        append(object.key("Attendees"), attendees);
        if (!next_token.empty()) object("NextToken", next_token);
    }
    return out;
}

std::string tags_answer(const service::Tags& tags) {
    std::string out;
    {
        JsonObject object(out);
        auto& list = object.key("Tags") += '[';
        for (const auto& [key, value] : tags) {
            if (list.back() != '[') list += ',';
            JsonObject tag(list);
            tag("Key", key)("Value", value);
        }
        list += ']';
    }
    return out;
}

std::string page_token(std::string_view last_attendee_id) {
    return core::base64url(core::as_bytes(std::string{kPage}.append(last_attendee_id)));
}

std::optional<std::string> read_page_token(std::string_view token) {
    const auto bytes = core::from_base64url(token);
    if (!bytes) return {};
    const auto text = core::as_text(*bytes);
    if (!text.starts_with(kPage)) return {};
    Complaint unheard;
    return read_guid(text.substr(kPage.size()), {}, unheard);
}

}  // namespace api::chime
