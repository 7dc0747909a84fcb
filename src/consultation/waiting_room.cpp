#include "consultation/waiting_room.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "consultation/draft.hpp"
#include "consultation/life_cycle.hpp"

namespace consultation {
namespace {

using core::ErrorKind;
using core::fail;
using core::Result;

bool waits(const Attendee& attendee, Time now) {
    return attendee.lobby == Lobby::waiting && attendee.waiting_seen_at.value_or(now) + kQueuePatience >= now;
}

/// The person a decision is about, where the session and its people allow one.
Result<const Attendee*> subject(const Session& session, std::string_view who) {
    if (auto open = can_join(session); !open) return std::unexpected(open.error());
    const auto* attendee = find_person(session, who);
    if (!attendee) return fail(ErrorKind::not_found, "Nobody with this id has come to the session");
    if (attendee->role == Role::doctor) {
        return fail(ErrorKind::conflict, "The doctor of the session needs no admission and cannot be put out");
    }
    return attendee;
}

Attendee& same_in(Draft& draft, const Attendee& attendee) {
    return *std::ranges::find(draft.session().attendees, attendee.row_id, &Attendee::row_id);
}

}  // namespace

Result<Door> door(const Session& session, Role role, std::string_view user_id) {
    if (role == Role::doctor) return Door::open;
    const auto* attendee = find_attendee(session, user_id);
    if (attendee && attendee->invitation_revoked_at) {
        return fail(ErrorKind::forbidden, "Your invitation to this session has been revoked");
    }
    const auto lobby = attendee ? attendee->lobby : Lobby::none;
    if (lobby == Lobby::denied) return fail(ErrorKind::forbidden, "The doctor has not let you into this session");
    if (lobby == Lobby::removed) return fail(ErrorKind::forbidden, "The doctor has removed you from this session");
    return session.waiting_room && lobby != Lobby::admitted ? Door::waiting_room : Door::open;
}

bool may_be_in(const Session& session, const Attendee& attendee) {
    const auto where = door(session, attendee.role, attendee.user_id);
    return where && *where == Door::open;
}

std::optional<Change> wait(const Session& session, const Arrival& arrival, Time now) {
    const auto* known = find_attendee(session, arrival.user_id);
    const bool still = known && waits(*known, now);
    if (still && known->waiting_seen_at && now < *known->waiting_seen_at + kQueueBeat) return {};
    Draft draft(session, now);
    auto& attendee = draft.attendee(arrival.role, arrival.user_id);
    attendee.lobby = Lobby::waiting;
    attendee.waiting_seen_at = now;
    if (arrival.device_type) attendee.device_type = arrival.device_type;
    if (arrival.browser_info) attendee.browser_info = arrival.browser_info;
    if (!still) {
        attendee.waiting_since = now;
        draft.audit("USER_WAITING", std::string{to_text(arrival.role)} + " waits to be let in", arrival.user_id);
    }
    return draft.finish();
}

std::optional<Change> stop_waiting(const Session& session, std::string_view user_id, Time now) {
    const auto* known = find_attendee(session, user_id);
    if (!known || known->lobby != Lobby::waiting) return {};
    Draft draft(session, now);
    same_in(draft, *known).lobby = Lobby::none;
    draft.audit("USER_STOPPED_WAITING", std::string{to_text(known->role)} + " left the waiting room", known->user_id);
    return draft.finish();
}

std::vector<Attendee> queue(const Session& session, Time now) {
    std::vector<Attendee> waiting;
    if (is_closed(session.status)) return waiting;
    std::ranges::copy_if(session.attendees, std::back_inserter(waiting), [&](const auto& a) { return waits(a, now); });
    std::ranges::sort(waiting, {}, [](const Attendee& a) { return std::tie(a.waiting_since, a.user_id); });
    return waiting;
}

int place_in_queue(const Session& session, std::string_view user_id, Time now) {
    const auto waiting = queue(session, now);
    const auto found = std::ranges::find(waiting, user_id, &Attendee::user_id);
    return found == waiting.end() ? 0 : static_cast<int>(found - waiting.begin()) + 1;
}

Result<std::optional<Change>> admit(const Session& session, const Caller& by, std::string_view who, Time now) {
    const auto found = subject(session, who);
    if (!found) return std::unexpected(found.error());
    const auto& person = **found;
    if (person.invitation_revoked_at) return fail(ErrorKind::conflict, "The guest's invitation has been revoked");
    if (person.lobby == Lobby::admitted) return std::nullopt;
    Draft draft(session, now);
    same_in(draft, person).lobby = Lobby::admitted;
    draft.audit("USER_ADMITTED", name_in_trail(person) + " was let in", by.user_id, person.user_id);
    return draft.finish();
}

Result<std::optional<Change>> deny(const Session& session, const Caller& by, std::string_view who, Time now) {
    const auto found = subject(session, who);
    if (!found) return std::unexpected(found.error());
    const auto& person = **found;
    if (person.present()) {
        return fail(ErrorKind::conflict, "This person is in the call already: remove them instead");
    }
    // Who was removed stays that.
    if (person.lobby == Lobby::denied || person.lobby == Lobby::removed) return std::nullopt;
    Draft draft(session, now);
    same_in(draft, person).lobby = Lobby::denied;
    draft.audit("USER_DENIED", name_in_trail(person) + " was not let in", by.user_id, person.user_id);
    return draft.finish();
}

Result<std::optional<Change>> remove(const Session& session, const Caller& by, std::string_view who, Time now) {
    const auto found = subject(session, who);
    if (!found) return std::unexpected(found.error());
    const auto& person = **found;
    if (person.lobby == Lobby::removed) return std::nullopt;
    Draft draft(session, now);
    auto& attendee = same_in(draft, person);
    attendee.lobby = Lobby::removed;
    draft.audit("USER_REMOVED", name_in_trail(person) + " was removed", by.user_id, person.user_id);
    draft.put_out(attendee);
    return draft.finish();
}

const Attendee* find_person(const Session& session, std::string_view who) {
    if (const auto* attendee = find_attendee(session, who)) return attendee;
    const auto found = std::ranges::find(session.attendees, who, &Attendee::chime_attendee_id);
    return found == session.attendees.end() || who.empty() ? nullptr : &*found;
}

}  // namespace consultation
