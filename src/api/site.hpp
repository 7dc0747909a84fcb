// Everything a client can reach over HTTP: the REST API, health, the OpenAPI document and its two readers, the room
// page and its files. One handler for the server of room `net`; built once at start, then called by any control-plane
// thread at the same time. WebSocket upgrades are the server's own affair and do not come here.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/cors.hpp"
#include "api/rate_limits.hpp"
#include "api/request_watch.hpp"
#include "core/time_zone.hpp"
#include "net/http.hpp"
#include "service/consultations.hpp"
#include "service/directory.hpp"
#include "service/metering.hpp"
#include "service/patient_export.hpp"
#include "service/session_watch.hpp"
#include "service/token_verifier.hpp"
#include "service/vitals.hpp"

namespace api {

struct SiteSettings {
    std::string app_name = "Video Consultation Service";
    std::string version = "1.0.0";
    core::ZoneResolver time_zone = core::utc_zone();  ///< Reads times that carry no zone; see load_time_zone.
    std::string public_url;   ///< Where signalling is reached when not at the page's own host; or empty.
    std::string page_url;     ///< Where links to the room page lead; empty: as the client came.
    bool many_nodes = false;  ///< Signalling may be at other nodes, also at some that are not there yet.
    bool debug = false;       ///< True: an answer to a crash says what was thrown.
    /// State of relays, consumer and breaker, for `/health` and `/metrics`.
    service::VitalsSource vitals = [] { return service::Vitals{}; };
    service::VitalsSource figures;           ///< The same, and what only `/metrics` shows; unset: no more than that.
    service::Names* names = nullptr;         ///< Null: names in answers stay null.
    service::TokenIssuer* issuer = nullptr;  ///< Null: tokens are not renewed here.
    std::chrono::minutes refresh_grace{30};  ///< A token may have expired so long ago when it is renewed.
    std::chrono::minutes token_life{60};     ///< Of a renewed token.
    std::string chime_events_secret;         ///< Header X-Api-Key of Chime's notifications; empty: not taken.
    bool appointments_fill_in = false;       ///< A booking with an appointment may leave doctor, patient, start out.
    std::vector<std::string> media_regions;  ///< Those that a booking may ask for.
    CorsSettings cors;                       ///< Pages of other origins that may read answers.
    RateLimits* limits = nullptr;            ///< Null: everybody may ask as often as they like.
    service::SessionWatch* watch = nullptr;  ///< Null: nobody can look on.
    const service::Consents* consents = nullptr;  ///< Null: patients are asked for nothing.
    service::PatientExport* exports = nullptr;    ///< Null: there is no export.
    RequestWatch* requests = nullptr;             ///< Made with `route_patterns`. Null: one that nobody else sees.
    std::string metrics_token;  ///< Who asks for /metrics has to show it; empty: whoever asks us directly.
    /// False while starting or stopping: `/health/ready` then says 503. Must not block.
    std::function<bool()> accepting = [] { return true; };
};

/// What the site answers, for RequestWatch.
std::span<const Pattern> route_patterns();

/// The references and pointers must outlive the handler and all its copies. Embedded files are found by name:
/// `api/…` (folder docs of this room), `web/…` (the web build's).
net::Handler make_site(SiteSettings settings, service::Consultations& consultations, service::Metering& metering,
                       const service::TokenVerifier& tokens);

}  // namespace api
