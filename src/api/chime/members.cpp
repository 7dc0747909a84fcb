#include "api/chime/members.hpp"

#include <algorithm>

#include "api/text.hpp"

namespace api::chime {
namespace {

namespace json = boost::json;

/// The first character of a valid UTF-8 text, which loses it.
char32_t next_character(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t character = size == 1 ? lead : lead & (0x7fU >> size);
    for (const char c : text.substr(1, size - 1)) character = character << 6 | (static_cast<unsigned char>(c) & 0x3fU);
    text.remove_prefix(std::min(size, text.size()));
    return character;
}

bool all_allowed(std::string_view text, bool (*allows)(char32_t)) {
    while (!text.empty()) {
        if (!allows(next_character(text))) return false;
    }
    return true;
}

bool begins_with_aws(std::string_view text) {
    constexpr std::string_view kReserved = "aws:";
    return text.size() >= kReserved.size() &&
           std::ranges::equal(text.substr(0, kReserved.size()), kReserved, {},
                              [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}

}  // namespace

void Complaint::about(std::string_view path, std::string_view constraint) {
    if (any()) return;
    text_ = "1 validation error detected: Value at '";
    text_.append(path).append("' failed to satisfy constraint: Member must ").append(constraint);
}

bool obeys(std::string_view text, const TextRule& rule, std::string_view path, Complaint& complaint) {
    const auto size = characters(text);
    if (size < rule.least) {
        complaint.about(path, "have length greater than or equal to " + std::to_string(rule.least));
    } else if (size > rule.most) {
        complaint.about(path, "have length less than or equal to " + std::to_string(rule.most));
    } else if (rule.allows != nullptr && !all_allowed(text, rule.allows)) {
        complaint.about(path, "satisfy the regular expression pattern of the API reference");
    } else if (rule.aws_is_reserved && begins_with_aws(text)) {
        complaint.about(path, "not begin with 'aws:', which is reserved");
    } else {
        return true;
    }
    return false;
}

std::string Members::path_of(std::string_view name) const {
    return path_.empty() ? std::string{name} : path_ + "." + std::string{name};
}

const json::value* Members::find(std::string_view name, Need need) {
    const auto* const found = object_.if_contains({name.data(), name.size()});
    if (found != nullptr && !found->is_null()) return found;
    if (need == Need::required) complaint_.about(path_of(name), "not be null");
    return nullptr;
}

std::string Members::text(std::string_view name, const TextRule& rule, Need need) {
    const auto* const found = find(name, need);
    if (found == nullptr) return {};
    const auto* const text = found->if_string();
    if (text == nullptr) {
        complaint_.about(path_of(name), "be a string");
        return {};
    }
    std::string value{text->data(), text->size()};
    return obeys(value, rule, path_of(name), complaint_) ? value : std::string{};
}

std::string Members::choice(std::string_view name, std::initializer_list<std::string_view> known, Need need) {
    const auto* const found = find(name, need);
    if (found == nullptr) return {};
    const auto* const text = found->if_string();
    const auto* const place = text == nullptr ? known.end() : std::ranges::find(known, std::string_view{*text});
    if (place != known.end()) return std::string{*place};
    std::string constraint = "satisfy enum value set: [";
    for (const auto value : known) constraint.append(value == *known.begin() ? "" : ", ").append(value);
    complaint_.about(path_of(name), constraint + "]");
    return {};
}

std::optional<std::int64_t> Members::number(std::string_view name, std::int64_t least, std::int64_t most) {
    const auto* const found = find(name, Need::optional);
    if (found == nullptr) return {};
    const auto* const number = found->if_int64();
    if (number != nullptr && *number >= least && *number <= most) return *number;
    complaint_.about(path_of(name), "have value between " + std::to_string(least) + " and " + std::to_string(most));
    return {};
}

std::optional<bool> Members::boolean(std::string_view name) {
    const auto* const found = find(name, Need::optional);
    if (found == nullptr) return {};
    if (const auto* const value = found->if_bool()) return *value;
    complaint_.about(path_of(name), "be true or false");
    return {};
}

const json::object* Members::object(std::string_view name, Need need) {
    const auto* const found = find(name, need);
    if (found == nullptr) return nullptr;
    const auto* const object = found->if_object();
    if (object == nullptr) complaint_.about(path_of(name), "be a structure");
    return object;
}

const json::array* Members::array(std::string_view name, std::size_t least, std::size_t most, Need need) {
    const auto* const found = find(name, need);
    if (found == nullptr) return nullptr;
    const auto* const array = found->if_array();
    if (array == nullptr) {
        complaint_.about(path_of(name), "be a list");
    } else if (array->size() < least || array->size() > most) {
        complaint_.about(path_of(name),
                         "have length between " + std::to_string(least) + " and " + std::to_string(most));
        return nullptr;
    }
    return array;
}

}  // namespace api::chime
