#include "api/chime/requests.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <utility>

#include "core/bytes.hpp"

namespace api::chime {
namespace {

namespace json = boost::json;
using service::WantedAttendee;
using service::WantedMeeting;

constexpr std::size_t kDeepest = 16;
constexpr std::size_t kMostBatch = 100;     // BatchCreateAttendee
constexpr std::size_t kMostInitial = 20;    // CreateMeetingWithAttendees
constexpr std::size_t kMostExcluded = 250;  // BatchUpdateAttendeeCapabilitiesExcept
constexpr std::size_t kMostTags = 50;
constexpr std::size_t kMostTenants = 5;
constexpr int kMostPeople = 250;

bool is_alnum(char32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_one_of(char32_t c, std::string_view set) {
    return c != 0 && c < 0x80 && set.contains(static_cast<char>(c));
}
bool is_space(char32_t c) {
    return is_one_of(c, " \t\n\v\f\r");
}
/// `[-_&@+=,(){}\[\]\/«».:|'"#a-zA-Z0-9À-ÿ\s]*`
bool in_external_id(char32_t c) {
    return is_alnum(c) || is_space(c) || is_one_of(c, "-_&@+=,(){}[]/.:|'\"#") || c == 0xab || c == 0xbb ||
           (c >= 0xc0 && c <= 0xff);
}
/// `[-_a-zA-Z0-9]*`
bool in_request_token(char32_t c) {
    return is_alnum(c) || is_one_of(c, "-_");
}
/// Names of regions; an installation may have names of its own.
bool in_region(char32_t c) {
    return (is_alnum(c) && !(c >= 'A' && c <= 'Z')) || c == '-';
}
/// `[\/\:\-\_\.a-zA-Z0-9]+`
bool in_arn(char32_t c) {
    return is_alnum(c) || is_one_of(c, "/:-_.");
}
/// `[-_!@#$a-zA-Z0-9]*`
bool in_tenant_id(char32_t c) {
    return is_alnum(c) || is_one_of(c, "-_!@#$");
}
/// `[a-zA-Z+-=._:/]+`, in which `+-=` is a range.
bool in_tag_key(char32_t c) {
    return (c >= '+' && c <= '=') || (is_alnum(c) && !(c >= '0' && c <= '9')) || is_one_of(c, "._:/");
}
/// `[\s\w+-=\.:/@]*`
bool in_tag_value(char32_t c) {
    return is_space(c) || is_alnum(c) || c == '_' || (c >= '+' && c <= '=') || is_one_of(c, ".:/@");
}
bool is_visible(char32_t c) {
    return c > 0x20 && c < 0x7f;
}

constexpr TextRule kExternalId{.least = 2, .most = 64, .allows = in_external_id, .aws_is_reserved = true};
constexpr TextRule kRequestToken{.least = 2, .most = 64, .allows = in_request_token};
constexpr TextRule kMediaRegion{.least = 2, .most = 64, .allows = in_region};
constexpr TextRule kNotificationArn{.least = 1, .most = 1024, .allows = in_arn};
constexpr TextRule kResourceArn{.least = 1, .most = 1011, .allows = is_visible};
constexpr TextRule kTenantId{.least = 2, .most = 256, .allows = in_tenant_id};
constexpr TextRule kTagKey{.least = 1, .most = 128, .allows = in_tag_key, .aws_is_reserved = true};
constexpr TextRule kTagValue{.least = 0, .most = 256, .allows = in_tag_value};
constexpr TextRule kPrimaryMeetingId{.least = 2, .most = 64};

std::string item_path(std::string_view list, std::size_t index) {
    return std::string{list} + "." + std::to_string(index + 1) + ".member";
}

core::Flow flow_of(std::string_view name) {
    return name == "SendReceive" ? core::Flow::both
           : name == "Send"      ? core::Flow::send
           : name == "Receive"   ? core::Flow::receive
                                 : core::Flow::none;
}

core::Capabilities read_capabilities(const json::object& object, const std::string& path, Complaint& complaint) {
    Members members(object, path, complaint);
    const auto flow = [&members](std::string_view name) {
        return flow_of(members.choice(name, {"SendReceive", "Send", "Receive", "None"}, Need::required));
    };
    const core::Capabilities capabilities{.audio = flow("Audio"), .video = flow("Video"), .content = flow("Content")};
    if (!complaint.any() && !capabilities.sound()) {
        complaint.about(path, "allow Video to be received where Content is received");
    }
    return capabilities;
}

WantedAttendee read_attendee(const json::object& object, const std::string& path, Complaint& complaint) {
    Members members(object, path, complaint);
    WantedAttendee attendee;
    attendee.external_user_id = members.text("ExternalUserId", kExternalId, Need::required);
    if (const auto* given = members.object("Capabilities", Need::optional)) {
        attendee.capabilities = read_capabilities(*given, members.path_of("Capabilities"), complaint);
    }
    return attendee;
}

std::vector<WantedAttendee> read_attendees(Members& body, std::size_t most, Complaint& complaint) {
    std::vector<WantedAttendee> attendees;
    const auto* list = body.array("Attendees", 1, most, Need::required);
    if (list == nullptr) return attendees;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto path = item_path("Attendees", i);
        if (const auto* item = (*list)[i].if_object()) {
            attendees.push_back(read_attendee(*item, path, complaint));
        } else {
            complaint.about(path, "be a structure");
        }
    }
    return attendees;
}

service::Tags read_tags(Members& body, Need need, Complaint& complaint) {
    service::Tags tags;
    const auto* list = body.array("Tags", 0, kMostTags, need);
    if (list == nullptr) return tags;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto path = item_path("Tags", i);
        const auto* item = (*list)[i].if_object();
        if (item == nullptr) {
            complaint.about(path, "be a structure");
            break;
        }
        Members members(*item, path, complaint);
        auto key = members.text("Key", kTagKey, Need::required);
        auto value = members.text("Value", kTagValue, Need::required);
        if (std::ranges::find(tags, key, &service::Tags::value_type::first) != tags.end()) {
            complaint.about(path, "have a key that no other tag has");
        }
        tags.emplace_back(std::move(key), std::move(value));
    }
    return tags;
}

/// `(?!.*?(.)\1{3})`: nothing four times in a row.
bool repeats_itself(std::string_view text) {
    for (std::size_t i = 3; i < text.size(); ++i) {
        if (text[i] == text[i - 1] && text[i] == text[i - 2] && text[i] == text[i - 3]) return true;
    }
    return false;
}

json::array read_tenants(Members& body, Complaint& complaint) {
    json::array tenants;
    const auto* list = body.array("TenantIds", 1, kMostTenants, Need::optional);
    if (list == nullptr) return tenants;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto path = item_path("TenantIds", i);
        const auto* item = (*list)[i].if_string();
        if (item == nullptr) {
            complaint.about(path, "be a string");
        } else if (obeys(*item, kTenantId, path, complaint) && repeats_itself(*item)) {
            complaint.about(path, "satisfy the regular expression pattern of the API reference");
        }
        tenants.emplace_back((*list)[i]);
    }
    return tenants;
}

