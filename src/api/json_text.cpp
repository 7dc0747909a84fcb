#include "api/json_text.hpp"

#include <cstdint>
#include <cstring>

namespace api {
namespace {

bool needs_escape(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/// The same for eight characters at once: nearly all texts need nothing.
bool any_needs_escape(const char* eight) {
    constexpr std::uint64_t kOnes = 0x0101010101010101, kHighBits = 0x8080808080808080;
    std::uint64_t word;
    std::memcpy(&word, eight, sizeof word);
    // Classic tests for a byte below n, and for a zero byte; a false alarm only costs the slow way.
    const auto below = [&](std::uint64_t n) { return (word - kOnes * n) & ~word & kHighBits; };
    const auto equals = [&](std::uint64_t c) {
        const auto difference = word ^ (kOnes * c);
        return (difference - kOnes) & ~difference & kHighBits;
    };
    return (below(0x20) | equals('"') | equals('\\') | equals(0x7f)) != 0;
}

void append_escaped(std::string& out, char c) {
    static constexpr char kHex[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            out += "\\u00";
            out += kHex[static_cast<unsigned char>(c) >> 4];
            out += kHex[c & 15];
    }
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
    out += '"';
    std::size_t copied = 0, at = 0;
    while (at < text.size()) {
        if (at + 8 <= text.size() && !any_needs_escape(text.data() + at)) {
            at += 8;
        } else if (needs_escape(text[at])) {
            out.append(text, copied, at - copied);
            append_escaped(out, text[at]);
            copied = ++at;
        } else {
            ++at;
        }
    }
    out.append(text, copied);
    out += '"';
}

}  // namespace api
