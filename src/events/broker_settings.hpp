// Where the message broker is, and the names at it that the platform's services have agreed upon.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace events {

/// Session events go where RABBITMQ_EXCHANGE says; the completion also goes here, where the appointments service
/// listens for it.
inline constexpr std::string_view kUserEventsExchange = "user-events-exchange";
inline constexpr std::string_view kCompletionKey = "appointment.consultation.completed";
/// What the appointments service asks for, and where messages end that can never be answered.
inline constexpr std::string_view kRequestsQueue = "video-session-requests";
inline constexpr std::string_view kParkedQueue = "video-session-requests.parked";
inline constexpr std::string_view kRequestKeys[] = {"appointment.video.create", "appointment.video.start",
                                                    "appointment.video.end"};
/// The appointments service sends `kRequestKeys` there, whatever exchange our own events go to.
inline constexpr std::string_view kAppointmentsExchange = "appointments-exchange";

struct BrokerSettings {
    std::string host = "localhost";
    std::uint16_t port = 5672;
    std::string user = "guest";
    std::string password = "guest";
    std::string vhost = "/";  ///< As RABBITMQ_VHOST is written, see `virtual_host`.
    std::string exchange{kAppointmentsExchange};
    std::uint16_t prefetch = 1;                     ///< Requests that the broker hands over ahead of their turn.
    std::chrono::milliseconds dial_timeout{3000};   ///< Name and TCP.
    std::chrono::milliseconds reply_timeout{5000};  ///< For the login, and for each declaration.
    std::chrono::seconds heartbeat{15};             ///< The broker is lost when it is silent for twice as long.
};

/// The virtual host that RABBITMQ_VHOST means, which the platform pastes into a URL behind host and port: empty and `/`
/// are the default one, `/x` and `x` are `x`; `%2F` is a slash of the name itself.
std::string virtual_host(std::string_view written);

}  // namespace events
