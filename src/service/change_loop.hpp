// The loop behind every change of a session, and what the files of class Consultations share. Not for other rooms.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "service/consultations.hpp"

namespace service {

/// Each round somebody else has moved the session on; a session can only be moved on so often.
inline constexpr int kMaxRounds = 64;

inline auto session_not_found() {
    return core::fail(core::ErrorKind::not_found, "Video consultation session not found");
}
inline auto too_busy() {
    return core::fail(core::ErrorKind::unavailable, "The session is being changed by too many at once, try again",
                      std::chrono::seconds{1});
}

/// Says nothing about the other visit, not even whose it is.
inline auto overlapping() {
    return core::fail(core::ErrorKind::conflict, "The doctor or the patient has another visit at this time");
}

inline const consultation::Attendee* by_attendee_id(const consultation::Session& session,
                                                    const std::string& attendee_id) {
    const auto found = std::ranges::find(session.attendees, attendee_id, &consultation::Attendee::chime_attendee_id);
    return found == session.attendees.end() ? nullptr : &*found;
}

template <class Decide>
Task<Result<consultation::Session>> Consultations::change(std::string session_id, Decide decide,
                                                          core::trace::Context of) {
    for (int round = 0; round < kMaxRounds; ++round) {
        auto session = co_await load(session_id, of);
        if (!session) co_return std::unexpected(session.error());
        Result<std::optional<consultation::Change>> decision = decide(*session, clock_.now());
        if (!decision) co_return std::unexpected(decision.error());
        if (!*decision) co_return std::move(*session);
        auto after = (*decision)->after;
        trace(**decision, of);
        auto committed = co_await commit(std::move(**decision));
        if (!committed) co_return std::unexpected(committed.error());
        if (*committed == Committed::applied) co_return after;
        if (*committed == Committed::overlap) co_return overlapping();
    }
    co_return too_busy();
}

template <class Decide>
Task<Result<consultation::Session>> Consultations::change_by(const Caller& by, std::string_view what,
                                                             std::string session_id, Decide decide) {
    bool changed = false;
    auto after = co_await change(
        session_id,
        [&](const consultation::Session& s, Time now) -> Result<std::optional<consultation::Change>> {
            Result<std::optional<consultation::Change>> decision = decide(s, now);
            changed = decision && *decision;
            if (changed) sign(**decision, by, now);
            return decision;
        },
        by.trace);
    if (!after) co_return co_await with_refusal(by, std::move(session_id), what, std::move(after));
    if (!changed) {
        auto noted = co_await trail_.note(by, after->session_id, "SESSION_READ", std::string{what});
        if (!noted) co_return std::unexpected(noted.error());
    }
    trail_.veil(by, *after);
    co_return after;
}

template <class T>
Task<Result<T>> Consultations::with_refusal(const Caller& caller, std::string session_id, std::string_view what,
                                            Result<T> result) {
    if (!result)
        co_return std::unexpected(co_await trail_.refused(caller, std::move(session_id), what, result.error()));
    co_return result;
}

}  // namespace service
