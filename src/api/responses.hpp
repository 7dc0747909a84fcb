// Shapes that every resource answers with. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/faults.hpp"
#include "core/result.hpp"
#include "net/http.hpp"

namespace api {

net::Response json_response(unsigned status, std::string body);

/// `{"detail":"…"}`
net::Response refusal(unsigned status, std::string_view detail);
net::Response unprocessable(const Faults& faults);

/// 401 with the contract's text, and how to do better.
net::Response unauthenticated(std::string_view detail);

/// The one table from kinds of failure to statuses. `operation` begins the answer to a failure of our own (`Failed to
/// join video session`); without one it has the contract's general form. What failed in us, or in the store, goes to
/// the log, not out; what a meeting provider or a neighbour did to us is told in our own words.
net::Response failure(const core::Error& error, std::string_view operation, std::string_view request_id);

/// An exception came out of a resource. `what` is only shown when debugging.
net::Response crash(std::string_view what, bool debug, std::string_view request_id);

}  // namespace api
