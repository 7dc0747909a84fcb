#include "meetings/chime/chime_errors.hpp"

#include <algorithm>
#include <array>

namespace meetings::chime {
namespace {

/// When AWS does not say how long to wait.
constexpr std::chrono::seconds kSoon{2};

core::Error error(core::ErrorKind kind, std::string_view detail, std::chrono::seconds retry_after = {}) {
    return {kind, std::string{detail}, retry_after, true};
}

}  // namespace

bool is_throttling(std::string_view code) {
    return code.starts_with("Throttl") || code == "TooManyRequestsException" || code == "RequestLimitExceeded" ||
           code == "SlowDown";
}

bool is_about_keys(std::string_view code) {
    constexpr std::array<std::string_view, 8> kCodes{"ExpiredToken",
                                                     "ExpiredTokenException",
                                                     "InvalidClientTokenId",
                                                     "InvalidSignatureException",
                                                     "SignatureDoesNotMatch",
                                                     "UnrecognizedClientException",
                                                     "InvalidAccessKeyIdException",
                                                     "UnauthorizedException"};
    return std::ranges::find(kCodes, code) != kCodes.end();
}

core::Error error_of(const Attempt& last, std::string_view code) {
    using core::ErrorKind;
    const auto wait = std::max(last.retry_after.value_or(kSoon), std::chrono::seconds{1});
    if (last.end == Attempt::End::timed_out) return error(ErrorKind::timeout, kTooSlow);
    if (last.end == Attempt::End::connection_broke) return error(ErrorKind::unavailable, kUnreachable, wait);
    // 409: the same meeting is being made by somebody else right now.
    const bool limited = last.throttled || last.status == 409 || last.status == 429 || last.status == 503;
    if (limited || code.starts_with("LimitExceeded")) return error(ErrorKind::unavailable, kThrottles, wait);
    // A 404 of something on the way says nothing about the meeting.
    if (last.status == 404 && code.contains("NotFound")) return error(ErrorKind::gone, kGone);
    return error(ErrorKind::bad_gateway, last.status >= 500 || last.status < 400 ? kFails : kRefuses);
}

}  // namespace meetings::chime
