// Guests: the doctor of a session invites somebody to it by a link that opens it once. Pure; callers have checked
// access before. A guest is an attendee of this one session and has no account anywhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "consultation/access.hpp"
#include "consultation/session.hpp"
#include "core/result.hpp"

namespace consultation {

struct NewGuest {
    GuestKind kind = GuestKind::other;
    std::string name;
    std::chrono::minutes life{0};  ///< Of the link; it never outlives the session's guests.
    std::string secret_hash;       ///< Hex SHA-256 of the link's secret.
};

enum class InvitationState { pending, used, expired, revoked };
/// `PENDING`, `USED`, `EXPIRED`, `REVOKED`.
std::string_view to_text(InvitationState state);
InvitationState invitation_state(const Attendee& guest, Time now);

/// No guest of this session is one any more after that: some hours past its planned end.
Time guests_until(const Session& session);
/// Doctor, patient, and guests who are, or still may come.
std::size_t people_of(const Session& session, Time now);

/// The new guest is the last attendee of the change. `most_people`: with doctor and patient. Errors: `invalid` for a
/// closed session, `conflict` where there is no more room or no more time.
core::Result<Change> invite(const Session& session, const Caller& by, const NewGuest& guest, std::size_t most_people,
                            Time now);
/// Also for a guest who has come: they are put out and not let in again. Nullopt: it is revoked already.
core::Result<std::optional<Change>> revoke(const Session& session, const Caller& by, std::string_view guest_id,
                                           Time now);
/// The link is opened. Exactly one commit of this can succeed. `not_found` for a secret nobody was given, `gone` for
/// one that is worth nothing any more.
core::Result<Change> redeem(const Session& session, std::string_view secret_hash, Time now);

const Attendee* find_invitation(const Session& session, std::string_view secret_hash);

/// What a guest is shown of the session: nothing clinical.
Session for_guest(Session session);

}  // namespace consultation
