// The door of a session: the waiting room, and the guests that its doctor invites.
#include <utility>

#include "api/door_answers.hpp"
#include "api/door_requests.hpp"
#include "api/resource.hpp"
#include "net/forwarded.hpp"

namespace api {
namespace {

using service::DoorDecision;
using service::Task;

RawBody body_of(const net::Request& request) {
    return {request.body, request.header("Content-Type")};
}

net::Response nobody_found() {
    return refusal(404, "Nobody with this id has come to the session");
}

Task<net::Response> decide(Call& call, DoorDecision decision) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    if (!can_be_an_id(call.second)) co_return nobody_found();
    co_return co_await session_response(
        call, co_await call.site.consultations.decide(std::move(call.caller), std::move(call.piece),
                                                      std::move(call.second), decision));
}

/// The room page, with the secret in the fragment: browsers do not send that, so it is in nobody's log.
std::string link_to(const Call& call, const service::Invited& invited) {
    const auto& known = call.site.settings.page_url;
    return (known.empty() ? net::reached_at(call.request) : known) + "/room/" + invited.session.session_id +
           "#invitation=" + invited.invitation;
}

}  // namespace

Task<net::Response> get_waiting_room(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    auto& consultations = call.site.consultations;
    const auto session = co_await consultations.waiting_room(std::move(call.caller), std::move(call.piece));
    if (!session) co_return failure(session.error(), {}, call.request.request_id);
    co_return json_response(200, queue_answer(*session, consultations.now()));
}

Task<net::Response> post_admit(Call& call) {
    return decide(call, DoorDecision::admit);
}

Task<net::Response> post_deny(Call& call) {
    return decide(call, DoorDecision::deny);
}

Task<net::Response> post_remove(Call& call) {
    return decide(call, DoorDecision::remove);
}

Task<net::Response> post_invitation(Call& call) {
    Faults faults;
    auto request = read_invitation(body_of(call.request), faults);
    if (faults.any()) co_return unprocessable(faults);
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    auto& consultations = call.site.consultations;
    const auto invited =
        co_await consultations.invite(std::move(call.caller), std::move(call.piece), std::move(*request));
    if (!invited) co_return failure(invited.error(), {}, call.request.request_id);
    co_return json_response(201, invited_answer(*invited, link_to(call, *invited), consultations.now()));
}

Task<net::Response> get_invitations(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    auto& consultations = call.site.consultations;
    const auto session = co_await consultations.invitations(std::move(call.caller), std::move(call.piece));
    if (!session) co_return failure(session.error(), {}, call.request.request_id);
    co_return json_response(200, invitations_answer(*session, consultations.now()));
}

Task<net::Response> delete_invitation(Call& call) {
    if (!can_be_an_id(call.piece)) co_return session_not_found();
    if (!can_be_an_id(call.second)) co_return refusal(404, "Invitation not found");
    const auto revoked = co_await call.site.consultations.revoke_invitation(
        std::move(call.caller), std::move(call.piece), std::move(call.second));
    if (!revoked) co_return failure(revoked.error(), {}, call.request.request_id);
    co_return json_response(204, {});
}

Task<net::Response> post_redemption(Call& call) {
    Faults faults;
    auto invitation = read_redemption(body_of(call.request), faults);
    if (faults.any()) co_return unprocessable(faults);
    if (!can_be_an_id(*invitation)) co_return refusal(404, "Invitation not found");
    const auto redeemed =
        co_await call.site.consultations.redeem_invitation(std::move(call.caller), std::move(*invitation));
    if (!redeemed) co_return failure(redeemed.error(), {}, call.request.request_id);
    co_return json_response(200, redeemed_answer(*redeemed));
}

}  // namespace api
