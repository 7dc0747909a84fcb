// A visit is moved to another time, by those whose visit it is. Pure.
//
// Only a SCHEDULED session can be moved. One that has begun is where it is; one that is closed stays closed, also as
// NO_SHOW: the rest of the platform has been told that it was missed, and its minutes may have been counted. Whoever
// wants that visit after all books it anew.
#pragma once

#include <optional>

#include "consultation/access.hpp"
#include "consultation/session.hpp"
#include "core/result.hpp"

namespace consultation {

struct Move {
    std::optional<Time> start;            ///< Unset: as it was.
    std::optional<int> duration_minutes;  ///< Likewise.
};

/// Doctor and patient of the session, and administrators.
core::Result<void> may_reschedule(const Session& session, const Caller& caller);

/// The visit at its new time. Links of before are worth nothing then: the meeting is given up, invitations are revoked,
/// whoever waited or was let in stands outside again. Nullopt: it is at that time already. `conflict`: it is not
/// SCHEDULED.
core::Result<std::optional<Change>> reschedule(const Session& session, const Caller& by, const Move& move, Time now);

}  // namespace consultation
