// Whom the doctor lets in, turns away and puts out, and the guests they invite.
#include <array>
#include <cstdint>
#include <utility>

#include "consultation/access.hpp"
#include "consultation/invitation.hpp"
#include "consultation/life_cycle.hpp"
#include "consultation/waiting_room.hpp"
#include "core/bytes.hpp"
#include "service/change_loop.hpp"
#include "service/consultations.hpp"

namespace service {
namespace {

using consultation::Change;
using consultation::Provider;
using consultation::Session;
using core::ErrorKind;
using core::fail;

constexpr std::size_t kSecretBytes = 32;
/// `<session id>.<secret>`, both short.
constexpr std::size_t kLongestInvitation = 128;

std::string new_secret() {
    std::array<std::uint8_t, kSecretBytes> bytes{};
    core::random_bytes(bytes);
    return core::base64url(bytes);
}

/// Of the whole invitation, so that one session's secret is nothing in another.
std::string hash_of(std::string_view invitation) {
    return core::hex(core::sha256(core::as_bytes(invitation)));
}

Result<std::optional<Change>> decided(DoorDecision decision, const Session& session, const Caller& by,
                                      std::string_view who, Time now) {
    switch (decision) {
        case DoorDecision::admit:
            return consultation::admit(session, by, who, now);
        case DoorDecision::deny:
            return consultation::deny(session, by, who, now);
        case DoorDecision::remove:
            break;
    }
    return consultation::remove(session, by, who, now);
}

std::string_view name_of(DoorDecision decision) {
    switch (decision) {
        case DoorDecision::admit:
            return "ADMIT";
        case DoorDecision::deny:
            return "DENY";
        case DoorDecision::remove:
            break;
    }
    return "REMOVE";
}

auto no_guests() {
    return fail(ErrorKind::unsupported, "This installation has no guests");
}

}  // namespace

Task<Result<Session>> Consultations::put_out(Result<Session> session, std::string attendee_id) {
    if (session && !attendee_id.empty() && session->meeting && session->meeting->provider == Provider::embedded) {
        auto removed = co_await meetings_.remove_attendee(Provider::embedded, session->meeting->meeting_id,
                                                          std::move(attendee_id));
        if (!removed) co_return std::unexpected(removed.error());
    }
    co_return session;
}

Task<Result<Session>> Consultations::door_seen(Caller caller, std::string session_id, std::string what) {
    auto session = co_await load(std::move(session_id), caller.trace);
    if (!session) co_return session;
    if (auto allowed = consultation::may_see_door(*session, caller); !allowed) {
        co_return std::unexpected(co_await trail_.refused(caller, session->session_id, what, allowed.error()));
    }
    auto noted = co_await trail_.note(caller, session->session_id, std::move(what), {});
    if (!noted) co_return std::unexpected(noted.error());
    co_return session;
}

Task<Result<Session>> Consultations::waiting_room(Caller caller, std::string session_id) {
    return door_seen(std::move(caller), std::move(session_id), "WAITING_ROOM_READ");
}

Task<Result<Session>> Consultations::decide(Caller caller, std::string session_id, std::string who,
                                            DoorDecision decision) {
    std::string attendee_id;
    auto after = co_await change_by(caller, name_of(decision), std::move(session_id),
                                    [&](const Session& s, Time now) -> Result<std::optional<Change>> {
                                        if (auto allowed = consultation::may_admit(s, caller); !allowed)
                                            return std::unexpected(allowed.error());
                                        if (const auto* person = consultation::find_person(s, who))
                                            attendee_id = person->chime_attendee_id;
                                        return decided(decision, s, caller, who, now);
                                    });
    if (decision != DoorDecision::remove) co_return after;
    // Also on a repeat: the first time may not have come so far.
    co_return co_await put_out(std::move(after), std::move(attendee_id));
}

Task<Result<Invited>> Consultations::invite(Caller caller, std::string session_id, InviteRequest request) {
    if (!settings_.guest_passes) co_return no_guests();
    auto invitation = session_id + "." + new_secret();
    const consultation::NewGuest guest{request.kind, std::move(request.name),
                                       request.life.value_or(settings_.invitation_life), hash_of(invitation)};
    auto after = co_await change_by(caller, "INVITE", std::move(session_id),
                                    [&](const Session& s, Time now) -> Result<std::optional<Change>> {
                                        if (auto allowed = consultation::may_invite(s, caller); !allowed)
                                            return std::unexpected(allowed.error());
                                        return consultation::invite(s, caller, guest, settings_.max_attendees, now);
                                    });
    if (!after) co_return std::unexpected(after.error());
    auto made = *consultation::find_invitation(*after, guest.secret_hash);
    co_return Invited{std::move(*after), std::move(made), std::move(invitation)};
}

Task<Result<Session>> Consultations::invitations(Caller caller, std::string session_id) {
    return door_seen(std::move(caller), std::move(session_id), "INVITATIONS_READ");
}

Task<Result<Session>> Consultations::revoke_invitation(Caller caller, std::string session_id, std::string guest_id) {
    std::string attendee_id;
    auto after = co_await change_by(caller, "REVOKE", std::move(session_id),
                                    [&](const Session& s, Time now) -> Result<std::optional<Change>> {
                                        if (auto allowed = consultation::may_invite(s, caller); !allowed)
                                            return std::unexpected(allowed.error());
                                        if (const auto* guest = consultation::find_attendee(s, guest_id))
                                            attendee_id = guest->chime_attendee_id;
                                        return consultation::revoke(s, caller, guest_id, now);
                                    });
    co_return co_await put_out(std::move(after), std::move(attendee_id));
}

Task<Result<Redeemed>> Consultations::redeem_invitation(Caller caller, std::string invitation) {
    if (!settings_.guest_passes) co_return no_guests();
    const auto dot = invitation.rfind('.');
    if (invitation.size() > kLongestInvitation || dot == std::string::npos || dot == 0) {
        co_return fail(ErrorKind::not_found, "Invitation not found");
    }
    const auto hash = hash_of(invitation);
    caller.role = to_text(consultation::Role::guest);
    auto after =
        co_await change(invitation.substr(0, dot), [&](const Session& s, Time now) -> Result<std::optional<Change>> {
            auto used = consultation::redeem(s, hash, now);
            if (!used) return std::unexpected(used.error());
            caller.user_id = consultation::find_invitation(s, hash)->user_id;
            sign(*used, caller, now);
            return std::move(*used);
        });
    if (!after) {
        // Which sessions exist is nobody's business.
        if (after.error().kind != ErrorKind::not_found) co_return std::unexpected(after.error());
        co_return fail(ErrorKind::not_found, "Invitation not found");
    }
    auto guest = *consultation::find_invitation(*after, hash);
    auto token =
        settings_.guest_passes->issue_guest(after->session_id, guest.user_id, consultation::guests_until(*after));
    co_return Redeemed{consultation::for_guest(std::move(*after)), std::move(guest), std::move(token)};
}

}  // namespace service
