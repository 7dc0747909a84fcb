#include "store/postgres/sdk_statements.hpp"

#include <string_view>

#include "store/common/sdk_rows.hpp"

namespace store::postgres {
namespace {

constexpr std::string_view kMeetings = "video_consultation_sdk_meetings";
constexpr std::string_view kAttendees = "video_consultation_sdk_attendees";

/// The running meeting `$1`, locked: notifications of one meeting get their numbers in the order of the changes.
std::string locked_meeting() {
    return "WITH m AS MATERIALIZED (SELECT * FROM " + std::string(kMeetings) +
           " WHERE meeting_id = $1 AND ended_at IS NULL FOR UPDATE)";
}

/// Writes notifications from `source`, which has their columns but for the last, in its order. A meeting whose
/// notifications have been put off goes on waiting.
std::string tell(std::string_view source, std::string_view wanted) {
    return "told AS (INSERT INTO video_consultation_meeting_notifications (meeting_id, event_type, occurred_at,"
           " external_meeting_id, media_region, control_region, attendee_id, external_user_id, audio, video, content,"
           " next_attempt) SELECT s.*, greatest(s.occurred_at,"
           "  (SELECT max(n.next_attempt) FROM video_consultation_meeting_notifications n"
           "   WHERE n.meeting_id = s.meeting_id)) FROM (" +
           std::string(source) + ") s WHERE " + std::string(wanted) + "::boolean)";
}

/// The columns of a notification about meeting `m` and attendee `a`.
std::string news(std::string_view event_type, std::string_view occurred_at, bool with_capabilities = false) {
    return std::string("m.meeting_id, ")
        .append(event_type)
        .append("::text AS event_type, ")
        .append(occurred_at)
        .append(
            "::timestamp AS occurred_at, m.external_meeting_id, m.media_region, m.control_region,"
            " a.attendee_id, a.external_user_id, ")
        .append(with_capabilities ? "a.audio, a.video, a.content" : "NULL::integer, NULL::integer, NULL::integer");
}

std::string news_of_meeting(std::string_view event_type, std::string_view occurred_at) {
    return std::string("m.meeting_id, ")
        .append(event_type)
        .append("::text AS event_type, ")
        .append(occurred_at)
        .append(
            "::timestamp AS occurred_at, m.external_meeting_id, m.media_region, m.control_region,"
            " ''::text AS attendee_id, ''::text AS external_user_id, NULL::integer, NULL::integer, NULL::integer");
}

/// Parameters: the meeting's columns 1 to 10, the attendees' as arrays 11 to 16, tags 17 and 18, whether to tell 19.
std::string create_meeting() {
    return "WITH m AS (INSERT INTO " + std::string(kMeetings) +
           " (meeting_id, request_token, request_hash, control_region, external_meeting_id, media_region, details,"
           " max_attendees, created_at, active_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
           " ON CONFLICT (request_token) DO NOTHING RETURNING *),"
           " a AS (INSERT INTO " +
           std::string(kAttendees) +
           " (attendee_id, external_user_id, audio, video, content, created_at, meeting_id)"
           " SELECT g.*, m.meeting_id FROM m CROSS JOIN unnest($11::text[], $12::text[], $13::integer[],"
           " $14::integer[], $15::integer[], $16::timestamp[]) g"
           " ON CONFLICT (meeting_id, external_user_id) WHERE removed_at IS NULL DO NOTHING RETURNING *),"
           " t AS (INSERT INTO video_consultation_sdk_tags (key, value, meeting_id)"
           " SELECT g.*, m.meeting_id FROM m CROSS JOIN unnest($17::text[], $18::text[]) g), " +
           tell("SELECT " +
                    news_of_meeting("'" + std::string(service::event_type::kMeetingStarted) + "'", "m.created_at") +
                    " FROM m UNION ALL SELECT * FROM (SELECT " +
                    news("'" + std::string(service::event_type::kAttendeeAdded) + "'", "a.created_at") +
                    " FROM m CROSS JOIN a) added",
                "$19") +
           " SELECT 1 FROM m";
}

/// Parameters: the meeting, the attendees' columns as arrays 2 to 7, at most 8, whether to tell 9.
std::string add_attendees() {
    const auto columns = joined(kSdkAttendeeColumns);
    const std::string attendees(kAttendees);
    return locked_meeting() +
           ", asked AS (SELECT * FROM unnest($2::text[], $3::text[], $4::integer[], $5::integer[], $6::integer[],"
           " $7::timestamp[]) AS g (attendee_id, external_user_id, audio, video, content, created_at)),"
           " present AS (SELECT a.* FROM m JOIN " +
           attendees +
           " a USING (meeting_id) WHERE a.removed_at IS NULL),"
           " missing AS (SELECT * FROM asked WHERE external_user_id NOT IN (SELECT external_user_id FROM present)),"
           " a AS (INSERT INTO " +
           attendees +
           " (attendee_id, external_user_id, audio, video, content, created_at, meeting_id)"
           " SELECT g.*, m.meeting_id FROM m CROSS JOIN missing g"
           " WHERE (SELECT count(*) FROM present) + (SELECT count(*) FROM missing) <= $8::bigint"
           " ON CONFLICT (meeting_id, external_user_id) WHERE removed_at IS NULL DO NOTHING RETURNING *), " +
           tell("SELECT " + news("'" + std::string(service::event_type::kAttendeeAdded) + "'", "a.created_at") +
                    " FROM m CROSS JOIN a",
                "$9") +
           " SELECT " + columns + " FROM a UNION ALL SELECT " + columns +
           " FROM present WHERE external_user_id IN (SELECT external_user_id FROM asked)";
}

std::string list_attendees() {
    return "SELECT " + joined(kSdkAttendeeColumns, "a.") + " FROM " + std::string(kAttendees) + " a JOIN " +
           std::string(kMeetings) +
           " m USING (meeting_id) WHERE a.meeting_id = $1 AND a.attendee_id > $2 AND a.removed_at IS NULL"
           " AND m.ended_at IS NULL ORDER BY a.attendee_id LIMIT $3::bigint";
}

std::string remove_attendee() {
    return locked_meeting() + ", a AS (UPDATE " + std::string(kAttendees) +
           " a SET removed_at = $3::timestamp FROM m WHERE a.meeting_id = m.meeting_id AND a.attendee_id = $2"
           " AND a.removed_at IS NULL RETURNING a.*), " +
           tell("SELECT " + news("'" + std::string(service::event_type::kAttendeeDeleted) + "'", "$3") +
                    " FROM m CROSS JOIN a",
                "$4") +
           " SELECT 1 FROM a";
}

/// Parameters: the meeting, the ids, whether all others are meant, three capabilities, the time, whether to tell.
std::string set_capabilities() {
    return locked_meeting() + ", a AS (UPDATE " + std::string(kAttendees) +
           " a SET audio = $4::integer, video = $5::integer, content = $6::integer, changed_at = $7::timestamp"
           " FROM m WHERE a.meeting_id = m.meeting_id AND a.removed_at IS NULL"
           " AND (a.attendee_id = ANY ($2::text[])) <> $3::boolean RETURNING a.*), " +
           tell("SELECT " + news("'" + std::string(service::event_type::kCapabilitiesUpdated) + "'", "$7", true) +
                    " FROM m CROSS JOIN a",
                "$8") +
           " SELECT attendee_id FROM a ORDER BY attendee_id";
}

std::string end_meeting() {
    return "WITH m AS (UPDATE " + std::string(kMeetings) +
           " SET ended_at = $2::timestamp, request_token = NULL, transcription = NULL"
           " WHERE meeting_id = $1 AND ended_at IS NULL AND ($4::timestamp IS NULL OR active_at < $4::timestamp"
           " OR created_at < $5::timestamp) RETURNING *), " +
           tell("SELECT " + news_of_meeting("'" + std::string(service::event_type::kMeetingEnded) + "'", "m.ended_at") +
                    " FROM m",
                "$3") +
           " SELECT 1 FROM m";
}

/// Answers 0 (written), 1 (no such meeting) or 2 (too many).
std::string set_tags() {
    return locked_meeting() +
           ", asked AS (SELECT * FROM unnest($2::text[], $3::text[]) AS g (key, value)),"
           " present AS (SELECT t.key FROM m JOIN video_consultation_sdk_tags t USING (meeting_id)),"
           " fits AS (SELECT (SELECT count(*) FROM (SELECT key FROM present UNION SELECT key FROM asked) k)"
           "  <= $4::bigint AS well),"
           " t AS (INSERT INTO video_consultation_sdk_tags (key, value, meeting_id)"
           "  SELECT g.*, m.meeting_id FROM m CROSS JOIN asked g WHERE (SELECT well FROM fits)"
           "  ON CONFLICT (meeting_id, key) DO UPDATE SET value = excluded.value)"
           " SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM m) THEN 1::bigint WHEN (SELECT well FROM fits) THEN 0 ELSE 2 "
           "END";
}

/// Parameters: meeting, attendee, the kind, the time, whether to tell. The meeting may have ended: people leave after
/// that.
std::string note_event() {
    return "WITH m AS MATERIALIZED (SELECT * FROM " + std::string(kMeetings) +
           " WHERE meeting_id = $1 FOR UPDATE), a AS (SELECT a.* FROM m JOIN " + std::string(kAttendees) +
           " a USING (meeting_id) WHERE a.attendee_id = $2), active AS (UPDATE " + std::string(kMeetings) +
           " x SET active_at = greatest(x.active_at, $4::timestamp) FROM a WHERE x.meeting_id = a.meeting_id"
           " AND x.ended_at IS NULL AND a.removed_at IS NULL AND ((a.audio | a.video | a.content) & 1) = 1), " +
           tell("SELECT " + news("$3", "$4") + " FROM m CROSS JOIN a", "$5") + " SELECT 1 FROM m";
}

/// Rows are locked in one order, so that two processes that tell at the same time do not stand in each other's way.
std::string note_connected() {
    return "WITH a AS MATERIALIZED (SELECT * FROM " + std::string(kAttendees) +
           " WHERE attendee_id = ANY ($1::text[])),"
           " busy AS MATERIALIZED (SELECT m.meeting_id FROM " +
           std::string(kMeetings) +
           " m WHERE m.ended_at IS NULL AND m.meeting_id IN (SELECT meeting_id FROM a WHERE removed_at IS NULL"
           "  AND ((audio | video | content) & 1) = 1) ORDER BY m.meeting_id FOR UPDATE),"
           " active AS (UPDATE " +
           std::string(kMeetings) +
           " x SET active_at = greatest(x.active_at, $2::timestamp) FROM busy WHERE x.meeting_id = busy.meeting_id)"
           " SELECT a.meeting_id, a.attendee_id, m.ended_at IS NOT NULL, a.removed_at IS NOT NULL, a.audio, a.video,"
           " a.content FROM a JOIN " +
           std::string(kMeetings) +
           " m USING (meeting_id) WHERE m.ended_at IS NOT NULL OR a.removed_at IS NOT NULL"
           " OR a.changed_at >= $3::timestamp";
}

std::string due_to_end() {
    return "SELECT meeting_id FROM " + std::string(kMeetings) +
           " WHERE ended_at IS NULL AND active_at < $1::timestamp UNION SELECT meeting_id FROM " +
           std::string(kMeetings) + " WHERE ended_at IS NULL AND created_at < $2::timestamp LIMIT $3::bigint";
}

std::string prune_meetings() {
    return "WITH old AS (SELECT meeting_id FROM " + std::string(kMeetings) +
           " WHERE ended_at < $1::timestamp ORDER BY ended_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED),"
           " gone AS (DELETE FROM " +
           std::string(kMeetings) +
           " m USING old WHERE m.meeting_id = old.meeting_id RETURNING 1) SELECT count(*) FROM gone";
}

/// Those that have been due longest are looked at, some more than are wanted since only the first of a meeting can go.
/// It is never due later than the rest of its meeting, so looking at a part leaves nobody out for good.
std::string due_notifications() {
    return "SELECT " + joined(kNotificationColumns, "n.") +
           " FROM (SELECT * FROM video_consultation_meeting_notifications WHERE next_attempt <= $1::timestamp"
           "  ORDER BY next_attempt, sequence LIMIT 20 * $2::bigint) n WHERE NOT EXISTS"
           "  (SELECT 1 FROM video_consultation_meeting_notifications e WHERE e.meeting_id = n.meeting_id"
           "   AND e.sequence < n.sequence) ORDER BY n.sequence LIMIT $2::bigint";
}

constexpr auto kPostpone =
    "WITH head AS (UPDATE video_consultation_meeting_notifications SET attempts = attempts + 1,"
    " next_attempt = $2::timestamp WHERE sequence = $1::bigint RETURNING meeting_id)"
    " UPDATE video_consultation_meeting_notifications n SET next_attempt = greatest(n.next_attempt, $2::timestamp)"
    " FROM head h WHERE n.meeting_id = h.meeting_id AND n.sequence <> $1::bigint";

}  // namespace

const SdkStatements& sdk_statements() {
    const std::string meetings(kMeetings);
    const std::string meeting_columns = joined(kSdkMeetingColumns);
    static const SdkStatements statements{
        .create_meeting = {"sdk_create_meeting", create_meeting()},
        .find_place = {"sdk_find_place",
                       "SELECT " + joined(kSdkMeetingColumns, "m.") + ", " + joined(kSdkAttendeeColumns, "a.") +
                           " FROM " + meetings + " m LEFT JOIN " + std::string(kAttendees) +
                           " a ON a.meeting_id = m.meeting_id AND a.attendee_id = $2 WHERE m.meeting_id = $1"},
        .find_by_request = {"sdk_find_by_request",
                            "SELECT " + meeting_columns + " FROM " + meetings + " WHERE request_token = $1"},
        .add_attendees = {"sdk_add_attendees", add_attendees()},
        .list_attendees = {"sdk_list_attendees", list_attendees()},
        .remove_attendee = {"sdk_remove_attendee", remove_attendee()},
        .set_capabilities = {"sdk_set_capabilities", set_capabilities()},
        .end_meeting = {"sdk_end_meeting", end_meeting()},
        .set_transcription = {"sdk_set_transcription",
                              "UPDATE " + meetings +
                                  " SET transcription = $2 WHERE meeting_id = $1 AND ended_at IS NULL RETURNING 1"},
        .tags = {"sdk_tags", "SELECT key, value FROM video_consultation_sdk_tags WHERE meeting_id = $1 ORDER BY key"},
        .set_tags = {"sdk_set_tags", set_tags()},
        .remove_tags = {"sdk_remove_tags",
                        "DELETE FROM video_consultation_sdk_tags WHERE meeting_id = $1 AND key = ANY ($2::text[])"},
        .note_event = {"sdk_note_event", note_event()},
        .note_connected = {"sdk_note_connected", note_connected()},
        .due_to_end = {"sdk_due_to_end", due_to_end()},
        .prune_meetings = {"sdk_prune_meetings", prune_meetings()},
    };
    return statements;
}

const NotificationStatements& notification_statements() {
    static const NotificationStatements statements{
        .due = {"due_notifications", due_notifications()},
        .finish = {"finish_notifications",
                   "DELETE FROM video_consultation_meeting_notifications WHERE sequence = ANY ($1::bigint[])"},
        .postpone = {"postpone_notification", kPostpone},
    };
    return statements;
}

}  // namespace store::postgres
