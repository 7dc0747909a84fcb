#include "events/envelope.hpp"

#include <gtest/gtest.h>

#include "events/broker_settings.hpp"

namespace events {
namespace {

using namespace std::chrono_literals;

service::OutboxMessage message(std::string key, std::string type) {
    service::OutboxMessage message;
    message.sequence = 7;
    message.event_id = "98600686-16ef-4424-befb-54361f625488";
    message.session_id = "54a780e9-cdea-473a-ad93-801d19d54ff4";
    message.routing_key = std::move(key);
    message.event_type = std::move(type);
    message.occurred_at = core::Time{std::chrono::sys_days{2026y / 1 / 25} + 14h + 31min + 11s + 958769us};
    message.payload = R"({"session_id":"54a780e9","duration_minutes":32,"appointment_id":null})";
    return message;
}

TEST(Envelope, BodyIsTheContracts) {
    EXPECT_EQ(body_of(message("video.session.ended", "video.session.ended")),
              R"({"event_type":"video.session.ended","timestamp":"2026-01-25T14:31:11.958769",)"
              R"("data":{"session_id":"54a780e9","duration_minutes":32,"appointment_id":null}})");
}

TEST(Envelope, PropertiesSayWhichEventItIs) {
    const auto out = envelope(message("video.session.error", "video.session.creation.failed"), "appointments-exchange");
    EXPECT_EQ(out.message_id, "98600686-16ef-4424-befb-54361f625488");
    EXPECT_EQ(out.type, "video.session.creation.failed");
    EXPECT_EQ(out.session_id, "54a780e9-cdea-473a-ad93-801d19d54ff4");
    EXPECT_EQ(out.sequence, 7);
    const std::vector<Route> routes = {{"appointments-exchange", "video.session.error", "application/json"}};
    EXPECT_EQ(out.routes, routes);
}

TEST(Envelope, CompletionAlsoGoesWhereTheAppointmentsServiceListens) {
    const auto out =
        envelope(message(std::string(kCompletionKey), "video.consultation.completed"), "appointments-exchange");
    const std::vector<Route> routes = {
        {"appointments-exchange", "appointment.consultation.completed", "application/json"},
        {"user-events-exchange", "appointment.consultation.completed", "text/plain"},
    };
    EXPECT_EQ(out.routes, routes);
    EXPECT_EQ(out.type, "video.consultation.completed");
}

TEST(Envelope, CompletionGoesOnceWhereTheExchangesAreOne) {
    const auto out =
        envelope(message(std::string(kCompletionKey), "video.consultation.completed"), "user-events-exchange");
    const std::vector<Route> routes = {{"user-events-exchange", "appointment.consultation.completed", "text/plain"}};
    EXPECT_EQ(out.routes, routes);
    const auto other = envelope(message("video.session.ended", "video.session.ended"), "user-events-exchange");
    const std::vector<Route> other_routes = {{"user-events-exchange", "video.session.ended", "application/json"}};
    EXPECT_EQ(other.routes, other_routes);
}

TEST(BrokerSettings, VirtualHostIsReadAsItWasPasted) {
    EXPECT_EQ(virtual_host("/"), "/");
    EXPECT_EQ(virtual_host(""), "/");
    EXPECT_EQ(virtual_host("/clinic"), "clinic");
    EXPECT_EQ(virtual_host("clinic"), "clinic");
    EXPECT_EQ(virtual_host("/%2F"), "/");
    EXPECT_EQ(virtual_host("%2fclinic"), "/clinic");
    EXPECT_EQ(virtual_host("/50%"), "50%");
    EXPECT_EQ(virtual_host("%zz1"), "%zz1");
}

}  // namespace
}  // namespace events
