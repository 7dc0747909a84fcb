// What the audit trail tells of a request beside its person: where it came from, under which id, and for which reason
// an administrator breaks the glass. Any thread.
#pragma once

#include "consultation/access.hpp"
#include "net/http.hpp"

namespace api {

/// Fills in what the request says about itself. A reason that is none (see header X-Break-Glass-Reason in the document)
/// is as no reason.
void note_origin(consultation::Caller& caller, const net::Request& request);

}  // namespace api
