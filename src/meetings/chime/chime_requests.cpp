#include "meetings/chime/chime_requests.hpp"

#include <boost/json.hpp>

namespace meetings::chime {
namespace {

namespace json = boost::json;

json::object attendee(std::string_view external_user_id) {
    return {{"ExternalUserId", external_user_id},
            {"Capabilities", {{"Audio", "SendReceive"}, {"Video", "SendReceive"}, {"Content", "SendReceive"}}}};
}

}  // namespace

std::string create_meeting_body(const NewMeeting& meeting, bool with_tags) {
    json::object body{{"ClientRequestToken", meeting.client_request_token},
                      {"ExternalMeetingId", meeting.external_meeting_id},
                      {"MediaRegion", meeting.media_region},
                      {"MeetingFeatures",
                       {{"Audio", {{"EchoReduction", "AVAILABLE"}}},
                        {"Video", {{"MaxResolution", "HD"}}},
                        {"Content", {{"MaxResolution", "FHD"}}}}}};
    if (with_tags && !meeting.tags.empty()) {
        json::array tags;
        for (const auto& [key, value] : meeting.tags) tags.push_back(json::object{{"Key", key}, {"Value", value}});
        body["Tags"] = std::move(tags);
    }
    if (!meeting.external_user_ids.empty()) {
        json::array attendees;
        for (const auto& id : meeting.external_user_ids) attendees.push_back(attendee(id));
        body["Attendees"] = std::move(attendees);
    }
    return json::serialize(body);
}

std::string create_attendee_body(std::string_view external_user_id) {
    return json::serialize(attendee(external_user_id));
}

std::string start_transcription_body(const service::TranscriptionOptions& options) {
    json::object engine{{"LanguageCode", options.language_code}, {"Region", "auto"}};
    if (options.medical) {
        engine["Specialty"] = options.specialty;
        engine["Type"] = options.type;
    }
    const auto* name = options.medical ? "EngineTranscribeMedicalSettings" : "EngineTranscribeSettings";
    return json::serialize(json::object{{"TranscriptionConfiguration", json::object{{name, std::move(engine)}}}});
}

}  // namespace meetings::chime
