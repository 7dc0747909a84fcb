// Port: turns a bearer token into a caller.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace service {

/// Who asks. Comes from a verified token only, never from headers or bodies.
struct Caller {
    std::string user_id;
    std::string role;  ///< As in the token: `PATIENT`, `DOCTOR`, `CLINIC_ADMIN` …

    /// ADMIN, CLINIC_ADMIN and SYS_ADMIN.
    bool is_admin() const { return role == "ADMIN" || role == "CLINIC_ADMIN" || role == "SYS_ADMIN"; }
    bool is_doctor() const { return role == "DOCTOR"; }
    bool is_patient() const { return role == "PATIENT"; }
};

class TokenVerifier {
  public:
    virtual ~TokenVerifier() = default;

    /// The caller, or `unauthenticated` with contract 1.5's text (`Invalid authentication credentials`,
    /// `Invalid token payload`). Any thread; does not block.
    virtual core::Result<Caller> verify(std::string_view token) const = 0;
};

}  // namespace service
