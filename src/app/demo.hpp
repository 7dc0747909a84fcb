// The consultation that a service without any configuration books for whoever tries it out.
// Called once at start, on an event loop.
#pragma once

#include <string>

#include "core/result.hpp"
#include "directory/jwt_verifier.hpp"
#include "service/consultations.hpp"

namespace app {

struct DemoLinks {
    std::string doctor;
    std::string patient;
};

/// Takes the demo consultation of an earlier start if it can still be used for a while, else books a new one that
/// starts now. `base_url` is where browsers reach the service.
service::Task<core::Result<DemoLinks>> book_demo(service::Consultations& consultations,
                                                 const directory::JwtVerifier& tokens, std::string base_url);

/// What the terminal shows of them.
std::string describe(const DemoLinks& links);

}  // namespace app
