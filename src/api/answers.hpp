// The response bodies of contract section "Responses", in its order, with every field present. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/requests.hpp"
#include "service/consultations.hpp"

namespace api {

/// `now` ends what still runs: duration and attendance of an open session.
std::string session_answer(const consultation::Session& session, core::Time now);
std::string list_answer(const service::SessionPage& page, const ListRequest& request, core::Time now);
std::string join_answer(const service::Joined& joined);
std::string events_answer(const std::vector<consultation::AuditEntry>& entries);
std::string usage_answer(const service::Usage& usage, int free_tier_minutes);

}  // namespace api
