// Who calls: the signature of a request (AWS Signature Version 4) checked against the keys that are configured.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html tells what AWS says and when.
// Pure; any thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <variant>

#include "api/chime/refusal.hpp"
#include "core/time.hpp"
#include "net/http.hpp"

namespace api::chime {

/// Secrets by access key id.
using ApiKeys = std::map<std::string, std::string, std::less<>>;

struct Signer {
    std::string region;  ///< Of the credential's scope.
};

inline constexpr std::chrono::minutes kMostSkew{5};

/// The path and the Host header count as they came: whatever stands in between must pass both on unchanged.
std::variant<Signer, Refusal> check_signature(const net::Request& request, const ApiKeys& keys, core::Time now);

}  // namespace api::chime
