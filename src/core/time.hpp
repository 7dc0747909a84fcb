// Points in time, always UTC, in microseconds, and their text forms.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace core {

using Time = std::chrono::sys_time<std::chrono::microseconds>;

/// Where "now" comes from. Pure code takes the time as an argument instead. Any thread.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
};

/// The machine's wall clock.
class SystemClock final : public Clock {
  public:
    Time now() const override {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
};

/// RFC 3339 with `Z`: `2026-01-25T14:00:00Z`, or with six fraction digits when they are not zero.
/// Years outside 0..9999 are clamped.
std::string format_rfc3339(Time time);
void append_rfc3339(std::string& out, Time time);

/// The same without zone, as the platform's RabbitMQ messages want it: `2026-01-25T14:00:00.123456`.
std::string format_zoneless(Time time);

/// A calendar date and time of day as a person wrote it; the zone is known only when `utc_offset` is set.
struct LocalDateTime {
    std::chrono::local_time<std::chrono::microseconds> local;
    std::optional<std::chrono::minutes> utc_offset;  ///< Set when the text carried `Z` or an offset.
};

/// Reads ISO 8601: `T`, `t` or a space between date and time; seconds optional; a fraction of 1 to 9 digits
/// (cut to microseconds); `Z` or `±HH:MM`/`±HHMM`/`±HH` optional; a bare date is midnight. Years 1 to 9999.
/// On failure returns nullopt and, when asked, why.
std::optional<LocalDateTime> parse_iso8601(std::string_view text, std::string* why = nullptr);

/// Reads what `format_rfc3339` and `format_zoneless` write, and PostgreSQL's and SQLite's text form; no zone = UTC.
std::optional<Time> parse_utc(std::string_view text);

}  // namespace core
