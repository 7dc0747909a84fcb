#include "directory/jwt_verifier.hpp"

#include <jwt.h>

#include <algorithm>
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
constexpr std::size_t kMaxEmail = 320;
constexpr std::size_t kMaxName = 200;

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
        case JwtAlgorithm::rs256:
            return JWT_ALG_RS256;
        case JwtAlgorithm::es256:
            return JWT_ALG_ES256;
    }
    return JWT_ALG_INVAL;
}

struct Free {
    void operator()(jwt_t* token) const { jwt_free(token); }
    void operator()(char* text) const { std::free(text); }
};
using Jwt = std::unique_ptr<jwt_t, Free>;

const unsigned char* bytes_of(const std::string& key) {
    return reinterpret_cast<const unsigned char*>(key.data());
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

/// Whom the claims speak of, as far as they do.
service::Caller caller_of(const json::object& claims) {
    service::Caller caller;
    if (const auto* subject = claims.if_contains("sub")) {
        caller.user_id = subject->get_string();
    } else if (const auto* user = claims.if_contains("user_id")) {
        if (user->is_string()) caller.user_id = user->get_string();
        if (is_integer(*user)) caller.user_id = json::serialize(*user);
    }
    if (const auto* role = claims.if_contains("role"); role && role->is_string()) caller.role = role->get_string();
    return caller;
}

bool is_sane(std::string_view text, std::size_t limit) {
    return !text.empty() && text.size() <= limit && text.find('\0') == std::string_view::npos;
}

std::optional<std::string> sane_text(const json::object& claims, std::string_view name, std::size_t limit) {
    const auto* value = claims.if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_string() || !is_sane(value->get_string(), limit)) return {};
    return std::string{value->get_string()};
}

/// A token with these claims; values and key are the caller's until `text` has been called.
class Minting {
  public:
    Minting(JwtAlgorithm algorithm, const std::string& secret) {
        jwt_t* made = nullptr;
        if (jwt_new(&made) != 0) throw std::bad_alloc();
        token_.reset(made);
        failed_ |= jwt_set_alg(made, native(algorithm), bytes_of(secret), int(secret.size()));
    }
    Minting& claim(const char* name, const std::string& value) {
        failed_ |= jwt_add_grant(token_.get(), name, value.c_str());
        return *this;
    }
    Minting& claim(const char* name, std::chrono::seconds since_1970) {
        failed_ |= jwt_add_grant_int(token_.get(), name, since_1970.count());
        return *this;
    }
    /// Nullopt when a claim could not be put in.
    std::optional<std::string> text() {
        const std::unique_ptr<char, Free> text{failed_ == 0 ? jwt_encode_str(token_.get()) : nullptr};
        if (!text) return {};
        return std::string{text.get()};
    }

  private:
    Jwt token_;
    int failed_ = 0;
};

}  // namespace

std::optional<JwtAlgorithm> jwt_algorithm_from(std::string_view text) {
    for (const auto algorithm :
         {JwtAlgorithm::hs256, JwtAlgorithm::hs384, JwtAlgorithm::hs512, JwtAlgorithm::rs256, JwtAlgorithm::es256}) {
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
        case JwtAlgorithm::rs256:
            return "RS256";
        case JwtAlgorithm::es256:
            return "ES256";
    }
    return "";
}

bool has_public_keys(JwtAlgorithm algorithm) {
    return algorithm == JwtAlgorithm::rs256 || algorithm == JwtAlgorithm::es256;
}

/// What a good token says.
struct JwtVerifier::Claims {
    service::Identity identity;
    CallerCache::Validity validity;
};

JwtVerifier::JwtVerifier(JwtSettings settings, const core::Clock& clock)
    : settings_(std::move(settings)), clock_(clock) {
    if (has_public_keys(settings_.algorithm)) {
        if (settings_.keys == nullptr) throw std::invalid_argument("there are no public keys for tokens");
        settings_.secret.clear();
    } else {
        if (settings_.secret.empty()) throw std::invalid_argument("the secret for tokens is empty");
        settings_.keys = nullptr;
    }
}

core::Result<service::Caller> JwtVerifier::verify(std::string_view token) const {
    if (token.size() > kMaxToken) return refuse(kBadToken);
    const auto digest = core::sha256(core::as_bytes(token));
    const auto now = std::chrono::duration<double>(clock_.now().time_since_epoch()).count();
    const auto generation = settings_.keys ? settings_.keys->generation() : 0;
    if (auto known = known_.find(digest, now, generation)) return std::move(*known);
    auto claims = examine(token, std::chrono::seconds{0});
    if (!claims) return std::unexpected(std::move(claims.error()));
    known_.put(digest, claims->identity.caller, claims->validity, generation);
    return std::move(claims->identity.caller);
}

