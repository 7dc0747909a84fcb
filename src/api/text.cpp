#include "api/text.hpp"

#include <algorithm>

namespace api {
namespace {

/// More parameters than any endpoint knows are not looked at.
constexpr std::size_t kMostParameters = 64;
constexpr std::size_t kLongestId = 100;

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The byte behind `%` at the front of the text, or -1.
int escape_at(std::string_view text) {
    if (text.size() < 3) return -1;
    const int high = nibble(text[1]), low = nibble(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// Length of the UTF-8 sequence (RFC 3629) at the front, or 0.
std::size_t sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    // Overlong forms, surrogates and code points above U+10FFFF.
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) >= 0xa0) || (lead == 0xf0 && byte(1) < 0x90) ||
        (lead == 0xf4 && byte(1) >= 0x90)) {
        return 0;
    }
    return length;
}

std::string form_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int escaped = text[i] == '%' ? escape_at(text.substr(i)) : -1;
        if (escaped >= 0) {
            out.push_back(static_cast<char>(escaped));
            i += 2;
        } else {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return is_utf8(out) ? out : with_valid_utf8(out);
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const int escaped = escape_at(text.substr(i));
        if (escaped < 0) return {};
        out.push_back(static_cast<char>(escaped));
        i += 2;
    }
    return out;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string with_valid_utf8(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto length = sequence(text);
        out.append(length == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(0, length));
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string_view first_characters(std::string_view text, std::size_t count) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && count-- == 0) return text.substr(0, i);
    }
    return text;
}

bool can_be_an_id(std::string_view text) {
    return !text.empty() && text.size() <= kLongestId && text.find('\0') == std::string_view::npos && is_utf8(text);
}

QueryString::QueryString(std::string_view text) {
    while (!text.empty() && pairs_.size() < kMostParameters) {
        const auto end = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        pairs_.emplace_back(form_decoded(pair.substr(0, equals)),
                            form_decoded(pair.substr(std::min(equals + 1, pair.size()))));
    }
}

const std::string* QueryString::find(std::string_view name) const {
    for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
        if (pair->first == name) return &pair->second;
    }
    return nullptr;
}

}  // namespace api
