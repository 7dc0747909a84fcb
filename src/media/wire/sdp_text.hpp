// Small tools for reading lines of session descriptions. For sdp.cpp. Any thread.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace media::wire::detail {

/// Takes everything up to the separator off the front of `text`; all of it when there is none.
constexpr std::string_view take_until(std::string_view& text, char separator) {
    const auto end = text.find(separator);
    const auto head = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return head;
}

/// Takes the next word off; words stand between spaces. Empty at the end.
constexpr std::string_view take_word(std::string_view& text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return take_until(text, ' ');
}

/// The whole text as a decimal number that fits, or null.
template <class Number>
std::optional<Number> to_number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

constexpr bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// RFC 8866 section 9, `token-char`.
constexpr bool is_token_char(char c) {
    return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`{|}~").find(c) != std::string_view::npos;
}

/// RFC 8839 section 5.4, `ice-char`.
constexpr bool is_ice_char(char c) {
    return is_alphanumeric(c) || c == '+' || c == '/';
}

}  // namespace media::wire::detail
