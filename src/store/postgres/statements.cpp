#include "store/postgres/statements.hpp"

#include <algorithm>

#include "store/common/tables.hpp"

namespace store::postgres {
namespace {

/// Each kept text costs memory on every connection.
constexpr std::size_t kMostCommits = 200;
constexpr std::uint16_t kMostRows = 4;

/// The attendees of session `s` as an array of records: cheap to make, and to read in binary form.
const std::string& attendees_of_s() {
    static const std::string text = "(SELECT array_agg(ROW(" + joined(kAttendeeColumns, "a.") +
                                    ")) FROM video_consultation_attendees a WHERE a.session_id = s.session_id)";
    return text;
}

std::string find_text(std::string_view rest) {
    return "SELECT " + joined(kSessionColumns, "s.") + ", " + attendees_of_s() +
           " FROM video_consultation_sessions s WHERE " + std::string(rest);
}

std::string list_statement(unsigned shape) {
    const auto text = list_text(shape, '$', " COLLATE \"C\"");
    const std::string limit = std::to_string(text.next);
    const std::string offset = std::to_string(text.next + 1);
    return "SELECT t.total, " + joined(kSessionColumns, "s.") + ", CASE WHEN s.session_id IS NOT NULL THEN " +
           attendees_of_s() + " END FROM (SELECT count(*) AS total FROM video_consultation_sessions" + text.where +
           ") t LEFT JOIN (SELECT " + joined(kSessionColumns) + " FROM video_consultation_sessions" + text.where +
           text.order + " LIMIT $" + limit + "::bigint OFFSET $" + offset + "::bigint) s ON true" + text.order;
}

}  // namespace

Statements::Statements()
    : find{"find", find_text("s.session_id = $1")},
      find_by_meeting{"find_by_meeting", find_text("s.session_id ="
                                                   " (SELECT session_id FROM video_consultation_meetings"
                                                   " WHERE meeting_id = $1)")},
      find_by_appointment{"find_by_appointment",
                          find_text("s.appointment_id = $1 AND s.status <> 'CANCELLED'"
                                    " ORDER BY s.appointment_key IS NULL, s.created_at DESC LIMIT 1")},
      audit_trail{"audit_trail",
                  "SELECT event_id, session_id, event_type, event_description, user_id, event_timestamp"
                  " FROM video_consultation_events WHERE session_id = $1 AND kind = 'life'"
                  " ORDER BY event_timestamp, sequence"},
      find_idempotency{"find_idempotency",
                       "SELECT body_hash, session_id FROM video_consultation_idempotency"
                       " WHERE user_id = $1 AND key = $2"},
      // A row that a commit holds at this moment is left out: the next heartbeat is near, and nobody waits for a lock.
      heartbeat{"heartbeat",
                "WITH beats AS (SELECT id, max(seen) AS seen, max(until) AS until"
                " FROM unnest($1::text[], $2::timestamp[], $3::timestamp[]) AS b (id, seen, until) GROUP BY id), held "
                "AS (SELECT attendee_id FROM video_consultation_attendees"
                " WHERE chime_attendee_id = ANY ($1::text[]) AND open_interval_id IS NOT NULL"
                " FOR UPDATE SKIP LOCKED)"
                " UPDATE video_consultation_attendees a SET last_seen_at = greatest(a.last_seen_at, b.seen),"
                " present_until = CASE WHEN a.present_until IS NULL THEN NULL"
                " ELSE greatest(a.present_until, b.until) END"
                " FROM beats b, held h WHERE a.attendee_id = h.attendee_id AND a.chime_attendee_id = b.id"},
      due{"due",
          "SELECT session_id FROM ("
          " SELECT session_id, present_until AS since FROM video_consultation_attendees"
          "  WHERE open_interval_id IS NOT NULL AND present_until <= $1::timestamp"
          " UNION ALL"
          " SELECT session_id, greatest(scheduled_end_time, created_at) + $2::interval"
          "  FROM video_consultation_sessions s WHERE status IN ('SCHEDULED', 'WAITING')"
          "  AND scheduled_end_time < $1::timestamp - $2::interval AND created_at < $1::timestamp - $2::interval"
          "  AND NOT EXISTS (SELECT 1 FROM video_consultation_attendees a WHERE a.session_id = s.session_id"
          "   AND a.open_interval_id IS NOT NULL AND a.role <> 'GUEST')"
          " UNION ALL"
          " SELECT s.session_id, max(a.left_at) + $3::interval FROM video_consultation_sessions s"
          "  JOIN video_consultation_attendees a ON a.session_id = s.session_id AND a.role <> 'GUEST'"
          "  WHERE s.status = 'ACTIVE'"
          "  GROUP BY s.session_id"
          "  HAVING count(a.open_interval_id) = 0 AND max(a.left_at) < $1::timestamp - $3::interval"
          ") AS late GROUP BY session_id ORDER BY min(since), session_id COLLATE \"C\" LIMIT $4::bigint"},
      open_at{"open_at",
              "SELECT session_id FROM video_consultation_sessions"
              " WHERE status IN ('WAITING', 'ACTIVE') AND meeting_provider = $1 AND session_id COLLATE \"C\" > $2"
              " ORDER BY session_id COLLATE \"C\" LIMIT $3::bigint"},
      ping{"ping", "SELECT 1"} {}

const Statement& Statements::list(const service::SessionQuery& query) {
    const unsigned shape = list_shape(query);
    auto& entry = lists_.at(shape);
    if (!entry) {
        entry = std::make_unique<Statement>(Statement{"list_" + std::to_string(shape), list_statement(shape)});
    }
    return *entry;
}

const Statement* Statements::commit(const CommitShape& shape) {
    const auto found = commits_.find(shape);
    if (found != commits_.end()) return &found->second;
    if (std::max({shape.attendees, shape.audit, shape.events, shape.intervals, shape.usage, shape.meetings,
                  shape.jobs}) > kMostRows ||
        commits_.size() >= kMostCommits) {
        return nullptr;
    }
    Statement made{"commit_" + std::to_string(commits_.size()), commit_text(shape)};
    return &commits_.emplace(shape, std::move(made)).first->second;
}

}  // namespace store::postgres
