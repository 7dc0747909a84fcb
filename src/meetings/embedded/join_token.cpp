#include "meetings/embedded/join_token.hpp"

#include <algorithm>

namespace meetings::embedded {
namespace {

constexpr std::string_view kContentSuffix = "#content";

core::Sha256 keyed(const core::Sha256& key, std::string_view purpose, std::string_view a, std::string_view b) {
    std::string text;
    text.append(purpose).append(1, '\0').append(a).append(1, '\0').append(b);
    return core::hmac_sha256(key, core::as_bytes(text));
}

/// The first 16 bytes, dressed as a version 4 UUID.
std::string as_uuid(core::Sha256 hash) {
    hash[6] = static_cast<std::uint8_t>((hash[6] & 0x0f) | 0x40);
    hash[8] = static_cast<std::uint8_t>((hash[8] & 0x3f) | 0x80);
    auto text = core::hex(core::BytesView{hash}.first(16));
    for (const std::size_t place : {8u, 13u, 18u, 23u}) text.insert(place, 1, '-');
    return text;
}

std::string to_uuid_text(core::BytesView raw) {
    auto text = core::hex(raw);
    for (const std::size_t place : {8u, 13u, 18u, 23u}) text.insert(place, 1, '-');
    return text;
}

core::Bytes uuid_bytes(std::string_view uuid) {
    core::Bytes raw;
    int high = -1;
    for (const char c : uuid) {
        if (c == '-') continue;
        const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
        if (high < 0) {
            high = digit;
        } else {
            raw.push_back(static_cast<std::uint8_t>(high << 4 | digit));
            high = -1;
        }
    }
    return raw;
}

}  // namespace

JoinTokens::JoinTokens(std::string_view secret)
    : key_(core::hmac_sha256(core::as_bytes(secret), core::as_bytes("video-consultation meetings v1"))) {}

std::string JoinTokens::meeting_id(std::string_view session_id, int generation) const {
    return as_uuid(keyed(key_, "meeting", session_id, std::to_string(generation)));
}

std::string JoinTokens::attendee_id(std::string_view meeting_id, std::string_view external_user_id) const {
    return as_uuid(keyed(key_, "attendee", meeting_id, external_user_id));
}

std::string JoinTokens::token(std::string_view meeting_id, std::string_view attendee_id) const {
    return core::base64url(uuid_bytes(attendee_id)) + "." +
           core::base64url(keyed(key_, "token", meeting_id, attendee_id));
}

std::optional<JoinTokens::Bearer> JoinTokens::verify(std::string_view meeting_id, std::string_view token) const {
    Bearer bearer;
    if (token.ends_with(kContentSuffix)) {
        bearer.content = true;
        token.remove_suffix(kContentSuffix.size());
    }
    const auto dot = token.find('.');
    if (dot == std::string_view::npos) return {};
    const auto id = core::from_base64url(token.substr(0, dot));
    const auto seal = core::from_base64url(token.substr(dot + 1));
    if (!id || id->size() != 16 || !seal) return {};
    bearer.attendee_id = to_uuid_text(*id);
    if (!core::equal_in_constant_time(*seal, keyed(key_, "token", meeting_id, bearer.attendee_id))) return {};
    return bearer;
}

}  // namespace meetings::embedded
