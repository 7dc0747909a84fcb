// Port: where sessions are kept. `store/sqlite` and `store/postgres` implement it; one contract test runs against both.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

using consultation::Time;

/// Which sessions, in which order. All conditions must hold; an unset one does not restrict.
struct SessionQuery {
    std::optional<std::string> doctor_id;
    std::optional<std::string> patient_id;
    std::optional<consultation::Status> status;
    std::optional<consultation::BookingType> booking_type;
    std::optional<Time> start_from;    ///< scheduled_start_time >= this.
    std::optional<Time> start_before;  ///< scheduled_start_time < this.
    bool oldest_first = false;  ///< Default: latest scheduled_start_time first. Ties by session_id, same direction.
    int offset = 0;
    int limit = 20;
};

struct SessionPage {
    std::vector<consultation::Session> sessions;  ///< With attendees.
    std::int64_t total = 0;                       ///< All that match, whatever the page.
};

/// An Idempotency-Key as kept beside the session that it created.
struct IdempotencyRecord {
    std::string user_id;    ///< Keys of different callers never meet.
    std::string key;        ///< At most 255 bytes.
    std::string body_hash;  ///< Hex SHA-256 of the request as understood.
    std::string session_id;
};

enum class Committed {
    applied,
    stale,                  ///< Somebody else changed the session first (or it is gone): load and decide again.
    duplicate_appointment,  ///< New session, but its appointment has one that is not cancelled.
    duplicate_key,          ///< New session, but the idempotency key is taken.
    overlap,                ///< `no_overlap` was wanted, and another visit of one of the two is at that time.
};

/// Proof that somebody is still in the meeting.
struct Heartbeat {
    std::string chime_attendee_id;
    Time last_seen_at;
    Time present_until;
};

/// When the service itself has to act on a session.
struct DuePolicy {
    Time now;
    std::chrono::minutes abandoned_after;  ///< Everybody gone for so long.
    std::chrono::minutes no_show_grace;    ///< Scheduled end passed for so long, and it never became ACTIVE.
};

/// All calls: any control-plane thread; results arrive on the caller's executor; bounded time; a database that is down
/// is `ErrorKind::unavailable`, never a hang. Ids that do not exist are an empty answer, not an error.
class SessionStore {
  public:
    virtual ~SessionStore() = default;

    virtual Task<core::Result<std::optional<consultation::Session>>> find(std::string session_id) = 0;
    /// By any meeting that the session has or had.
    virtual Task<core::Result<std::optional<consultation::Session>>> find_by_meeting(std::string meeting_id) = 0;
    /// The one that is not cancelled.
    virtual Task<core::Result<std::optional<consultation::Session>>> find_by_appointment(
        std::string appointment_id) = 0;
    virtual Task<core::Result<SessionPage>> list(SessionQuery query) = 0;
    /// Oldest first (ties in the order of writing).
    virtual Task<core::Result<std::vector<consultation::AuditEntry>>> audit_trail(std::string session_id) = 0;
    virtual Task<core::Result<std::optional<IdempotencyRecord>>> find_idempotency(std::string user_id,
                                                                                  std::string key) = 0;

    /// One transaction: the session row (only if it still has `expected_version`, or does not exist for -1), its
    /// attendees (upserted by row id), audit, outbox, intervals, usage records, meetings, jobs and the idempotency
    /// record.
    /// When it returns `applied` the change survives kill -9 and power loss.
    virtual Task<core::Result<Committed>> commit(consultation::Change change,
                                                 std::optional<IdempotencyRecord> idempotency = {}) = 0;

    /// Moves last_seen_at and present_until forward for those with an open interval; touches no version.
    virtual Task<core::Result<void>> heartbeat(std::vector<Heartbeat> beats) = 0;

    /// Ids of sessions with something due, at most `limit`, most overdue first (guests do not count as present there):
    /// - an open interval whose present_until has passed (any status), or
    /// - SCHEDULED or WAITING, nobody present, and the later of scheduled_end_time and created_at + no_show_grace <
    /// now, or
    /// - ACTIVE, nobody present, and the latest left_at of its attendees + abandoned_after < now.
    virtual Task<core::Result<std::vector<std::string>>> due(DuePolicy policy, int limit) = 0;

    /// Ids of sessions that are WAITING or ACTIVE and have a meeting of this provider, after `after` in the order of
    /// ids.
    virtual Task<core::Result<std::vector<std::string>>> open_at(consultation::Provider provider, std::string after,
                                                                 int limit) = 0;

    /// A real round trip, at most a second.
    virtual Task<core::Result<void>> ping() = 0;
};

}  // namespace service
