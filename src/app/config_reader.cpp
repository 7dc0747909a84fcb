#include "app/config_reader.hpp"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "app/settings.hpp"
#include "net/address_ranges.hpp"

namespace app {
namespace {

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
    });
}

bool is_bracketed(std::string_view text) {
    return text.size() > 2 && text.front() == '[' && text.back() == ']' &&
           text.substr(1, text.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

constexpr std::size_t kLargestSecret = 64 * 1024;

/// The first line.
std::optional<std::string> secret_in(const std::string& path) {
    std::error_code failed;
    if (std::filesystem::file_size(path, failed) > kLargestSecret || failed) return {};
    std::ifstream file(path, std::ios::binary);
    std::string text;
    if (!std::getline(file, text)) return {};
    if (text.ends_with('\r')) text.pop_back();
    return text.empty() ? std::nullopt : std::optional{std::move(text)};
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    return failed == std::errc{} && stop == text.data() + text.size() && port > 0;
}

}  // namespace

void Reader::complain(std::string_view name, std::string_view wanted) {
    if (std::ranges::find(named_, name) != named_.end()) return;
    named_.emplace_back(name);
    if (!complaints_.empty()) complaints_ += "\n";
    complaints_.append(name).append(": expected ").append(wanted);
}

std::optional<std::string> Reader::find(std::string_view name) {
    const auto* setting = find_setting(name);
    if (!setting) throw std::logic_error(std::string{name} + " is read, but not in src/app/settings.cpp");
    auto value = environment_.find(name);
    if (!has_file(*setting)) return value;
    const auto file = std::string{name} + "_FILE";
    const auto path = environment_.find(file);
    if (!path) return value;
    if (value) {
        complain(file, "to be set instead of " + std::string{name} + ", not with it");
        return value;
    }
    value = secret_in(*path);
    if (!value) complain(file, "a file that can be read, whose first line is what " + std::string{name} + " would be");
    return value;
}

std::optional<std::string> parse_host(std::string_view text) {
    if (const auto address = net::parse_address(text)) return address->to_string();
    if (!is_host(text)) return {};
    // All digits and dots, and yet no address: a slip of the hand, not a name.
    if (text.find_first_not_of("0123456789.") == std::string_view::npos) return {};
    return std::string{text};
}

std::optional<Place> parse_place(std::string_view text) {
    while (text.ends_with('/')) text.remove_suffix(1);
    Place place;
    place.url = text;
    for (const std::string_view scheme : {"http", "https"}) {
        if (text.starts_with(std::string{scheme} + "://")) place.scheme = scheme;
    }
    if (!place.scheme.empty()) text.remove_prefix(place.scheme.size() + 3);
    const auto slash = text.find('/');
    if (slash != std::string_view::npos) {
        if (place.scheme.empty()) return {};
        const auto path = text.substr(slash);
        if (path.find_first_of("?#\" \\") != std::string_view::npos) return {};
    }
    auto authority = text.substr(0, slash);
    // Behind the last bracket, as IPv6 addresses are full of colons.
    const auto bracket = authority.rfind(']');
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos) {
        if (place.scheme.empty() || !is_port(authority.substr(colon + 1))) return {};
        authority = authority.substr(0, colon);
    }
    if (is_bracketed(authority)) {
        place.host = authority.substr(1, authority.size() - 2);
    } else if (is_host(authority)) {
        place.host = authority;
    } else {
        return {};
    }
    return place;
}

}  // namespace app
