#include "directory/jwt_verifier.hpp"

#include <jwt.h>

#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/bytes.hpp"
#include "directory/strict_object.hpp"

namespace directory {
namespace json = boost::json;
namespace {

constexpr std::string_view kBadToken = "Invalid authentication credentials";
constexpr std::string_view kBadPayload = "Invalid token payload";

std::unexpected<core::Error> refuse(std::string_view detail) {
    return core::fail(core::ErrorKind::unauthenticated, std::string{detail});
}

jwt_alg_t native(JwtAlgorithm algorithm) {
    switch (algorithm) {
        case JwtAlgorithm::hs256:
            return JWT_ALG_HS256;
        case JwtAlgorithm::hs384:
            return JWT_ALG_HS384;
        case JwtAlgorithm::hs512:
            return JWT_ALG_HS512;
    }
    return JWT_ALG_INVAL;
}

struct Free {
    void operator()(jwt_t* token) const { jwt_free(token); }
    void operator()(char* text) const { std::free(text); }
};
using Jwt = std::unique_ptr<jwt_t, Free>;

const unsigned char* key_of(const std::string& secret) {
    return reinterpret_cast<const unsigned char*>(secret.data());
}

struct Parts {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
};

std::optional<Parts> split(std::string_view token) {
    const auto first = token.find('.');
    if (first == std::string_view::npos) return {};
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos) return {};
    const Parts parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1)};
    if (parts.header.empty() || parts.payload.empty() || parts.signature.empty()) return {};
    return parts;  // A third dot is no base64url character.
}

std::optional<json::object> decode(std::string_view part) {
    const auto bytes = core::from_base64url(part);
    if (!bytes) return {};
    return parse_strict_object(core::as_text(*bytes));
}

bool is_integer(const json::value& value) {
    return value.is_int64() || value.is_uint64();
}

// NumericDate: seconds, possibly with a fraction (RFC 7519 section 2).
std::optional<double> numeric_date(const json::value& value) {
    if (!value.is_number()) return {};
    const auto seconds = value.to_number<double>();
    return std::isfinite(seconds) ? std::optional{seconds} : std::nullopt;
}

// When the token holds by `exp` and `nbf`; nullopt when the claims about time break a rule.
std::optional<CallerCache::Validity> validity_of(const json::object& claims) {
    const auto* expires = claims.if_contains("exp");
    const auto until = expires ? numeric_date(*expires) : std::nullopt;
    if (!until) return {};
    std::optional<double> from{0};
    if (const auto* not_before = claims.if_contains("nbf")) from = numeric_date(*not_before);
    const auto* issued = claims.if_contains("iat");
    if (!from || (issued != nullptr && !is_integer(*issued))) return {};
    return CallerCache::Validity{*from, *until};
}

bool is_sane(std::string_view text, std::size_t limit) {
    return !text.empty() && text.size() <= limit && text.find('\0') == std::string_view::npos;
}

}  // namespace

std::optional<JwtAlgorithm> jwt_algorithm_from(std::string_view text) {
    for (const auto algorithm : {JwtAlgorithm::hs256, JwtAlgorithm::hs384, JwtAlgorithm::hs512}) {
        if (text == to_text(algorithm)) return algorithm;
    }
    return {};
}

std::string_view to_text(JwtAlgorithm algorithm) {
    switch (algorithm) {
        case JwtAlgorithm::hs256:
            return "HS256";
        case JwtAlgorithm::hs384:
            return "HS384";
        case JwtAlgorithm::hs512:
            return "HS512";
    }
    return "";
}

JwtVerifier::JwtVerifier(JwtSettings settings, const core::Clock& clock)
    : settings_(std::move(settings)), clock_(clock) {
    if (settings_.secret.empty()) throw std::invalid_argument("the secret for tokens is empty");
}

core::Result<service::Caller> JwtVerifier::verify(std::string_view token) const {
    if (token.size() > kMaxToken) return refuse(kBadToken);
    const auto digest = core::sha256(core::as_bytes(token));
    const auto now = std::chrono::duration<double>(clock_.now().time_since_epoch()).count();
    if (auto known = known_.find(digest, now)) return std::move(*known);

    const auto parts = split(token);
    if (!parts || !core::from_base64url(parts->signature)) return refuse(kBadToken);
    const auto header = decode(parts->header);
    if (!header) return refuse(kBadToken);
    const auto* algorithm = header->if_contains("alg");
    const auto wanted = to_text(settings_.algorithm);
    if (!algorithm || !algorithm->is_string() || std::string_view{algorithm->get_string()} != wanted) {
        return refuse(kBadToken);
    }
    // RFC 7515 section 4.1.11: extensions that we would have to understand, and do not.
    if (header->contains("crit")) return refuse(kBadToken);

    jwt_t* decoded = nullptr;
    const std::string text{token};
    const int failed = jwt_decode(&decoded, text.c_str(), key_of(settings_.secret), int(settings_.secret.size()));
    const Jwt owned{decoded};
    if (failed != 0 || jwt_get_alg(decoded) != native(settings_.algorithm)) return refuse(kBadToken);

    const auto claims = decode(parts->payload);
    if (!claims || claims->contains("aud")) return refuse(kBadToken);
    const auto validity = validity_of(*claims);
    if (!validity || now < validity->from || now >= validity->until) return refuse(kBadToken);

    service::Caller caller;
    if (const auto* subject = claims->if_contains("sub")) {
        if (!subject->is_string()) return refuse(kBadToken);
        caller.user_id = subject->get_string();
    } else if (const auto* user = claims->if_contains("user_id")) {
        if (user->is_string()) caller.user_id = user->get_string();
        if (is_integer(*user)) caller.user_id = json::serialize(*user);
    }
    if (const auto* role = claims->if_contains("role"); role && role->is_string()) caller.role = role->get_string();
    if (!is_sane(caller.user_id, kMaxId) || !is_sane(caller.role, kMaxId)) return refuse(kBadPayload);
    known_.put(digest, caller, *validity);
    return caller;
}

std::string JwtVerifier::mint(const service::Caller& caller, std::chrono::seconds life) const {
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
    jwt_t* made = nullptr;
    if (jwt_new(&made) != 0) throw std::bad_alloc();
    const Jwt token{made};
    int failed = jwt_set_alg(made, native(settings_.algorithm), key_of(settings_.secret), int(settings_.secret.size()));
    failed |= jwt_add_grant(made, "user_id", caller.user_id.c_str());
    failed |= jwt_add_grant(made, "role", caller.role.c_str());
    failed |= jwt_add_grant_int(made, "iat", now);
    failed |= jwt_add_grant_int(made, "exp", now + life.count());
    const std::unique_ptr<char, Free> text{failed == 0 ? jwt_encode_str(made) : nullptr};
    if (!text) throw std::runtime_error("a token could not be made");
    return text.get();
}

}  // namespace directory
