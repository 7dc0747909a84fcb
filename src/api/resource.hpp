// What a resource gets and gives. Resources are coroutines that read the request, call one use case and write its
// answer; each file `*_resource.cpp` holds those of one subject, listed here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/responses.hpp"
#include "api/site.hpp"
#include "api/text.hpp"

namespace api {

/// What all requests share. Made by make_site, outlives every request.
struct Site {
    SiteSettings settings;
    service::Consultations& consultations;
    service::Metering& metering;
    const service::TokenVerifier& tokens;
    std::string openapi;                           ///< The document, with name and version filled in.
    std::unique_ptr<RequestWatch> own_requests{};  ///< Where the settings name none.

    RequestWatch& requests() const { return settings.requests ? *settings.requests : *own_requests; }
};

/// One request on its way. Lives in the dispatcher until the resource is done.
struct Call {
    const Site& site;
    const net::Request& request;
    std::string piece;       ///< What stood for `{}` in the path, decoded; any bytes.
    service::Caller caller;  ///< Empty for resources that are open to everybody.
    std::string second{};    ///< What stood for a second `{}`.
};

using Resource = service::Task<net::Response> (*)(Call&);

net::Response session_not_found();

/// 200 (or `status`) with the session and the names of its people, or the refusal.
service::Task<net::Response> session_response(const Call& call, core::Result<consultation::Session> session,
                                              std::string_view operation = {}, unsigned status = 200);

/// As `failure`; whoever has to give their consent first is told to which version.
net::Response join_failure(const Call& call, const core::Error& error, std::string_view operation);

// booking_resource.cpp
service::Task<net::Response> patch_session(Call&);
// consent_resource.cpp
service::Task<net::Response> get_consent(Call&);
service::Task<net::Response> post_consent(Call&);
// stream_resource.cpp
service::Task<net::Response> get_stream(Call&);
// sessions_resource.cpp
service::Task<net::Response> post_session(Call&);
service::Task<net::Response> get_session(Call&);
service::Task<net::Response> get_session_by_appointment(Call&);
service::Task<net::Response> get_sessions(Call&);
service::Task<net::Response> get_sessions_of_doctor(Call&);
service::Task<net::Response> get_sessions_of_patient(Call&);
service::Task<net::Response> get_events(Call&);
// visit_resource.cpp
service::Task<net::Response> post_join(Call&);
service::Task<net::Response> post_start(Call&);
service::Task<net::Response> post_leave(Call&);
service::Task<net::Response> post_end(Call&);
service::Task<net::Response> post_cancel(Call&);
service::Task<net::Response> put_notes(Call&);
// door_resource.cpp
service::Task<net::Response> get_waiting_room(Call&);
service::Task<net::Response> post_admit(Call&);
service::Task<net::Response> post_deny(Call&);
service::Task<net::Response> post_remove(Call&);
service::Task<net::Response> post_invitation(Call&);
service::Task<net::Response> get_invitations(Call&);
service::Task<net::Response> delete_invitation(Call&);
service::Task<net::Response> post_redemption(Call&);
// call_resource.cpp
service::Task<net::Response> post_transcription(Call&);
service::Task<net::Response> delete_transcription(Call&);
service::Task<net::Response> post_quality(Call&);
// chime_events_resource.cpp
service::Task<net::Response> post_chime_events(Call&);
// token_resource.cpp
service::Task<net::Response> post_refresh_token(Call&);
// export_resource.cpp
service::Task<net::Response> get_patient_export(Call&);
// usage_resource.cpp
service::Task<net::Response> get_usage(Call&);
// health_resource.cpp
service::Task<net::Response> get_health(Call&);
service::Task<net::Response> get_live(Call&);
service::Task<net::Response> get_ready(Call&);
service::Task<net::Response> get_metrics(Call&);
// pages_resource.cpp
service::Task<net::Response> get_root(Call&);
service::Task<net::Response> get_docs(Call&);
service::Task<net::Response> get_redoc(Call&);
service::Task<net::Response> get_docs_file(Call&);
service::Task<net::Response> get_openapi(Call&);
service::Task<net::Response> get_room(Call&);
service::Task<net::Response> get_web_file(Call&);
service::Task<net::Response> get_icon(Call&);

}  // namespace api
