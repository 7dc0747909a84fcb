// The response bodies of contract section "Responses", in its order, with every field present. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/requests.hpp"
#include "service/consultations.hpp"

namespace api {

/// `now` ends what still runs: duration and attendance of an open session.
std::string session_answer(const consultation::Session& session, const service::SessionNames& names, core::Time now);
/// `names`: one for each session of the page, in its order.
std::string list_answer(const service::SessionPage& page, std::span<const service::SessionNames> names,
                        const ListRequest& request, core::Time now);
std::string join_answer(const service::Joined& joined);
std::string events_answer(const std::vector<consultation::AuditEntry>& entries);

}  // namespace api
