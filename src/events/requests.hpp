// What the appointments service asks for by message (contract 4.3). Pure.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/time.hpp"
#include "service/platform_requests.hpp"

namespace events {

/// What time it was in UTC when clocks in the platform's zone showed this.
using LocalToUtc = std::function<core::Time(std::chrono::local_time<std::chrono::microseconds>)>;

/// A kind of message that we do not know.
struct UnknownRequest {
    std::string event_type;  ///< `?` when it is not worth repeating in a log.
};

/// A message that can never be answered.
struct BadRequest {
    std::string event_type;                     ///< One of those we know, or `?`.
    std::string reason;                         ///< Without anything from the message.
    std::optional<std::string> appointment_id;  ///< Whose session it was to create.
};

using Request =
    std::variant<service::RequestedSession, service::RequestedStart, service::RequestedEnd, UnknownRequest, BadRequest>;

/// Routing is by `event_type` in the body. Ids are texts, or whole numbers that become their decimal text. A time
/// without zone is read by `zone`, one with `Z` or an offset as it says.
Request parse_request(std::string_view body, const LocalToUtc& zone);

/// The same for every delivery of the same message: hex SHA-256 of its body.
std::string request_id_of(std::string_view body);

/// For the log: `appointment.video.create` …, or what an UnknownRequest or BadRequest says.
std::string_view event_type_of(const Request& request);

inline constexpr std::size_t kMostRequestBytes = 64 * 1024;

}  // namespace events
