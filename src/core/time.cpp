#include "core/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace core {
namespace {

using namespace std::chrono;

void put(char*& out, unsigned value, int digits) {
    for (int i = digits - 1; i >= 0; --i) {
        out[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    out += digits;
}

void append(std::string& text, Time time, bool zone) {
    static constexpr Time kFirst{sys_days{year{0} / January / 1}};
    static constexpr Time kLast{sys_days{year{9999} / December / 31} + hours{24} - microseconds{1}};
    time = std::clamp(time, kFirst, kLast);
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss<microseconds> clock{time - day};
    std::array<char, 32> buffer;
    char* out = buffer.data();
    put(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    *out++ = '-';
    put(out, static_cast<unsigned>(date.month()), 2);
    *out++ = '-';
    put(out, static_cast<unsigned>(date.day()), 2);
    *out++ = 'T';
    put(out, static_cast<unsigned>(clock.hours().count()), 2);
    *out++ = ':';
    put(out, static_cast<unsigned>(clock.minutes().count()), 2);
    *out++ = ':';
    put(out, static_cast<unsigned>(clock.seconds().count()), 2);
    if (clock.subseconds().count() != 0) {
        *out++ = '.';
        put(out, static_cast<unsigned>(clock.subseconds().count()), 6);
    }
    if (zone) *out++ = 'Z';
    text.append(buffer.data(), out);
}

/// Walks over the text; every step says whether it could be taken.
struct Reader {
    std::string_view rest;

    bool take(char c) {
        if (rest.empty() || rest.front() != c) return false;
        rest.remove_prefix(1);
        return true;
    }
    std::optional<int> digits(std::size_t count) {
        if (rest.size() < count) return {};
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest[i] < '0' || rest[i] > '9') return {};
            value = value * 10 + (rest[i] - '0');
        }
        rest.remove_prefix(count);
        return value;
    }
};

}  // namespace

std::string format_rfc3339(Time time) {
    std::string out;
    append(out, time, true);
    return out;
}
void append_rfc3339(std::string& out, Time time) {
    append(out, time, true);
}
std::string format_zoneless(Time time) {
    std::string out;
    append(out, time, false);
    return out;
}

std::optional<LocalDateTime> parse_iso8601(std::string_view text, std::string* why) {
    auto fail = [&](const char* reason) -> std::optional<LocalDateTime> {
        if (why) *why = reason;
        return {};
    };
    Reader in{text};
    if (text.size() < 10) return fail("input is too short");
    const auto y = in.digits(4);
    if (!y) return fail("invalid character in year");
    if (!in.take('-')) return fail("invalid date separator, expected `-`");
    const auto m = in.digits(2);
    if (!m) return fail("invalid character in month");
    if (!in.take('-')) return fail("invalid date separator, expected `-`");
    const auto d = in.digits(2);
    if (!d) return fail("invalid character in day");
    if (*m < 1 || *m > 12) return fail("month value is outside expected range of 1-12");
    const year_month_day date{year{*y} / *m / *d};
    if (!date.ok() || *y < 1) return fail("day value is outside expected range");
    auto local = local_days{date} + microseconds{0};
    LocalDateTime result{local, {}};
    if (in.rest.empty()) return result;

    if (!in.take('T') && !in.take('t') && !in.take(' ') && !in.take('_')) {
        return fail("invalid datetime separator, expected `T`, `t`, `_` or space");
    }
    const auto h = in.digits(2);
    if (!h) return fail(in.rest.size() < 2 ? "input is too short" : "invalid character in hour");
    if (!in.take(':')) return fail(in.rest.empty() ? "input is too short" : "invalid time separator, expected `:`");
    const auto min = in.digits(2);
    if (!min) return fail(in.rest.size() < 2 ? "input is too short" : "invalid character in minute");
    int sec = 0;
    std::int64_t micros = 0;
    if (in.take(':')) {
        const auto s = in.digits(2);
        if (!s) return fail(in.rest.size() < 2 ? "input is too short" : "invalid character in second");
        sec = *s;
        if (in.take('.') || in.take(',')) {
            int count = 0;
            for (; !in.rest.empty() && in.rest.front() >= '0' && in.rest.front() <= '9'; in.rest.remove_prefix(1)) {
                if (++count > 9) return fail("second fraction value is more than 9 digits long");
                if (count <= 6) micros = micros * 10 + (in.rest.front() - '0');
            }
            if (count == 0) return fail("second fraction value is missing");
            for (; count < 6; ++count) micros *= 10;
        }
    }
    if (*h > 23) return fail("hour value is outside expected range of 0-23");
    if (*min > 59) return fail("minute value is outside expected range of 0-59");
    if (sec > 59) return fail("second value is outside expected range of 0-59");
    result.local = local + hours{*h} + minutes{*min} + seconds{sec} + microseconds{micros};
    if (in.rest.empty()) return result;

    if (in.take('Z') || in.take('z')) {
        result.utc_offset = minutes{0};
    } else {
        const bool minus = in.rest.front() == '-';
        if (!minus && in.rest.front() != '+') return fail("invalid timezone sign");
        in.rest.remove_prefix(1);
        const auto oh = in.digits(2);
        if (!oh) return fail("invalid timezone hour");
        int om = 0;
        if (!in.rest.empty()) {
            in.take(':');
            const auto parsed = in.digits(2);
            if (!parsed) return fail("invalid timezone minute");
            om = *parsed;
        }
        if (*oh > 23 || om > 59) return fail("timezone offset must be less than 24 hours");
        const minutes offset = hours{*oh} + minutes{om};
        result.utc_offset = minus ? -offset : offset;
    }
    if (!in.rest.empty()) return fail("unexpected extra characters at the end of the input");
    return result;
}

std::optional<Time> parse_utc(std::string_view text) {
    const auto parsed = parse_iso8601(text);
    if (!parsed) return {};
    return Time{parsed->local.time_since_epoch()} - parsed->utc_offset.value_or(minutes{0});
}

}  // namespace core
