#include "api/door_requests.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/body.hpp"

namespace api {
namespace {

constexpr std::size_t kName = 100;
constexpr std::size_t kInvitation = 255;
constexpr std::int64_t kLeastMinutes = 5;
constexpr std::int64_t kMostMinutes = 31 * 24 * 60;

}  // namespace

std::optional<service::InviteRequest> read_invitation(RawBody raw, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    service::InviteRequest request;
    const auto kind =
        body.choice("role", consultation::guest_kind_from, "'INTERPRETER', 'RELATIVE', 'CLINICIAN' or 'OTHER'");
    auto name = body.text("name", {Presence::required, 1, kName});
    if (name && std::ranges::all_of(*name, [](char c) { return c == ' ' || c == '\t'; })) {
        faults.rule({"body", "name"}, "a name is more than blanks", body.input_of("name"));
    }
    const auto minutes = body.whole_number("expires_in_minutes", {.least = kLeastMinutes, .most = kMostMinutes});
    if (faults.any()) return {};
    request.kind = *kind;
    request.name = std::move(*name);
    if (minutes) request.life = std::chrono::minutes{*minutes};
    return request;
}

std::optional<std::string> read_redemption(RawBody raw, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    return body.text("invitation", {Presence::required, 1, kInvitation});
}

}  // namespace api
