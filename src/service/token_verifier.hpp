// Port: turns a bearer token into a caller.
#pragma once

#include <string>
#include <string_view>

#include "consultation/access.hpp"
#include "core/result.hpp"

namespace service {

using consultation::Caller;

class TokenVerifier {
  public:
    virtual ~TokenVerifier() = default;

    /// The caller, or `unauthenticated` with contract 1.5's text (`Invalid authentication credentials`,
    /// `Invalid token payload`). Any thread; does not block.
    virtual core::Result<Caller> verify(std::string_view token) const = 0;
};

}  // namespace service
