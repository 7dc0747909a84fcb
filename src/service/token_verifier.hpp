// Port: turns a bearer token into a caller, and renews one that has run out in mid-call.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "consultation/access.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace service {

using consultation::Caller;

class TokenVerifier {
  public:
    virtual ~TokenVerifier() = default;

    /// The caller, or `unauthenticated` with contract 1.5's text (`Invalid authentication credentials`,
    /// `Invalid token payload`). Any thread; does not block.
    virtual core::Result<Caller> verify(std::string_view token) const = 0;
};

/// The person a token speaks of, for its renewal.
struct Identity {
    Caller caller;
    std::optional<std::string> email, name;
};

struct IssuedToken {
    std::string token;  ///< Secret.
    core::Time expires_at;
};

/// Any thread; does not block.
class TokenIssuer {
  public:
    virtual ~TokenIssuer() = default;

    /// The bearer of a token that is good in every respect, except that it may have expired, at most `grace` ago.
    virtual core::Result<Identity> recognise(std::string_view token, std::chrono::seconds grace) const = 0;
    /// A new token with the claims `sub`, `user_id`, `role`, `email`, `name` (where known), `iat`, `exp`.
    /// `unsupported` where this service only knows public keys.
    virtual core::Result<IssuedToken> issue(const Identity& identity, std::chrono::seconds life) const = 0;
};

}  // namespace service
