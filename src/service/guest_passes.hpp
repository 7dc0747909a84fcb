// Port: bearer tokens for guests, who have no account with the platform's auth service.
#pragma once

#include <string>

#include "core/time.hpp"
#include "service/token_verifier.hpp"

namespace service {

/// Any thread; does not block.
class GuestPasses {
  public:
    virtual ~GuestPasses() = default;

    /// A token that makes its bearer this guest of this session, and nothing else. Whether the guest is still welcome
    /// is asked of the session at every use.
    virtual IssuedToken issue_guest(const std::string& session_id, const std::string& guest_id,
                                    core::Time expires_at) const = 0;
};

}  // namespace service
