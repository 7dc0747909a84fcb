#include "meetings/chime/chime_answers.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "meetings/chime/chime_names.hpp"

namespace meetings::chime {
namespace {

namespace json = boost::json;

constexpr auto kNonsense = "AWS Chime fails: its answer makes no sense";
constexpr std::size_t kMaxAttendees = 250;  ///< Of a meeting, says AWS.

std::optional<json::object> parse(std::string_view text) {
    boost::system::error_code error;
    auto value = json::parse(text, error, {}, {.max_depth = 8});
    if (error || !value.is_object()) return {};
    return std::move(value.as_object());
}

const json::object* object_at(const json::object& parent, std::string_view key) {
    const auto* value = parent.if_contains(key);
    return value ? value->if_object() : nullptr;
}

/// A text of visible characters of at most so many bytes; absent and null are empty. Nullopt: anything else.
std::optional<std::string> text_at(const json::object& parent, std::string_view key, std::size_t max) {
    const auto* value = parent.if_contains(key);
    if (!value || value->is_null()) return std::string{};
    const auto* text = value->if_string();
    if (!text || text->size() > max) return {};
    if (std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }))
        return {};
    return std::string{*text};
}

std::optional<std::string> url_at(const json::object& parent, std::string_view key) {
    auto url = text_at(parent, key, kMaxMeetingUrl);
    return url && url->find(' ') == std::string::npos ? url : std::nullopt;
}

std::optional<ChimeMeeting> meeting_in(const json::object& object) {
    const auto* placement = object_at(object, "MediaPlacement");
    if (!placement) return {};
    auto id = text_at(object, "MeetingId", 64);
    auto region = text_at(object, "MediaRegion", 50);
    auto audio = url_at(*placement, "AudioHostUrl");
    auto fallback = url_at(*placement, "AudioFallbackUrl");
    auto signaling = url_at(*placement, "SignalingUrl");
    auto turn = url_at(*placement, "TurnControlUrl");
    if (!id || !is_chime_id(*id) || !region || !audio || !fallback || !signaling || !turn) return {};
    // Without these two the Chime client cannot join.
    if (audio->empty() || signaling->empty()) return {};
    return ChimeMeeting{*id, *region, *audio, *fallback, *signaling, *turn};
}

std::optional<ChimeAttendee> attendee_in(const json::value& value) {
    const auto* object = value.if_object();
    if (!object) return {};
    auto id = text_at(*object, "AttendeeId", 64);
    auto external = text_at(*object, "ExternalUserId", 64);
    auto token = text_at(*object, "JoinToken", kMaxJoinToken);
    if (!id || !is_chime_id(*id) || !external || external->empty() || !token || token->size() < 2) return {};
    return ChimeAttendee{*id, *external, *token};
}

std::string name_in(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain || out.size() == 64) break;
        out += c;
    }
    return out;
}

}  // namespace

core::Result<CreatedMeeting> read_meeting(std::string_view text) {
    const auto nonsense = core::fail(core::ErrorKind::bad_gateway, kNonsense);
    const auto root = parse(text);
    const auto* object = root ? object_at(*root, "Meeting") : nullptr;
    auto meeting = object ? meeting_in(*object) : std::nullopt;
    if (!meeting) return nonsense;
    CreatedMeeting out{std::move(*meeting), {}};
    const auto* attendees = root->if_contains("Attendees");
    if (!attendees || attendees->is_null()) return out;
    const auto* list = attendees->if_array();
    if (!list || list->size() > kMaxAttendees) return nonsense;
    for (const auto& item : *list) {
        auto attendee = attendee_in(item);
        if (!attendee) return nonsense;
        out.attendees.push_back(std::move(*attendee));
    }
    return out;
}

core::Result<ChimeAttendee> read_attendee(std::string_view text) {
    const auto root = parse(text);
    const auto* value = root ? root->if_contains("Attendee") : nullptr;
    auto attendee = value ? attendee_in(*value) : std::nullopt;
    if (!attendee) return core::fail(core::ErrorKind::bad_gateway, kNonsense);
    return std::move(*attendee);
}

core::Result<AttendeePage> read_attendee_page(std::string_view text) {
    const auto nonsense = core::fail(core::ErrorKind::bad_gateway, kNonsense);
    const auto root = parse(text);
    const auto* value = root ? root->if_contains("Attendees") : nullptr;
    const auto* list = value ? value->if_array() : nullptr;
    if (!list || list->size() > kMaxAttendees) return nonsense;
    AttendeePage page;
    for (const auto& item : *list) {
        const auto* object = item.if_object();
        auto id = object ? text_at(*object, "AttendeeId", 64) : std::nullopt;
        if (!id || !is_chime_id(*id)) return nonsense;
        page.attendee_ids.push_back(std::move(*id));
    }
    auto next = text_at(*root, "NextToken", kMaxNextToken);
    if (!next) return nonsense;
    page.next_token = std::move(*next);
    return page;
}

std::string error_code(std::string_view error_type_header, std::string_view body) {
    if (auto name = name_in(error_type_header); !name.empty()) return name;
    const auto root = parse(body);
    if (!root) return {};
    const auto code = text_at(*root, "Code", 256);
    if (code && !code->empty()) return name_in(*code);
    // `namespace#Name`, an older form.
    const auto type = text_at(*root, "__type", 256);
    return type ? name_in(std::string_view{*type}.substr(type->find('#') + 1)) : std::string{};
}

}  // namespace meetings::chime
