// Bearer tokens as the platform's auth service makes them: JSON Web Tokens (RFC 7519), signed (RFC 7515) with a shared
// secret, or with a private key whose public half is in a key set. The algorithm is a matter of configuration; what a
// token says about it can only make it refused. So a public key's text never serves as a secret, nor the reverse.
//
// libjwt checks the signature. It does not do, so this does: pin the algorithm before a key is touched, refuse lax
// base64url (padding, other characters, left-over bits), refuse names said twice and bytes behind the JSON text (it
// takes the last, and stops at U+0000), know `crit`, bound the size, and judge times and claims.
//
// Taking a token apart costs about 6 µs, more than the rest of a small request; tokens found good are remembered for
// as long as they hold (0.5 µs).
//
// Owned by `app`. Any thread.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "directory/caller_cache.hpp"
#include "directory/jwks.hpp"
#include "service/token_verifier.hpp"

namespace directory {

enum class JwtAlgorithm { hs256, hs384, hs512, rs256, es256 };

/// `HS256`, `HS384`, `HS512`, `RS256`, `ES256`; nothing else.
std::optional<JwtAlgorithm> jwt_algorithm_from(std::string_view text);
std::string_view to_text(JwtAlgorithm algorithm);
/// Tokens are checked with public keys; this service cannot make any.
bool has_public_keys(JwtAlgorithm algorithm);

struct JwtSettings {
    std::string secret;  ///< The text is the key; not empty. Unused with public keys.
    JwtAlgorithm algorithm = JwtAlgorithm::hs256;
    const PublicKeys* keys = nullptr;  ///< For the algorithms with public keys; must outlive the verifier.
};

class JwtVerifier final : public service::TokenVerifier, public service::TokenIssuer {
  public:
    static constexpr std::size_t kMaxToken = 8 * 1024;
    static constexpr std::size_t kMaxId = 100;  ///< Bytes of a user id; what the store's columns hold.

    /// `clock` must outlive it. Throws std::invalid_argument when the secret, or the keys, that the algorithm needs are
    /// missing.
    JwtVerifier(JwtSettings settings, const core::Clock& clock);

    /// A caller for a token that is signed with our key and algorithm and says: `exp` in the future (no leeway), `nbf`
    /// if any in the past, `iat` if any a whole number, no `aud`, `sub` (text) or else `user_id` (text or a whole
    /// number), and `role` (text, not empty).
    core::Result<service::Caller> verify(std::string_view token) const override;

    /// The same with `exp` at most `grace` ago. `email` and `name` are those of the token, if it has any of a sane
    /// length.
    core::Result<service::Identity> recognise(std::string_view token, std::chrono::seconds grace) const override;

    core::Result<service::IssuedToken> issue(const service::Identity& identity,
                                             std::chrono::seconds life) const override;

    /// A token that `verify` accepts for `life`, with the claims of the auth service. Throws std::logic_error with
    /// public keys.
    std::string mint(const service::Caller& caller, std::chrono::seconds life) const;

  private:
    struct Claims;

    core::Result<Claims> examine(std::string_view token, std::chrono::seconds grace) const;
    bool is_signed(const boost::json::object& header, std::string_view token) const;
    const std::string* public_key(const KeySet& keys, const boost::json::object& header) const;

    JwtSettings settings_;
    const core::Clock& clock_;
    mutable CallerCache known_;
};

}  // namespace directory
