// A message of the outbox as the platform's services and webhook receivers expect it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "core/trace.hpp"
#include "service/outbox.hpp"

namespace events {

/// One way of a message through the broker.
struct Route {
    std::string exchange;
    std::string routing_key;
    std::string content_type;

    bool operator==(const Route&) const = default;
};

/// A message as it goes to the broker: persistent, with the same body and properties on each of its routes.
struct Outgoing {
    std::string message_id;  ///< The event's id: the same however often it is sent.
    std::string type;
    std::string session_id;     ///< Header `session_id`. Messages of one session are sent one after the other.
    std::int64_t sequence = 0;  ///< Header `sequence`.
    core::Time timestamp;       ///< Property, in whole seconds.
    std::string body;
    std::vector<Route> routes;     ///< At least one; the message is confirmed when all are.
    core::trace::Context trace{};  ///< Headers `traceparent` and `tracestate`, if it is part of one.
};

/// Property `app_id` of everything we send.
inline constexpr std::string_view kAppId = "video-consultation";

/// `{"event_type":…,"timestamp":…,"data":…}` (contract 4.2): the time in UTC without zone, the data as it was written.
std::string body_of(const service::OutboxMessage& message);

/// Everything goes to `exchange` (RABBITMQ_EXCHANGE) as JSON. The completion of a consultation also goes to
/// `user-events-exchange`, and there as `text/plain`, because the appointments service reads it from there, and only
/// then takes the text as it is. Where both are one exchange it goes there once, as `text/plain`.
Outgoing envelope(const service::OutboxMessage& message, std::string_view exchange);

}  // namespace events
