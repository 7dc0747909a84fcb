// Bearer tokens as the platform's auth service makes them: JSON Web Tokens (RFC 7519) signed with HMAC (RFC 7515).
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

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "directory/caller_cache.hpp"
#include "service/token_verifier.hpp"

namespace directory {

enum class JwtAlgorithm { hs256, hs384, hs512 };

/// `HS256`, `HS384`, `HS512`; nothing else.
std::optional<JwtAlgorithm> jwt_algorithm_from(std::string_view text);
std::string_view to_text(JwtAlgorithm algorithm);

struct JwtSettings {
    std::string secret;  ///< The text is the key; not empty.
    JwtAlgorithm algorithm = JwtAlgorithm::hs256;
};

class JwtVerifier final : public service::TokenVerifier {
  public:
    static constexpr std::size_t kMaxToken = 8 * 1024;
    static constexpr std::size_t kMaxId = 100;  ///< Bytes of a user id; what the store's columns hold.

    /// `clock` must outlive it. Throws std::invalid_argument on an empty secret.
    JwtVerifier(JwtSettings settings, const core::Clock& clock);

    /// A caller for a token that is signed with our key and algorithm and says: `exp` in the future (no leeway), `nbf`
    /// if any in the past, `iat` if any a whole number, no `aud`, `sub` (text) or else `user_id` (text or a whole
    /// number), and `role` (text, not empty).
    core::Result<service::Caller> verify(std::string_view token) const override;

    /// A token that `verify` accepts for `life`, with the claims of the auth service.
    std::string mint(const service::Caller& caller, std::chrono::seconds life) const;

  private:
    JwtSettings settings_;
    const core::Clock& clock_;
    mutable CallerCache known_;
};

}  // namespace directory
