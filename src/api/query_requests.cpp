// Query parameters and headers of requests.hpp.
#include <algorithm>
#include <chrono>
#include <limits>

#include "api/json_text.hpp"
#include "api/requests.hpp"
#include "api/values.hpp"

namespace api {
namespace {

using namespace std::chrono;

constexpr std::string_view kStatuses = "'SCHEDULED', 'WAITING', 'ACTIVE', 'COMPLETED', 'CANCELLED' or 'NO_SHOW'";
constexpr std::string_view kBookingTypes = "'CLINIC_BASED' or 'DIRECT_DOCTOR'";
constexpr std::string_view kSorts = "'scheduled_start_time' or '-scheduled_start_time'";
constexpr std::string_view kMonth = R"(^\d{4}-(0?[1-9]|1[0-2])$|^(0?[1-9]|1[0-2])$)";

std::string quoted(std::string_view text) {
    std::string out;
    append_json(out, text);
    return out;
}

/// Unset and empty parameters restrict nothing.
const std::string* given(const QueryString& query, std::string_view name) {
    const auto* text = query.find(name);
    return text && !text->empty() ? text : nullptr;
}

std::int64_t number(const QueryString& query, std::string_view name, std::int64_t otherwise, std::int64_t least,
                    std::int64_t most, Faults& faults) {
    const auto* text = query.find(name);
    if (!text) return otherwise;
    const Place place{"query", name};
    const auto value = whole_number(*text);
    if (value && *value >= least && *value <= most) return *value;
    if (value ? *value < least : value.error() == NotWhole::too_big && text->find('-') != std::string::npos) {
        faults.too_small(place, least, quoted(*text));
    } else if (value || value.error() == NotWhole::too_big) {
        faults.too_large(place, most, quoted(*text));
    } else {
        faults.add(place, "int_parsing", "Input should be a valid integer, unable to parse string as an integer",
                   quoted(*text));
    }
    return otherwise;
}

template <class T>
std::optional<T> choice(const QueryString& query, std::string_view name, std::optional<T> (*from)(std::string_view),
                        std::string_view choices, Faults& faults) {
    const auto* text = given(query, name);
    if (!text) return {};
    const auto known = from(*text);
    if (!known) faults.not_a_choice({"query", name}, choices, quoted(*text));
    return known;
}

std::optional<GivenTime> moment(const QueryString& query, std::string_view name, const core::ZoneResolver& zone,
                                Faults& faults) {
    const auto* text = given(query, name);
    if (!text) return {};
    auto read = time_from_text(*text, zone);
    // `+05:30` not escaped arrives with a space for the plus.
    if (const auto space = text->rfind(' '); !read && space != std::string::npos && space > 10) {
        auto mended = *text;
        mended[space] = '+';
        if (auto again = time_from_text(mended, zone)) read = again;
    }
    if (read) return *read;
    faults.not_a_time({"query", name}, read.error(), quoted(*text));
    return {};
}

std::optional<bool> oldest_first_from(std::string_view text) {
    if (text == "scheduled_start_time") return true;
    if (text == "-scheduled_start_time") return false;
    return {};
}

/// `5` or `12`; nothing else.
std::optional<unsigned> month_number(std::string_view text) {
    if (text.empty() || text.size() > 2) return {};
    unsigned value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return {};
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value >= 1 && value <= 12 ? std::optional{value} : std::nullopt;
}

std::optional<int> four_digits(std::string_view text) {
    int value = 0;
    if (text.size() != 4) return {};
    for (const char c : text) {
        if (c < '0' || c > '9') return {};
        value = value * 10 + (c - '0');
    }
    return value >= 1 ? std::optional{value} : std::nullopt;
}

UsageMonth bounds(year_month month) {
    return {core::Time{sys_days{month / 1}}, core::Time{sys_days{(month + months{1}) / 1}}};
}

}  // namespace

std::optional<std::string> read_idempotency_key(std::string_view value, Faults& faults) {
    static constexpr std::size_t kMost = 255;
    const Place place{"header", "Idempotency-Key"};
    const auto clean = with_valid_utf8(value);
    if (value.empty()) {
        faults.too_short(place, 1, quoted(clean));
    } else if (value.size() > kMost) {
        faults.too_long(place, kMost, quoted(clean));
    } else if (!std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7f; })) {
        faults.pattern(place, "^[!-~]+$", quoted(clean));
    } else {
        return std::string{value};
    }
    return {};
}

std::optional<ListRequest> read_list(const QueryString& query, const core::ZoneResolver& zone, Faults& faults) {
    ListRequest list;
    auto& wanted = list.query;
    wanted.status = choice(query, "status", consultation::status_from, kStatuses, faults);
    list.page = number(query, "page", 1, 1, std::numeric_limits<std::int64_t>::max(), faults);
    list.page_size = static_cast<int>(number(query, "page_size", 20, 1, 100, faults));
    wanted.booking_type = choice(query, "booking_type", consultation::booking_type_from, kBookingTypes, faults);
    if (const auto from = moment(query, "start_date", zone, faults)) wanted.start_from = from->time;
    if (const auto to = moment(query, "end_date", zone, faults)) {
        // A bare date includes its day, a date-time its own moment.
        if (to->date_only) {
            const auto day = core::parse_iso8601(*query.find("end_date"))->local + days{1};
            wanted.start_before = zone(day);
        } else {
            wanted.start_before = to->time + microseconds{1};
        }
    }
    wanted.oldest_first = choice(query, "sort", oldest_first_from, kSorts, faults).value_or(false);
    if (faults.any()) return {};

    // Stores count in 32 bits; so far behind the end every page is as empty as the next.
    constexpr std::int64_t kFarthest = 2'000'000'000;
    wanted.limit = list.page_size;
    wanted.offset = static_cast<int>(
        std::min(kFarthest, list.page - 1) * list.page_size > kFarthest ? kFarthest : (list.page - 1) * list.page_size);
    return list;
}

std::optional<UsageMonth> read_usage_month(const QueryString& query, core::Time now, Faults& faults) {
    const year_month_day today{floor<days>(now)};
    const auto this_month = today.year() / today.month();

    const bool has_year = query.find("year") != nullptr;
    const auto year_given = number(query, "year", 0, 1, 9998, faults);
    std::optional<year_month> spelt_out;
    std::optional<unsigned> month_given;
    if (const auto* text = given(query, "month")) {
        const std::string_view month{*text};
        if (month.size() > 5 && month[4] == '-') {
            const auto y = four_digits(month.substr(0, 4));
            const auto m = month_number(month.substr(5));
            if (y && m) spelt_out = year{*y} / static_cast<int>(*m);
        } else {
            month_given = month_number(month);
        }
        if (!spelt_out && !month_given) faults.pattern({"query", "month"}, kMonth, quoted(month));
    }
    if (faults.any()) return {};

    if (spelt_out) return bounds(*spelt_out);
    // The contract: only one of the two means the present month.
    if (has_year && month_given) return bounds(year{static_cast<int>(year_given)} / static_cast<int>(*month_given));
    return bounds(this_month);
}

}  // namespace api
