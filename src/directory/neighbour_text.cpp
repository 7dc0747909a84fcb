#include "directory/neighbour_text.hpp"

#include <boost/json/serialize.hpp>

namespace directory {
namespace json = boost::json;
namespace {

constexpr std::size_t kMaxName = 256;
constexpr std::string_view kBlank = " \t\r\n";

bool is_unreserved(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
           c == '~';
}

}  // namespace

std::string address_of(std::string_view base, std::string_view path, std::string_view id) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string address{base.substr(0, base.find_last_not_of('/') + 1)};
    address += path;
    // A step of nothing but dots would mean another place.
    const bool only_dots = id.find_first_not_of('.') == std::string_view::npos;
    for (const char c : id) {
        if (is_unreserved(c) || (c == '.' && !only_dots)) {
            address += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        address += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    return address;
}

std::optional<std::string> name_in(const json::object& object, std::string_view member) {
    const auto* value = object.if_contains({member.data(), member.size()});
    if (value == nullptr || !value->is_string()) return {};
    std::string_view text = value->get_string();
    const auto begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return {};
    text = text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
    if (text.size() > kMaxName) return {};
    return std::string{text};
}

std::optional<std::string> id_in(const json::object& object, std::string_view member) {
    const auto* value = object.if_contains({member.data(), member.size()});
    if (value == nullptr) return {};
    if (value->is_int64() || value->is_uint64()) return json::serialize(*value);
    return name_in(object, member);
}

}  // namespace directory
