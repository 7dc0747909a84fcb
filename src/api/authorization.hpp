// Header Authorization (RFC 9110 section 11.6.2), and secrets that callers show. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace api {

/// Views into the request; empty where the header says nothing.
struct Authorization {
    std::string_view scheme, credentials;

    bool complete() const { return !scheme.empty() && !credentials.empty(); }
    /// Schemes are the same in any case; `lower` is in lower case.
    bool is(std::string_view lower) const;
};
Authorization authorization_of(const net::Request& request);

/// The password in Basic credentials (RFC 7617).
std::optional<std::string> basic_password(std::string_view credentials);

/// In a time that says nothing about either.
bool same_secret(std::string_view given, std::string_view wanted);

}  // namespace api
