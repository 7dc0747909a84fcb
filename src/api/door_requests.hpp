// Request bodies about guests, read and checked. Pure.
#pragma once

#include <optional>
#include <string>

#include "api/requests.hpp"

namespace api {

/// Each returns a value only when there is no fault.
std::optional<service::InviteRequest> read_invitation(RawBody body, Faults& faults);
/// What the link carried.
std::optional<std::string> read_redemption(RawBody body, Faults& faults);

}  // namespace api
