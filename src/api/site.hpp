// Everything a client can reach over HTTP: the REST API, health, the OpenAPI document and its two readers, the room
// page and its files. One handler for the server of room `net`; built once at start, then called by any control-plane
// thread at the same time. WebSocket upgrades are the server's own affair and do not come here.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/time_zone.hpp"
#include "net/http.hpp"
#include "service/consultations.hpp"
#include "service/token_verifier.hpp"

namespace api {

struct SiteSettings {
    std::string app_name = "Video Consultation Service";
    std::string version = "1.0.0";
    int free_tier_minutes = 1000;            ///< `AWS_FREE_TIER_ATTENDEE_MINUTES`, shown by the usage figures.
    ZoneResolver time_zone = utc_zone();     ///< Reads times that carry no zone; see load_time_zone.
    std::string public_url;                  ///< Where signalling is reached when not at the page's own host; or empty.
    bool debug = false;                      ///< True: an answer to a crash says what was thrown.
    std::string_view meetings = "embedded";  ///< Field `aws_chime` of `/health`; permanent text.
    /// Field `rabbitmq` of `/health`: `disabled` and `healthy` count as healthy; permanent text, must not block.
    std::function<std::string_view()> message_broker = [] { return std::string_view{"disabled"}; };
    /// False while starting or stopping: `/health/ready` then says 503. Must not block.
    std::function<bool()> accepting = [] { return true; };
};

/// `consultations` and `tokens` must outlive the handler and all its copies. Embedded files are found by name:
/// `api/…` (folder docs of this room), `web/…` (the web build's).
net::Handler make_site(SiteSettings settings, service::Consultations& consultations,
                       const service::TokenVerifier& tokens);

}  // namespace api
