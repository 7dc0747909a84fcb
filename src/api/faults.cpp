#include "api/faults.hpp"

#include "api/json_text.hpp"

namespace api {
namespace {

std::string context(std::string_view name, auto value) {
    std::string out;
    JsonObject{out}(name, value);
    return out;
}

std::string plural(std::string_view least_or_most, std::size_t count) {
    return "String should have " + std::string{least_or_most} + ' ' + std::to_string(count) +
           (count == 1 ? " character" : " characters");
}

}  // namespace

void Faults::add(Place place, std::string_view type, std::string_view message, std::string_view input,
                 std::string_view ctx) {
    if (!list_.empty()) list_ += ',';
    JsonObject fault{list_};
    fault("type", type);
    auto& location = fault.key("loc");
    location += '[';
    append_json(location, place.part);
    if (!place.field.empty()) {
        location += ',';
        append_json(location, place.field);
    }
    location += ']';
    fault("msg", message);
    fault.key("input") += input;
    if (!ctx.empty()) fault.key("ctx") += ctx;
}

void Faults::missing(Place place, std::string_view input) {
    add(place, "missing", "Field required", input);
}

void Faults::too_short(Place place, std::size_t least, std::string_view input) {
    add(place, "string_too_short", plural("at least", least), input, context("min_length", least));
}

void Faults::too_long(Place place, std::size_t most, std::string_view input) {
    add(place, "string_too_long", plural("at most", most), input, context("max_length", most));
}

void Faults::too_small(Place place, std::int64_t least, std::string_view input) {
    add(place, "greater_than_equal", "Input should be greater than or equal to " + std::to_string(least), input,
        context("ge", least));
}

void Faults::too_large(Place place, std::int64_t most, std::string_view input) {
    add(place, "less_than_equal", "Input should be less than or equal to " + std::to_string(most), input,
        context("le", most));
}

void Faults::not_a_choice(Place place, std::string_view choices, std::string_view input) {
    add(place, "enum", "Input should be " + std::string{choices}, input, context("expected", choices));
}

void Faults::rule(Place place, std::string_view message, std::string_view input) {
    add(place, "value_error", "Value error, " + std::string{message}, input, R"({"error":{}})");
}

void Faults::pattern(Place place, std::string_view pattern, std::string_view input) {
    add(place, "string_pattern_mismatch", "String should match pattern '" + std::string{pattern} + "'", input,
        context("pattern", pattern));
}

void Faults::not_a_time(Place place, std::string_view why, std::string_view input) {
    add(place, "datetime_from_date_parsing", "Input should be a valid datetime or date, " + std::string{why}, input,
        context("error", why));
}

void Faults::bad_json(std::size_t offset, std::string_view why) {
    if (!list_.empty()) list_ += ',';
    JsonObject fault{list_};
    fault("type", "json_invalid");
    fault.key("loc") += "[\"body\"," + std::to_string(offset) + ']';
    fault("msg", "JSON decode error");
    fault.key("input") += "{}";
    fault.key("ctx") += context("error", why);
}

}  // namespace api
