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

inline const consultation::Attendee* by_attendee_id(const consultation::Session& session,
                                                    const std::string& attendee_id) {
    const auto found = std::ranges::find(session.attendees, attendee_id, &consultation::Attendee::chime_attendee_id);
    return found == session.attendees.end() ? nullptr : &*found;
}

template <class Decide>
Task<Result<consultation::Session>> Consultations::change(std::string session_id, Decide decide) {
    for (int round = 0; round < kMaxRounds; ++round) {
        auto session = co_await load(session_id);
        if (!session) co_return std::unexpected(session.error());
        Result<std::optional<consultation::Change>> decision = decide(*session, clock_.now());
        if (!decision) co_return std::unexpected(decision.error());
        if (!*decision) co_return std::move(*session);
        auto after = (*decision)->after;
        auto committed = co_await store_.commit(std::move(**decision));
        if (!committed) co_return std::unexpected(committed.error());
        if (*committed == Committed::applied) co_return after;
    }
    co_return too_busy();
}

}  // namespace service
