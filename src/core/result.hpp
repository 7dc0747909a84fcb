// The vocabulary of failure: functions that can fail return Result<T>; adapters translate driver errors into Error.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <utility>

namespace core {

/// What kind of failure it is. One table in `api` turns kinds into HTTP statuses.
enum class ErrorKind {
    invalid,                ///< The request breaks a rule that only the domain knows (400).
    unauthenticated,        ///< No token, or a bad one (401).
    forbidden,              ///< Known caller, not allowed (403).
    not_found,              ///< 404.
    conflict,               ///< Contradicts what is stored (409).
    unprocessable,          ///< Well-formed, but cannot be taken as it is (422).
    unavailable,            ///< A part we depend on is down; try again after `retry_after` (503).
    timeout,                ///< A part we depend on did not answer in time (504).
    bad_gateway,            ///< A part we depend on refused us or answered nonsense (502).
    gone,                   ///< It was there and is no more: a meeting that has ended (410).
    precondition_failed,    ///< The caller decided on an older state (412).
    precondition_required,  ///< Something must be done or said first: If-Match, a consent (428).
    unsupported,            ///< This installation cannot do it at all (501).
    internal,               ///< Our fault (500). `detail` is for the log only and is never sent to a client.
};

/// A failure, told to its reader: what happened, to what, what to do. Never holds personal data or secrets.
struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string detail;
    std::chrono::seconds retry_after{0};  ///< Only for `unavailable`; 0 = unknown.
    bool for_client = false;  ///< `unavailable` whose detail is a sentence for the client; others' is for the log.
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string detail, std::chrono::seconds retry_after = {}) {
    return std::unexpected(Error{kind, std::move(detail), retry_after});
}

}  // namespace core
