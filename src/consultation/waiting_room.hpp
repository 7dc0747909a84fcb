// The door of a session: who waits in front of it, and whom the doctor lets in, turns away or puts out. Pure; callers
// have checked access before.
//
//   NONE ── join ──▶ WAITING ── admit ──▶ ADMITTED: goes in and out as they like, until the session is over
//                       │  ▲                  │
//                       │  └─ leave: NONE     ├── remove ──▶ REMOVED ┐
//                       └──── deny ──▶ DENIED ◀── deny               ├─ admit ──▶ ADMITTED
//                                        └───────────────────────────┘
//
// Somebody who waits is not in the session: they have no minutes, and the session's state does not know of them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consultation/access.hpp"
#include "consultation/session.hpp"
#include "core/result.hpp"

namespace consultation {

/// Whoever waits and says nothing for so long has gone away; when they come again they stand at the end.
inline constexpr std::chrono::seconds kQueuePatience{60};
/// That they still wait is written down only so often.
inline constexpr std::chrono::seconds kQueueBeat{15};

enum class Door { open, waiting_room };

/// Where a join of this person leads; `forbidden` for those whom the doctor does not want in.
core::Result<Door> door(const Session& session, Role role, std::string_view user_id);
/// Whether they may be connected to the session's meeting now.
bool may_be_in(const Session& session, const Attendee& attendee);

struct Arrival {
    Role role = Role::patient;
    std::string user_id;
    std::optional<std::string> device_type{};  ///< Unset: what an earlier join said stays.
    std::optional<std::string> browser_info{};
};

/// They wait, or say that they still do. Nullopt: they said so a moment ago.
std::optional<Change> wait(const Session& session, const Arrival& arrival, Time now);
/// They go away from the queue. Nullopt: they did not wait.
std::optional<Change> stop_waiting(const Session& session, std::string_view user_id, Time now);

/// Who waits now, first come first.
std::vector<Attendee> queue(const Session& session, Time now);
/// From 1; 0 for somebody who does not wait.
int place_in_queue(const Session& session, std::string_view user_id, Time now);

/// What the doctor decides about a person, named by user id or by their id in the meeting. Nullopt: it is so already.
/// Errors: `invalid` for a closed session, `not_found` for somebody who never came, `conflict` for what cannot be.
core::Result<std::optional<Change>> admit(const Session& session, const Caller& by, std::string_view who, Time now);
core::Result<std::optional<Change>> deny(const Session& session, const Caller& by, std::string_view who, Time now);
/// Also for somebody who is in the call: their stay ends.
core::Result<std::optional<Change>> remove(const Session& session, const Caller& by, std::string_view who, Time now);

/// The person of these decisions, or null.
const Attendee* find_person(const Session& session, std::string_view who);

}  // namespace consultation
