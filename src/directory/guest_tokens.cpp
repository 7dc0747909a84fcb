#include "directory/guest_tokens.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <utility>

#include "consultation/session.hpp"

namespace directory {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongest = 1024;
constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"guest+jwt"})";

/// With the dot behind it.
const std::string& header_text() {
    static const std::string text = core::base64url(core::as_bytes(kHeader)) + ".";
    return text;
}

std::int64_t seconds_of(core::Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

auto refused() {
    return core::fail(core::ErrorKind::unauthenticated, "Invalid authentication credentials");
}

std::optional<std::string> text_in(const json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    if (!value || !value->is_string() || value->get_string().empty()) return {};
    return std::string{value->get_string()};
}

}  // namespace

GuestTokens::GuestTokens(std::string_view secret, const service::TokenVerifier& others, const core::Clock& clock)
    : key_(core::hmac_sha256(core::as_bytes(secret), core::as_bytes("video-consultation guests v1"))),
      others_(others),
      clock_(clock) {}

std::string GuestTokens::signature_of(std::string_view text) const {
    return core::base64url(core::hmac_sha256(key_, core::as_bytes(text)));
}

core::Result<service::Caller> GuestTokens::verify(std::string_view token) const {
    if (!token.starts_with(header_text())) return others_.verify(token);
    const auto dot = token.rfind('.');
    if (token.size() > kLongest || dot < header_text().size()) return refused();
    const auto signature = signature_of(token.substr(0, dot));
    if (!core::equal_in_constant_time(core::as_bytes(signature), core::as_bytes(token.substr(dot + 1)))) {
        return refused();
    }
    const auto payload = core::from_base64url(token.substr(header_text().size(), dot - header_text().size()));
    if (!payload) return refused();
    boost::system::error_code failed;
    const auto claims = json::parse(core::as_text(*payload), failed);
    const auto* object = failed ? nullptr : claims.if_object();
    if (!object) return refused();
    const auto guest = text_in(*object, "user_id");
    const auto session = text_in(*object, "session_id");
    const auto* expires = object->if_contains("exp");
    if (!guest || !session || !expires || !expires->is_int64()) return refused();
    if (expires->get_int64() <= seconds_of(clock_.now())) return refused();
    service::Caller caller;
    caller.user_id = *guest;
    caller.role = to_text(consultation::Role::guest);
    caller.guest_of = *session;
    return caller;
}

service::IssuedToken GuestTokens::issue_guest(const std::string& session_id, const std::string& guest_id,
                                              core::Time expires_at) const {
    const json::object claims{{"sub", guest_id},
                              {"user_id", guest_id},
                              {"role", to_text(consultation::Role::guest)},
                              {"session_id", session_id},
                              {"iat", seconds_of(clock_.now())},
                              {"exp", seconds_of(expires_at)}};
    const auto text = json::serialize(claims);
    auto token = header_text() + core::base64url(core::as_bytes(text));
    auto signature = signature_of(token);
    token.append(".").append(signature);
    return {std::move(token), std::chrono::floor<std::chrono::seconds>(expires_at)};
}

}  // namespace directory
