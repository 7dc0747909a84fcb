// What AWS knows an account's user or role by. Plain.
#pragma once

#include <optional>
#include <string>

#include "core/time.hpp"

namespace meetings::chime {

struct AwsKeys {
    std::string access_key_id;
    std::string secret_access_key;           ///< Secret.
    std::string session_token{};             ///< Secret; empty for long-term keys.
    std::optional<core::Time> expires_at{};  ///< Unset: never, as far as we know.

    bool operator==(const AwsKeys&) const = default;
};

}  // namespace meetings::chime
