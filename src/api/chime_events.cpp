#include "api/chime_events.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <utility>

#include "api/json_input.hpp"
#include "api/text.hpp"
#include "api/values.hpp"
#include "core/bytes.hpp"

namespace api {
namespace {

namespace json = boost::json;

constexpr std::string_view kStateChange = "Chime Meeting State Change";
constexpr std::array<std::string_view, 2> kOfMeetings{"chime:MeetingStarted", "chime:MeetingEnded"};
constexpr std::array<std::string_view, 4> kOfAttendees{"chime:AttendeeJoined", "chime:AttendeeLeft",
                                                       "chime:AttendeeDropped", "chime:AttendeeDeleted"};

bool is_one_of(std::string_view text, const auto& list) {
    return std::ranges::find(list, text) != list.end();
}

/// `detail.timestamp` in milliseconds; `time`, in whole seconds, stands in for it.
core::Time moment_of(const json::object& event, const json::object& detail, core::Time now) {
    std::optional<core::Time> moment;
    if (const auto* stamp = detail.if_contains("timestamp")) {
        std::int64_t millis = 0;
        if (const auto* whole = stamp->if_int64()) millis = *whole;
        if (const auto* real = stamp->if_double()) millis = whole_number(*real).value_or(0);
        constexpr std::int64_t kYear10000 = 253'402'300'800'000;
        if (millis > 0 && millis < kYear10000) moment = core::Time{std::chrono::milliseconds{millis}};
    }
    if (!moment) moment = core::parse_utc(text_member(event, "time"));
    return std::min(moment.value_or(now), now);
}

/// AWS's id, which stays the same when an event is delivered again; made of the content where a rule has cut it off.
std::string id_of(const json::object& event, const service::ChimeEvent& known) {
    const auto given = text_member(event, "id");
    if (can_be_an_id(given)) return std::string{given};
    const auto content = known.event_type + '\n' + known.meeting_id + '\n' + known.attendee_id + '\n' +
                         core::format_rfc3339(known.occurred_at);
    return core::hex(core::sha256(core::as_bytes(content))).substr(0, 36);
}

std::optional<service::ChimeEvent> known_event(const json::value& value, core::Time now) {
    const auto* event = value.if_object();
    if (!event || text_member(*event, "detail-type") != kStateChange) return {};
    const auto* detail_value = event->if_contains("detail");
    const auto* detail = detail_value ? detail_value->if_object() : nullptr;
    if (!detail) return {};
    service::ChimeEvent known;
    known.event_type = text_member(*detail, "eventType");
    const bool of_attendee = is_one_of(known.event_type, kOfAttendees);
    if (!of_attendee && !is_one_of(known.event_type, kOfMeetings)) return {};
    known.meeting_id = text_member(*detail, "meetingId");
    if (!can_be_an_id(known.meeting_id)) return {};
    if (of_attendee) known.attendee_id = text_member(*detail, "attendeeId");
    if (of_attendee && !can_be_an_id(known.attendee_id)) return {};
    known.occurred_at = moment_of(*event, *detail, now);
    known.event_id = id_of(*event, known);
    return known;
}

}  // namespace

std::optional<std::vector<service::ChimeEvent>> read_chime_events(std::string_view text, core::Time now,
                                                                  Faults& faults) {
    if (text.empty()) {
        faults.missing({"body", {}}, "null");
        return {};
    }
    const auto body = parse_json(text, {}, faults);
    if (!body) return {};
    std::vector<service::ChimeEvent> events;
    const auto take = [&](const json::value& value) {
        if (auto event = known_event(value, now)) events.push_back(std::move(*event));
    };
    if (const auto* list = body->if_array()) {
        if (list->size() > kMostEvents) {
            faults.add({"body", {}}, "too_long", "List should have at most " + std::to_string(kMostEvents) + " items",
                       "null");
            return {};
        }
        std::ranges::for_each(*list, take);
    } else if (body->is_object()) {
        take(*body);
    } else {
        faults.add({"body", {}}, "model_attributes_type", "Input should be an event or a list of events",
                   json::serialize(*body));
        return {};
    }
    return events;
}

}  // namespace api
