#include "api/body.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <utility>

#include "api/json_input.hpp"
#include "api/json_text.hpp"
#include "api/text.hpp"
#include "api/values.hpp"

namespace api {
namespace {

namespace json = boost::json;

/// `application/json; charset=utf-8`, `application/fhir+json`, or nothing said.
bool says_json(std::string_view content_type) {
    auto type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
    if (type.empty()) return true;
    std::string lower{type};
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lower.ends_with("/json") || (lower.find('/') != std::string::npos && lower.ends_with("+json"));
}

std::string quoted(std::string_view text) {
    std::string out;
    append_json(out, is_utf8(text) ? std::string{text} : with_valid_utf8(text));
    return out;
}

constexpr std::string_view kNoObject = "Input should be a valid dictionary or object to extract fields from";

}  // namespace

Body::Body(std::string_view text, std::string_view content_type, Faults& faults) : faults_(faults) {
    if (text.empty()) {
        faults_.missing({"body", {}}, "null");
        return;
    }
    if (!says_json(content_type)) {
        faults_.add({"body", {}}, "model_attributes_type", kNoObject, quoted(text));
        return;
    }
    auto parsed = parse_json(text, json::storage_ptr{&memory_}, faults_);
    if (!parsed) return;
    root_ = std::move(*parsed);
    if (root_.is_null()) {
        faults_.missing({"body", {}}, "null");
    } else if (!root_.is_object()) {
        faults_.add({"body", {}}, "model_attributes_type", kNoObject, input(root_));
    } else {
        object_ = &root_.get_object();
    }
}

std::optional<std::string> Body::text(std::string_view field, TextRule rule) {
    const bool must = rule.presence == Presence::required;
    const auto* value = must ? required(field) : find(field);
    if (!value || (!must && value->is_null())) return {};
    const auto* found = value->if_string();
    if (!found) {
        faults_.add({"body", field}, "string_type", "Input should be a valid string", input(*value));
        return {};
    }
    std::string_view content{found->data(), found->size()};
    const auto length = characters(content);
    if (length < rule.least) {
        faults_.too_short({"body", field}, rule.least, input(*value));
        return {};
    }
    if (rule.most != 0 && length > rule.most) {
        if (!rule.cut) {
            faults_.too_long({"body", field}, rule.most, input(*value));
            return {};
        }
        content = first_characters(content, rule.most);
    }
    // Databases end a text there.
    if (content.find('\0') != std::string_view::npos) {
        faults_.rule({"body", field}, "the character U+0000 is not allowed", input(*value));
        return {};
    }
    return std::string{content};
}

std::optional<std::int64_t> Body::whole_number(std::string_view field, WholeNumberRule rule) {
    const auto* value = find(field);
    if (!value || (rule.nullable && value->is_null())) return {};
    const Place place{"body", field};
    std::expected<std::int64_t, NotWhole> number = std::unexpected(NotWhole::not_a_number);
    if (const auto* whole = value->if_int64()) {
        number = *whole;
    } else if (value->is_uint64()) {
        number = std::unexpected(NotWhole::too_big);
    } else if (const auto* real = value->if_double()) {
        number = api::whole_number(*real);
    } else if (const auto* text = value->if_string()) {
        number = api::whole_number(std::string_view{text->data(), text->size()});
    } else {
        faults_.add(place, "int_type", "Input should be a valid integer", input(*value));
        return {};
    }
    if (number) {
        if (*number < rule.least) {
            faults_.too_small(place, rule.least, input(*value));
        } else if (*number > rule.most) {
            faults_.too_large(place, rule.most, input(*value));
        } else {
            return *number;
        }
        return {};
    }
    switch (number.error()) {
        case NotWhole::not_a_number:
            faults_.add(place, "int_parsing", "Input should be a valid integer, unable to parse string as an integer",
                        input(*value));
            break;
        case NotWhole::fraction:
            faults_.add(place, "int_from_float", "Input should be a valid integer, got a number with a fractional part",
                        input(*value));
            break;
        case NotWhole::too_big:
            if ((value->is_double() && value->get_double() < 0) ||
                (value->is_string() && value->get_string().find('-') != json::string::npos)) {
                faults_.too_small(place, rule.least, input(*value));
            } else {
                faults_.too_large(place, rule.most, input(*value));
            }
            break;
    }
    return {};
}

std::optional<double> Body::number(std::string_view field, NumberRule rule) {
    const auto* value = find(field);
    if (!value || value->is_null()) return {};
    const Place place{"body", field};
    if (!value->is_number()) {
        faults_.add(place, "float_type", "Input should be a valid number", input(*value));
        return {};
    }
    const auto number = value->to_number<double>();
    if (number < static_cast<double>(rule.least)) {
        faults_.too_small(place, rule.least, input(*value));
    } else if (number > static_cast<double>(rule.most)) {
        faults_.too_large(place, rule.most, input(*value));
    } else {
        return number;
    }
    return {};
}

std::optional<bool> Body::boolean(std::string_view field) {
    const auto* value = find(field);
    if (!value || value->is_null()) return {};
    if (const auto* truth = value->if_bool()) return *truth;
    faults_.add({"body", field}, "bool_type", "Input should be a valid boolean", input(*value));
    return {};
}

std::optional<std::string> Body::one_of(std::string_view field, std::span<const std::string_view> choices) {
    const auto* value = find(field);
    if (!value || value->is_null()) return {};
    if (const auto* text = value->if_string()) {
        const std::string_view given{text->data(), text->size()};
        if (std::ranges::find(choices, given) != choices.end()) return std::string{given};
    }
    std::string listed;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (i > 0) listed += i + 1 == choices.size() ? " or " : ", ";
        listed.append("'").append(choices[i]).append("'");
    }
    faults_.not_a_choice({"body", field}, listed, input(*value));
    return {};
}

std::optional<core::Time> Body::time(std::string_view field, const core::ZoneResolver& zone) {
    const auto* value = required(field);
    if (!value) return {};
    const Place place{"body", field};
    if (const auto* text = value->if_string()) {
        const auto given = time_from_text({text->data(), text->size()}, zone);
        if (given) return given->time;
        faults_.not_a_time(place, given.error(), input(*value));
        return {};
    }
    if (!value->is_number()) {
        faults_.add(place, "datetime_type", "Input should be a valid datetime", input(*value));
        return {};
    }
    const auto given =
        value->is_int64() ? time_from_unix(value->get_int64()) : time_from_unix(value->to_number<double>());
    if (given) return *given;
    std::string context;
    JsonObject{context}("error", given.error());
    faults_.add(place, "datetime_parsing", "Input should be a valid datetime, " + given.error(), input(*value),
                context);
    return {};
}

std::string Body::input() const {
    return input(root_);
}

bool Body::says(std::string_view field) const {
    return find(field) != nullptr;
}

std::string Body::input_of(std::string_view field) const {
    const auto* value = find(field);
    return value ? input(*value) : "null";
}

const json::value* Body::find(std::string_view field) const {
    return object_ ? object_->if_contains({field.data(), field.size()}) : nullptr;
}

const json::value* Body::required(std::string_view field) {
    const auto* value = find(field);
    if (!value && object_) faults_.missing({"body", field}, json::serialize(*object_));
    return value;
}

std::string Body::input(const json::value& value) {
    return json::serialize(value);
}

}  // namespace api
