#include "consultation/invitation.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "consultation/draft.hpp"
#include "consultation/life_cycle.hpp"
#include "core/bytes.hpp"

namespace consultation {
namespace {

using core::ErrorKind;
using core::fail;
using core::Result;

constexpr std::chrono::hours kPastTheEnd{4};
/// Revoked and expired ones stay in the session's list of people, so even those have to end somewhere.
constexpr std::ptrdiff_t kMostInvitations = 50;

/// Short enough to be read out, long enough not to be met twice in a session.
std::string new_guest_id() {
    auto id = core::uuid4();
    std::erase(id, '-');
    return "guest-" + id.substr(0, 12);
}

bool is_guest(const Attendee& attendee) {
    return attendee.role == Role::guest;
}

}  // namespace

std::string_view to_text(InvitationState state) {
    static constexpr std::array<std::string_view, 4> kStates{"PENDING", "USED", "EXPIRED", "REVOKED"};
    return kStates.at(static_cast<std::size_t>(state));
}

InvitationState invitation_state(const Attendee& guest, Time now) {
    if (guest.invitation_revoked_at) return InvitationState::revoked;
    if (guest.invitation_used_at) return InvitationState::used;
    return guest.invitation_expires_at <= now ? InvitationState::expired : InvitationState::pending;
}

Time guests_until(const Session& session) {
    return std::max(session.scheduled_end_time, session.created_at) + kPastTheEnd;
}

std::size_t people_of(const Session& session, Time now) {
    const auto guests = std::ranges::count_if(session.attendees, [&](const Attendee& attendee) {
        if (!is_guest(attendee)) return false;
        const auto state = invitation_state(attendee, now);
        return state == InvitationState::pending || state == InvitationState::used;
    });
    return 2 + static_cast<std::size_t>(guests);
}

Result<Change> invite(const Session& session, const Caller& by, const NewGuest& guest, std::size_t most_people,
                      Time now) {
    if (auto open = can_join(session); !open) return std::unexpected(open.error());
    if (people_of(session, now) >= most_people) {
        return fail(ErrorKind::conflict, "A session can have at most " + std::to_string(most_people) +
                                             " people, doctor and patient included: revoke an invitation first");
    }
    if (std::ranges::count_if(session.attendees, is_guest) >= kMostInvitations) {
        return fail(ErrorKind::conflict, "Too many guests have been invited to this session");
    }
    const auto until = guests_until(session);
    if (until <= now) return fail(ErrorKind::conflict, "The session's time is over: nobody can be invited any more");
    Draft draft(session, now);
    auto& attendee = draft.attendee(Role::guest, new_guest_id());
    attendee.external_user_id = attendee.user_id;
    attendee.guest_kind = guest.kind;
    attendee.guest_name = guest.name;
    attendee.invitation_hash = guest.secret_hash;
    attendee.invited_at = now;
    attendee.invitation_expires_at = std::min(now + guest.life, until);
    draft.audit("GUEST_INVITED", name_in_trail(attendee) + " was invited", by.user_id, attendee.user_id);
    return draft.finish();
}

Result<std::optional<Change>> revoke(const Session& session, const Caller& by, std::string_view guest_id, Time now) {
    const auto* known = find_attendee(session, guest_id);
    if (!known || !is_guest(*known)) return fail(ErrorKind::not_found, "Invitation not found");
    if (known->invitation_revoked_at) return std::nullopt;
    Draft draft(session, now);
    auto& attendee = *std::ranges::find(draft.session().attendees, known->row_id, &Attendee::row_id);
    attendee.invitation_revoked_at = now;
    if (attendee.lobby == Lobby::waiting) attendee.lobby = Lobby::none;
    draft.audit("INVITATION_REVOKED", "The invitation of " + name_in_trail(attendee) + " was revoked", by.user_id,
                attendee.user_id);
    draft.put_out(attendee);
    return draft.finish();
}

Result<Change> redeem(const Session& session, std::string_view secret_hash, Time now) {
    const auto* known = find_invitation(session, secret_hash);
    if (!known) return fail(ErrorKind::not_found, "Invitation not found");
    switch (invitation_state(*known, now)) {
        case InvitationState::revoked:
            return fail(ErrorKind::gone, "This invitation has been revoked");
        case InvitationState::used:
            return fail(ErrorKind::gone, "This invitation has been used already");
        case InvitationState::expired:
            return fail(ErrorKind::gone, "This invitation has expired");
        case InvitationState::pending:
            break;
    }
    if (is_closed(session.status) || guests_until(session) <= now) {
        return fail(ErrorKind::gone, "The session of this invitation is over");
    }
    Draft draft(session, now);
    auto& attendee = *std::ranges::find(draft.session().attendees, known->row_id, &Attendee::row_id);
    attendee.invitation_used_at = now;
    draft.audit("INVITATION_USED", name_in_trail(attendee) + " opened the invitation", attendee.user_id);
    return draft.finish();
}

const Attendee* find_invitation(const Session& session, std::string_view secret_hash) {
    const auto found = std::ranges::find_if(session.attendees, [&](const Attendee& attendee) {
        return attendee.invitation_hash &&
               core::equal_in_constant_time(core::as_bytes(*attendee.invitation_hash), core::as_bytes(secret_hash));
    });
    return found == session.attendees.end() ? nullptr : &*found;
}

Session for_guest(Session session) {
    session.chief_complaint.reset();
    session.session_notes.reset();
    session.cancellation_reason.reset();
    return session;
}

}  // namespace consultation
