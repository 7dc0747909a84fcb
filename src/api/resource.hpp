// What a resource gets and gives. Resources are coroutines that read the request, call one use case and write its
// answer; each file `*_resource.cpp` holds those of one subject, listed here.
#pragma once

#include <string>
#include <string_view>

#include "api/responses.hpp"
#include "api/site.hpp"

namespace api {

/// What all requests share. Made by make_site, outlives every request.
struct Site {
    SiteSettings settings;
    service::Consultations& consultations;
    const service::TokenVerifier& tokens;
    std::string openapi;  ///< The document, with name and version filled in.
};

/// One request on its way. Lives in the dispatcher until the resource is done.
struct Call {
    const Site& site;
    const net::Request& request;
    std::string piece;       ///< What stood for `{}` in the path, decoded; any bytes.
    service::Caller caller;  ///< Empty for resources that are open to everybody.
};

using Resource = service::Task<net::Response> (*)(Call&);

/// Ids that no session and no person can have are not worth a question to the store, and must not reach it: bytes that
/// are no UTF-8 or contain U+0000 are errors there.
bool can_be_an_id(std::string_view text);
net::Response session_not_found();

// sessions_resource.cpp
service::Task<net::Response> post_session(Call&);
service::Task<net::Response> get_session(Call&);
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
// usage_resource.cpp
service::Task<net::Response> get_usage(Call&);
// health_resource.cpp
service::Task<net::Response> get_health(Call&);
service::Task<net::Response> get_live(Call&);
service::Task<net::Response> get_ready(Call&);
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