/// One choice within one structure, kept as it is.
void read_feature(Members& features, json::object& kept, std::string_view kind, std::string_view name,
                  std::initializer_list<std::string_view> known, Complaint& complaint) {
    const auto* given = features.object(kind, Need::optional);
    if (given == nullptr) return;
    auto value = Members(*given, features.path_of(kind), complaint).choice(name, known, Need::optional);
    json::object feature;
    if (!value.empty()) feature.emplace(name, std::move(value));
    kept.emplace(kind, std::move(feature));
}

json::object read_features(const json::object& object, WantedMeeting& wanted, Complaint& complaint) {
    Members features(object, "MeetingFeatures", complaint);
    json::object kept;
    read_feature(features, kept, "Audio", "EchoReduction", {"AVAILABLE", "UNAVAILABLE"}, complaint);
    read_feature(features, kept, "Video", "MaxResolution", {"None", "HD", "FHD"}, complaint);
    read_feature(features, kept, "Content", "MaxResolution", {"None", "FHD", "UHD"}, complaint);
    if (const auto* given = features.object("Attendee", Need::optional)) {
        const auto count = Members(*given, features.path_of("Attendee"), complaint).number("MaxCount", 1, kMostPeople);
        json::object attendee;
        if (count) {
            wanted.max_attendees = static_cast<int>(*count);
            attendee.emplace("MaxCount", *count);
        }
        kept.emplace("Attendee", std::move(attendee));
    }
    return kept;
}

