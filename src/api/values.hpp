// How texts and numbers from clients become values: whole numbers and points in time. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "core/time_zone.hpp"

namespace api {

enum class NotWhole {
    not_a_number,  ///< Or no number at all.
    fraction,      ///< A number, but not a whole one.
    too_big,       ///< Whole, but beyond 64 bits.
};

/// ` 30 `, `+30`, `30.0`: as people and forms write whole numbers.
std::expected<std::int64_t, NotWhole> whole_number(std::string_view text);
std::expected<std::int64_t, NotWhole> whole_number(double value);

/// A time as the client gave it, in UTC.
struct GivenTime {
    core::Time time;
    bool date_only = false;  ///< A bare date; `time` is its first moment in the zone.
};

/// ISO 8601 (see core::parse_iso8601); without a zone it is read in `zone`. The error says why it is no time.
std::expected<GivenTime, std::string> time_from_text(std::string_view text, const core::ZoneResolver& zone);

/// Unix time in seconds; beyond 2e10 in milliseconds. The error says why it is no time.
std::expected<core::Time, std::string> time_from_unix(double value);
std::expected<core::Time, std::string> time_from_unix(std::int64_t value);

/// Whether it can be written with a year of 1 to 9999.
bool in_calendar(core::Time time);

}  // namespace api
