// Bearer tokens of guests, made and read by this service alone: JSON Web Tokens (RFC 7519) under a key of their own, so
// that no other token of the platform, whatever it claims, makes a guest, and no guest's token passes for a user's.
//
// There is one header, to the letter: what has another goes to the platform's verifier, so neither can be talked into
// the other's algorithm or key.
//
// Owned by `app`. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "service/guest_passes.hpp"
#include "service/token_verifier.hpp"

namespace directory {

class GuestTokens final : public service::TokenVerifier, public service::GuestPasses {
  public:
    /// `secret`: the service's own; the key is derived from it. `others` reads all tokens that are no guest's. Both
    /// references must outlive this.
    GuestTokens(std::string_view secret, const service::TokenVerifier& others, const core::Clock& clock);

    core::Result<service::Caller> verify(std::string_view token) const override;
    service::IssuedToken issue_guest(const std::string& session_id, const std::string& guest_id,
                                     core::Time expires_at) const override;

  private:
    std::string signature_of(std::string_view text) const;

    const core::Sha256 key_;
    const service::TokenVerifier& others_;
    const core::Clock& clock_;
};

}  // namespace directory
