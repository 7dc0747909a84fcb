// What a failed call to AWS Chime means for the service. Pure.
//
// The texts are ours and may go to a client; AWS's own never do.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "meetings/chime/retry.hpp"

namespace meetings::chime {

inline constexpr std::string_view kUnreachable = "AWS Chime is not reachable at the moment";
inline constexpr std::string_view kThrottles = "AWS Chime takes no more requests at the moment";
inline constexpr std::string_view kTooSlow = "AWS Chime did not answer in time";
inline constexpr std::string_view kFails = "AWS Chime fails at the moment";
inline constexpr std::string_view kRefuses = "AWS Chime refused the request";
inline constexpr std::string_view kGone = "The meeting does not exist any more";

/// ThrottlingException, TooManyRequestsException and the like, whatever their status.
bool is_throttling(std::string_view code);

/// The keys are not accepted (any more): expired, revoked, unknown, or not those that signed.
bool is_about_keys(std::string_view code);

/// 404 that says the meeting or attendee is unknown: `gone`. 429, 503, 409, throttling and reached limits:
/// `unavailable`, with the time to wait. Timeout: `timeout`. No connection: `unavailable`. The rest: `bad_gateway`.
core::Error error_of(const Attempt& last, std::string_view code);

}  // namespace meetings::chime
