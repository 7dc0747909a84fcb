// The bodies and parameters of "Chime SDK Meetings", read and checked against the limits of its API reference. Pure.
// https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_Types_Amazon_Chime_SDK_Meetings.html
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/chime/members.hpp"
#include "core/capabilities.hpp"
#include "service/sdk_meetings.hpp"

namespace api::chime {

/// Nullopt when the text is no JSON object, is nested too deeply, or no UTF-8. An empty text is an empty object.
std::optional<boost::json::object> read_body(std::string_view text);

// All others return nullopt with a complaint, or a value without one.

/// Without `control_region`.
std::optional<service::WantedMeeting> read_create_meeting(const boost::json::object& body, bool with_attendees,
                                                          Complaint& complaint);
std::optional<service::WantedAttendee> read_create_attendee(const boost::json::object& body, Complaint& complaint);
std::optional<std::vector<service::WantedAttendee>> read_batch_create_attendee(const boost::json::object& body,
                                                                               Complaint& complaint);
std::optional<core::Capabilities> read_capabilities_update(const boost::json::object& body, Complaint& complaint);

struct CapabilitiesForOthers {
    std::vector<std::string> excluded;  ///< Attendee ids, lower case.
    core::Capabilities capabilities;
};
std::optional<CapabilitiesForOthers> read_capabilities_except(const boost::json::object& body, Complaint& complaint);

struct WantedTranscription {
    std::string configuration;  ///< JSON: what was understood of it.
    std::string region;         ///< Empty: not said.
};
std::optional<WantedTranscription> read_transcription(const boost::json::object& body, Complaint& complaint);

struct ResourceTags {
    std::string resource;  ///< An ARN of any kind.
    service::Tags tags;
};
std::optional<ResourceTags> read_tag_resource(const boost::json::object& body, Complaint& complaint);

struct ResourceTagKeys {
    std::string resource;
    std::vector<std::string> keys;
};
std::optional<ResourceTagKeys> read_untag_resource(const boost::json::object& body, Complaint& complaint);
std::optional<std::string> read_resource(std::string_view arn, Complaint& complaint);

/// Lower case.
std::optional<std::string> read_guid(std::string_view text, std::string_view path, Complaint& complaint);

}  // namespace api::chime
