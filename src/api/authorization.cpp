#include "api/authorization.hpp"

#include <algorithm>

#include "core/bytes.hpp"

namespace api {

bool Authorization::is(std::string_view lower) const {
    return std::ranges::equal(scheme, lower, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

Authorization authorization_of(const net::Request& request) {
    const auto value = request.header("Authorization");
    const auto space = std::min(value.find(' '), value.size());
    auto credentials = value.substr(space);
    while (credentials.starts_with(' ')) credentials.remove_prefix(1);
    while (credentials.ends_with(' ')) credentials.remove_suffix(1);
    return {value.substr(0, space), credentials};
}

std::optional<std::string> basic_password(std::string_view credentials) {
    // The two alphabets of RFC 4648 differ in two characters, and in the padding.
    std::string url{credentials};
    while (url.ends_with('=')) url.pop_back();
    std::ranges::replace(url, '+', '-');
    std::ranges::replace(url, '/', '_');
    const auto decoded = core::from_base64url(url);
    if (!decoded) return {};
    const auto text = core::as_text(*decoded);
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return {};
    return std::string{text.substr(colon + 1)};
}

bool same_secret(std::string_view given, std::string_view wanted) {
    // Hashes are of one length, so that the length does not show either.
    return core::equal_in_constant_time(core::sha256(core::as_bytes(given)), core::sha256(core::as_bytes(wanted)));
}

}  // namespace api
