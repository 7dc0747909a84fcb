#include "api/booking_requests.hpp"

#include <algorithm>
#include <charconv>

#include "api/body.hpp"
#include "api/text.hpp"

namespace api {
namespace {

constexpr std::size_t kVersion = 64;
constexpr std::size_t kMostTags = 100;

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

/// What was sent, if only as null.
bool given(const Body& body, std::string_view field) {
    return body.says(field) && body.input_of(field) != "null";
}

}  // namespace

bool ends_in_calendar(core::Time start, int duration_minutes) {
    const auto end = start + std::chrono::minutes{duration_minutes};
    return end.time_since_epoch() < std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}.time_since_epoch();
}

std::optional<consultation::Move> read_reschedule(RawBody raw, const core::ZoneResolver& zone, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    consultation::Move move;
    if (given(body, "scheduled_start_time")) move.start = body.time("scheduled_start_time", zone);
    const auto duration = body.whole_number("consultation_duration_minutes", {true, 15, 120});
    if (duration) move.duration_minutes = static_cast<int>(*duration);
    if (faults.any()) return {};
    if (!move.start && !move.duration_minutes) {
        faults.rule({"body", {}}, "scheduled_start_time or consultation_duration_minutes is required", body.input());
        return {};
    }
    // With the longest visit, where the present one is not named: nobody books the last hours of the year 9999.
    if (move.start && !ends_in_calendar(*move.start, move.duration_minutes.value_or(120))) {
        faults.not_a_time({"body", "scheduled_start_time"}, "year is outside expected range of 1-9999",
                          body.input_of("scheduled_start_time"));
        return {};
    }
    return move;
}

std::optional<ConsentGiven> read_consent_given(RawBody raw, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    auto version = body.text("version", {Presence::required, 1, kVersion});
    auto session_id = body.text("session_id", {.least = 1, .most = 100});
    if (faults.any()) return {};
    return ConsentGiven{std::move(*version), std::move(session_id)};
}

IfMatch read_if_match(std::string_view value) {
    IfMatch match;
    value = trimmed(value);
    if (value == "*") {
        match.any = true;
        return match;
    }
    while (!value.empty() && match.versions.size() < kMostTags) {
        const auto comma = std::min(value.find(','), value.size());
        auto tag = trimmed(value.substr(0, comma));
        value.remove_prefix(std::min(comma + 1, value.size()));
        // A proxy that compresses answers makes their tags weak; the version behind one is still what it is about.
        if (tag.starts_with("W/")) tag.remove_prefix(2);
        if (tag.size() < 3 || !tag.starts_with('"') || !tag.ends_with('"')) continue;
        tag = tag.substr(1, tag.size() - 2);
        std::int64_t version = 0;
        const auto [end, failed] = std::from_chars(tag.data(), tag.data() + tag.size(), version);
        if (failed == std::errc{} && end == tag.data() + tag.size()) match.versions.push_back(version);
    }
    return match;
}

std::string entity_tag(std::int64_t version) {
    return "\"" + std::to_string(version) + "\"";
}

}  // namespace api
