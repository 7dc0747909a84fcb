#include "api/values.hpp"

#include <charconv>
#include <cmath>

namespace api {
namespace {

using namespace std::chrono;

constexpr core::Time kFirst{sys_days{year{1} / January / 1}};
constexpr core::Time kEnd{sys_days{year{9999} / December / 31} + days{1}};

/// Larger numbers cannot be seconds of a sensible date and are taken as milliseconds (as pydantic does).
constexpr std::int64_t kMillisecondsBeyond = 20'000'000'000;
constexpr std::int64_t kFirstUnixSecond = -11'676'096'000;  // Year 1600.
constexpr std::int64_t kLastUnixSecond = 253'402'300'799;   // Year 9999.

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::expected<core::Time, std::string> checked_unix(microseconds since_epoch) {
    const auto second = floor<seconds>(since_epoch).count();
    if (second < kFirstUnixSecond) return std::unexpected("dates before 1600 are not supported as unix timestamps");
    if (second > kLastUnixSecond) return std::unexpected("dates after 9999 are not supported as unix timestamps");
    return core::Time{since_epoch};
}

}  // namespace

std::expected<std::int64_t, NotWhole> whole_number(std::string_view text) {
    text = trimmed(text);
    if (const auto point = text.find('.'); point != std::string_view::npos) {
        const auto fraction = text.substr(point + 1);
        if (fraction.empty() || fraction.find_first_not_of('0') != std::string_view::npos) {
            return std::unexpected(NotWhole::not_a_number);
        }
        text = text.substr(0, point);
    }
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) return std::unexpected(NotWhole::not_a_number);
    }
    std::int64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || failed == std::errc::invalid_argument) {
        return std::unexpected(NotWhole::not_a_number);
    }
    if (failed != std::errc{}) return std::unexpected(NotWhole::too_big);
    return value;
}

std::expected<std::int64_t, NotWhole> whole_number(double value) {
    if (!std::isfinite(value)) return std::unexpected(NotWhole::too_big);
    if (value != std::floor(value)) return std::unexpected(NotWhole::fraction);
    if (std::abs(value) >= 9.2e18) return std::unexpected(NotWhole::too_big);
    return static_cast<std::int64_t>(value);
}

std::expected<GivenTime, std::string> time_from_text(std::string_view text, const core::ZoneResolver& zone) {
    std::string why;
    const auto parsed = core::parse_iso8601(text, &why);
    if (!parsed) return std::unexpected(std::move(why));
    const auto time =
        parsed->utc_offset ? core::Time{parsed->local.time_since_epoch() - *parsed->utc_offset} : zone(parsed->local);
    if (!in_calendar(time)) return std::unexpected("year is outside expected range of 1-9999");
    return GivenTime{time, text.size() == 10};
}

std::expected<core::Time, std::string> time_from_unix(double value) {
    // Far outside every calendar, and no whole number of microseconds: decided before it is converted.
    if (!(std::abs(value) < 1e15)) {
        return std::unexpected(value < 0 ? "dates before 1600 are not supported as unix timestamps"
                                         : "dates after 9999 are not supported as unix timestamps");
    }
    const double in_seconds = std::abs(value) > static_cast<double>(kMillisecondsBeyond) ? value / 1e3 : value;
    return checked_unix(microseconds{std::llround(in_seconds * 1e6)});
}

std::expected<core::Time, std::string> time_from_unix(std::int64_t value) {
    if (value > 1'000'000'000'000'000 || value < -1'000'000'000'000'000) {
        return time_from_unix(static_cast<double>(value));
    }
    const bool millis = value > kMillisecondsBeyond || value < -kMillisecondsBeyond;
    return checked_unix(millis ? microseconds{milliseconds{value}} : microseconds{seconds{value}});
}

bool in_calendar(core::Time time) {
    return time >= kFirst && time < kEnd;
}

}  // namespace api