core::Result<service::Identity> JwtVerifier::recognise(std::string_view token, std::chrono::seconds grace) const {
    auto claims = examine(token, std::max(grace, std::chrono::seconds{0}));
    if (!claims) return std::unexpected(std::move(claims.error()));
    return std::move(claims->identity);
}

core::Result<JwtVerifier::Claims> JwtVerifier::examine(std::string_view token, std::chrono::seconds grace) const {
    if (token.size() > kMaxToken) return refuse(kBadToken);
    const auto parts = split(token);
    if (!parts || !core::from_base64url(parts->signature)) return refuse(kBadToken);
    const auto header = decode(parts->header);
    if (!header || !is_signed(*header, token)) return refuse(kBadToken);

    const auto claims = decode(parts->payload);
    if (!claims || claims->contains("aud")) return refuse(kBadToken);
    const auto validity = validity_of(*claims);
    const auto now = std::chrono::duration<double>(clock_.now().time_since_epoch()).count();
    if (!validity || now < validity->from || now >= validity->until + double(grace.count())) return refuse(kBadToken);
    if (const auto* subject = claims->if_contains("sub"); subject && !subject->is_string()) return refuse(kBadToken);

    auto caller = caller_of(*claims);
    if (!is_sane(caller.user_id, kMaxId) || !is_sane(caller.role, kMaxId)) return refuse(kBadPayload);
    return Claims{{std::move(caller), sane_text(*claims, "email", kMaxEmail), sane_text(*claims, "name", kMaxName)},
                  *validity};
}

bool JwtVerifier::is_signed(const json::object& header, std::string_view token) const {
    const auto wanted = to_text(settings_.algorithm);
    const auto* algorithm = header.if_contains("alg");
    if (!algorithm || !algorithm->is_string() || std::string_view{algorithm->get_string()} != wanted) return false;
    // RFC 7515 section 4.1.11: extensions that we would have to understand, and do not.
    if (header.contains("crit")) return false;

    const auto current = settings_.keys ? settings_.keys->current() : PublicKeys::Current{};
    const std::string* key = &settings_.secret;
    if (current.set) {
        key = public_key(*current.set, header);
        if (key == nullptr) return false;
    }
    jwt_t* decoded = nullptr;
    const std::string text{token};
    const int failed = jwt_decode(&decoded, text.c_str(), bytes_of(*key), int(key->size()));
    const Jwt owned{decoded};
    return failed == 0 && jwt_get_alg(decoded) == native(settings_.algorithm);
}

/// The key that the token names, or the only one; null when there is none.
const std::string* JwtVerifier::public_key(const KeySet& keys, const json::object& header) const {
    std::optional<std::string_view> name;
    if (const auto* kid = header.if_contains("kid")) {
        if (!kid->is_string()) return nullptr;
        name = kid->get_string();
    }
    const auto type = settings_.algorithm == JwtAlgorithm::es256 ? KeyType::p256 : KeyType::rsa;
    const auto* key = keys.find(name, type, to_text(settings_.algorithm));
    if (key == nullptr) settings_.keys->missed();
    return key;
}

core::Result<service::IssuedToken> JwtVerifier::issue(const service::Identity& identity,
                                                      std::chrono::seconds life) const {
    if (has_public_keys(settings_.algorithm)) {
        return core::fail(core::ErrorKind::unsupported, "This service does not issue tokens");
    }
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch());
    Minting minting(settings_.algorithm, settings_.secret);
    minting.claim("sub", identity.caller.user_id).claim("user_id", identity.caller.user_id);
    minting.claim("role", identity.caller.role).claim("iat", now).claim("exp", now + life);
    if (identity.email) minting.claim("email", *identity.email);
    if (identity.name) minting.claim("name", *identity.name);
    auto text = minting.text();
    if (!text) return core::fail(core::ErrorKind::internal, "a token could not be made");
    return service::IssuedToken{std::move(*text), core::Time{now + life}};
}

std::string JwtVerifier::mint(const service::Caller& caller, std::chrono::seconds life) const {
    if (has_public_keys(settings_.algorithm)) throw std::logic_error("tokens cannot be made with public keys");
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch());
    Minting minting(settings_.algorithm, settings_.secret);
    minting.claim("user_id", caller.user_id).claim("role", caller.role).claim("iat", now).claim("exp", now + life);
    auto text = minting.text();
    if (!text) throw std::runtime_error("a token could not be made");
    return std::move(*text);
}

}  // namespace directory
