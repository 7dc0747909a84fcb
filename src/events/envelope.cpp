#include "events/envelope.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "events/broker_settings.hpp"

namespace events {

std::string body_of(const service::OutboxMessage& message) {
    std::string body = R"({"event_type":)";
    body += boost::json::serialize(boost::json::string(message.event_type));
    body += R"(,"timestamp":")" + core::format_zoneless(message.occurred_at) + R"(","data":)";
    body += message.payload;
    return body += '}';
}

Outgoing envelope(const service::OutboxMessage& message, std::string_view exchange) {
    Outgoing out;
    out.message_id = message.event_id;
    out.type = message.event_type;
    out.session_id = message.session_id;
    out.sequence = message.sequence;
    out.timestamp = message.occurred_at;
    out.body = body_of(message);
    out.trace = core::trace::from_line(message.trace);
    const bool completion = message.routing_key == kCompletionKey;
    if (!completion || exchange != kUserEventsExchange) {
        out.routes.push_back({std::string(exchange), message.routing_key, "application/json"});
    }
    if (completion) out.routes.push_back({std::string(kUserEventsExchange), message.routing_key, "text/plain"});
    return out;
}

}  // namespace events
