#include "api/chime/route.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "api/text.hpp"

namespace api::chime {
namespace {

constexpr std::string_view kPrefix = "/chime/";

struct Shape {
    std::string_view method;
    std::string_view path;       ///< `*` stands for an id, first a meeting's, then an attendee's.
    std::string_view operation;  ///< Of the query; empty: none.
    Operation meant;
};

// In this order: an attendee may not be called `capabilities`.
constexpr auto kShapes = std::to_array<Shape>({
    {"POST", "meetings", "", Operation::create_meeting},
    {"POST", "meetings", "create-attendees", Operation::create_meeting_with_attendees},
    {"GET", "meetings/*", "", Operation::get_meeting},
    {"DELETE", "meetings/*", "", Operation::delete_meeting},
    {"POST", "meetings/*/attendees", "", Operation::create_attendee},
    {"POST", "meetings/*/attendees", "batch-create", Operation::batch_create_attendee},
    {"GET", "meetings/*/attendees", "", Operation::list_attendees},
    {"PUT", "meetings/*/attendees/capabilities", "batch-update-except",
     Operation::batch_update_attendee_capabilities_except},
    {"GET", "meetings/*/attendees/*", "", Operation::get_attendee},
    {"DELETE", "meetings/*/attendees/*", "", Operation::delete_attendee},
    {"PUT", "meetings/*/attendees/*/capabilities", "", Operation::update_attendee_capabilities},
    {"POST", "meetings/*/transcription", "start", Operation::start_meeting_transcription},
    {"POST", "meetings/*/transcription", "stop", Operation::stop_meeting_transcription},
    {"GET", "tags", "", Operation::list_tags_for_resource},
    {"POST", "tags", "tag-resource", Operation::tag_resource},
    {"POST", "tags", "untag-resource", Operation::untag_resource},
});

constexpr std::size_t kMostSegments = 5;

std::string_view first_segment(std::string_view& rest) {
    const auto slash = std::min(rest.find('/'), rest.size());
    const auto segment = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    return segment;
}

/// Nullopt: too many pieces, an empty one, or one with a broken escape.
std::optional<std::vector<std::string>> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    if (path.ends_with('/')) return {};
    while (!path.empty()) {
        auto segment = percent_decoded(first_segment(path));
        if (!segment || segment->empty() || segments.size() == kMostSegments) return {};
        segments.push_back(std::move(*segment));
    }
    return segments;
}

bool fits(std::string_view shape, const std::vector<std::string>& segments, Route& route) {
    route = {};
    for (const auto& segment : segments) {
        if (shape.empty()) return false;
        const auto wanted = first_segment(shape);
        if (wanted == "*") {
            (route.meeting_id.empty() ? route.meeting_id : route.attendee_id) = segment;
        } else if (wanted != segment) {
            return false;
        }
    }
    return shape.empty();
}

}  // namespace

bool is_chime_path(std::string_view path) {
    return path.starts_with(kPrefix);
}

std::optional<Route> route_of(std::string_view method, std::string_view target) {
    const auto mark = std::min(target.find('?'), target.size());
    const QueryString query(target.substr(std::min(mark + 1, target.size())));
    const auto segments = segments_of(target.substr(kPrefix.size(), mark - kPrefix.size()));
    if (!segments) return {};
    const auto* const named = query.find("operation");
    Route route;
    for (const auto& shape : kShapes) {
        if (shape.method != method || shape.operation != (named ? std::string_view{*named} : std::string_view{}))
            continue;
        if (!fits(shape.path, *segments, route)) continue;
        route.operation = shape.meant;
        return route;
    }
    return {};
}

}  // namespace api::chime