json::object read_notifications(Members& body, Complaint& complaint) {
    json::object kept;
    const auto* given = body.object("NotificationsConfiguration", Need::optional);
    if (given == nullptr) return kept;
    Members members(*given, "NotificationsConfiguration", complaint);
    for (const std::string_view name : {"LambdaFunctionArn", "SnsTopicArn", "SqsQueueArn"}) {
        auto arn = members.text(name, kNotificationArn, Need::optional);
        if (!arn.empty() && !arn.starts_with("arn")) complaint.about(members.path_of(name), "be an ARN");
        if (!arn.empty()) kept.emplace(name, std::move(arn));
    }
    return kept;
}

json::object as_json(const WantedAttendee& attendee) {
    return {{"ExternalUserId", attendee.external_user_id},
            {"Capabilities",
             {name_of(attendee.capabilities.audio), name_of(attendee.capabilities.video),
              name_of(attendee.capabilities.content)}}};
}

/// The same request has the same hash, in whatever order and with whatever spaces it was written.
std::string hash_of(const WantedMeeting& wanted, const json::object& others) {
    json::array attendees, tags;
    for (const auto& attendee : wanted.attendees) attendees.emplace_back(as_json(attendee));
    for (const auto& [key, value] : wanted.tags) tags.emplace_back(json::array{key, value});
    const json::array all{wanted.external_meeting_id, wanted.media_region, wanted.details, attendees, tags, others};
    return core::hex(core::sha256(core::as_bytes(json::serialize(all))));
}

template <class T>
std::optional<T> unless(const Complaint& complaint, T value) {
    if (complaint.any()) return {};
    return value;
}

}  // namespace

std::optional<json::object> read_body(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return json::object{};
    boost::system::error_code failed;
    json::parse_options options;
    options.max_depth = kDeepest;
    auto value = json::parse({text.data(), text.size()}, failed, {}, options);
    if (failed || !value.is_object()) return {};
    return std::move(value.as_object());
}

std::optional<std::string> read_guid(std::string_view text, std::string_view path, Complaint& complaint) {
    constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'F' ? char(c + 32) : c; });
    const bool well = lower.size() == kForm.size() && std::ranges::equal(lower, kForm, [](char c, char form) {
                          return form == '-' ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                      });
    if (well) return lower;
    complaint.about(path, "satisfy regular expression pattern: [a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}");
    return {};
}

std::optional<WantedMeeting> read_create_meeting(const json::object& object, bool with_attendees,
                                                 Complaint& complaint) {
    Members body(object, {}, complaint);
    WantedMeeting wanted;
    wanted.request_token = body.text("ClientRequestToken", kRequestToken, Need::required);
    wanted.media_region = body.text("MediaRegion", kMediaRegion, Need::required);
    wanted.external_meeting_id = body.text("ExternalMeetingId", kExternalId, Need::required);
    json::object details;
    if (auto host = body.text("MeetingHostId", kExternalId, Need::optional); !host.empty()) {
        details.emplace("MeetingHostId", std::move(host));
    }
    if (const auto* features = body.object("MeetingFeatures", Need::optional)) {
        details.emplace("MeetingFeatures", read_features(*features, wanted, complaint));
    }
    if (auto tenants = read_tenants(body, complaint); !tenants.empty()) {
        details.emplace("TenantIds", std::move(tenants));
    }
    json::object others{{"notifications", read_notifications(body, complaint)}};
    others.emplace("network", body.choice("MediaPlacementNetworkType", {"Ipv4Only", "DualStack"}, Need::optional));
    if (!body.text("PrimaryMeetingId", kPrimaryMeetingId, Need::optional).empty()) {
        complaint.about("PrimaryMeetingId", "not be given: this installation has no replica meetings");
    }
    wanted.tags = read_tags(body, Need::optional, complaint);
    if (with_attendees) wanted.attendees = read_attendees(body, kMostInitial, complaint);
    wanted.details = json::serialize(details);
    wanted.request_hash = hash_of(wanted, others);
    return unless(complaint, std::move(wanted));
}

std::optional<WantedAttendee> read_create_attendee(const json::object& body, Complaint& complaint) {
    return unless(complaint, read_attendee(body, {}, complaint));
}

std::optional<std::vector<WantedAttendee>> read_batch_create_attendee(const json::object& object,
                                                                      Complaint& complaint) {
    Members body(object, {}, complaint);
    auto attendees = read_attendees(body, kMostBatch, complaint);
    return unless(complaint, std::move(attendees));
}

std::optional<core::Capabilities> read_capabilities_update(const json::object& object, Complaint& complaint) {
    Members body(object, {}, complaint);
    const auto* given = body.object("Capabilities", Need::required);
    if (given == nullptr) return {};
    const auto capabilities = read_capabilities(*given, "Capabilities", complaint);
    return unless(complaint, capabilities);
}

std::optional<CapabilitiesForOthers> read_capabilities_except(const json::object& object, Complaint& complaint) {
    Members body(object, {}, complaint);
    CapabilitiesForOthers wanted;
    if (const auto* list = body.array("ExcludedAttendeeIds", 1, kMostExcluded, Need::required)) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            const auto path = item_path("ExcludedAttendeeIds", i);
            const auto* item = (*list)[i].if_object();
            const auto* id = item ? item->if_contains("AttendeeId") : nullptr;
            const auto* text = id ? id->if_string() : nullptr;
            auto guid = read_guid(text ? std::string_view{*text} : std::string_view{}, path + ".AttendeeId", complaint);
            if (guid) wanted.excluded.push_back(std::move(*guid));
        }
    }
    if (const auto capabilities = read_capabilities_update(object, complaint)) wanted.capabilities = *capabilities;
    return unless(complaint, std::move(wanted));
}

std::optional<std::string> read_resource(std::string_view arn, Complaint& complaint) {
    if (obeys(arn, kResourceArn, "ResourceARN", complaint) && !arn.starts_with("arn:")) {
        complaint.about("ResourceARN", "satisfy regular expression pattern: ^arn:.*");
    }
    return unless(complaint, std::string{arn});
}

std::optional<ResourceTags> read_tag_resource(const json::object& object, Complaint& complaint) {
    Members body(object, {}, complaint);
    auto arn = body.text("ResourceARN", kResourceArn, Need::required);
    auto tags = read_tags(body, Need::required, complaint);
    if (complaint.any() || !read_resource(arn, complaint)) return {};
    return ResourceTags{std::move(arn), std::move(tags)};
}

std::optional<ResourceTagKeys> read_untag_resource(const json::object& object, Complaint& complaint) {
    Members body(object, {}, complaint);
    ResourceTagKeys wanted;
    wanted.resource = body.text("ResourceARN", kResourceArn, Need::required);
    if (const auto* list = body.array("TagKeys", 0, kMostTags, Need::required)) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            const auto* key = (*list)[i].if_string();
            const auto path = item_path("TagKeys", i);
            if (key == nullptr) {
                complaint.about(path, "be a string");
            } else if (obeys(*key, {.least = 1, .most = 128, .allows = in_tag_key}, path, complaint)) {
                wanted.keys.emplace_back(key->data(), key->size());
            }
        }
    }
    if (complaint.any() || !read_resource(wanted.resource, complaint)) return {};
    return wanted;
}

}  // namespace api::chime
