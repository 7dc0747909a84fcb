#include "store/postgres/meter_statements.hpp"

#include "store/common/quality_text.hpp"

namespace store::postgres {
namespace {

/// A row that only holds reports of quality is no record of usage.
constexpr std::string_view kRecords =
    " FROM video_consultation_metrics WHERE date >= $1::timestamp AND date < $2::timestamp"
    " AND (attendee_minutes_used > 0 OR billed_tenths > 0)";

/// Eight figures, the same in every row, beside the sums by provider: first those of the whole time (no day), then by
/// day. Without records there is one row, which has no provider.
std::string usage() {
    return "SELECT f.*, r.* FROM (SELECT"
           " (SELECT count(*) FROM video_consultation_sessions"
           "  WHERE created_at >= $1::timestamp AND created_at < $2::timestamp)"
           " + (SELECT coalesce(sum(sessions), 0) FROM video_consultation_retired_days"
           "  WHERE day >= $1::timestamp AND day < $2::timestamp)::bigint,"
           " (SELECT count(*) FROM video_consultation_sessions WHERE status IN ('WAITING', 'ACTIVE')),"
           " (SELECT (sum(seconds) / 60 / nullif(sum(completed), 0))::double precision FROM ("
           "  SELECT extract(epoch FROM actual_end_time - actual_start_time) AS seconds, 1::bigint AS completed"
           "   FROM video_consultation_sessions WHERE status = 'COMPLETED' AND actual_start_time IS NOT NULL"
           "   AND actual_end_time >= $1::timestamp AND actual_end_time < $2::timestamp"
           "  UNION ALL SELECT completed_micros / 1000000.0, completed FROM video_consultation_retired_days"
           "   WHERE day >= $1::timestamp AND day < $2::timestamp) ended),"
           " q.* FROM (SELECT coalesce(sum(quality_reports), 0)::bigint,"
           "  (sum(latency_sum)::double precision / nullif(sum(latency_reports), 0))::double precision,"
           "  (sum(packet_loss_sum) / nullif(sum(packet_loss_reports), 0))::double precision,"
           "  (sum(audio_sum)::double precision / nullif(sum(audio_reports), 0))::double precision,"
           "  (sum(video_sum)::double precision / nullif(sum(video_reports), 0))::double precision"
           "  FROM video_consultation_metrics WHERE date >= $1::timestamp AND date < $2::timestamp) q) f"
           " LEFT JOIN (SELECT date_trunc('day', date) AS day, provider, sum(attendee_minutes_used)::bigint,"
           "  sum(billed_tenths)::bigint, count(DISTINCT session_id)" +
           std::string(kRecords) +
           "  GROUP BY GROUPING SETS ((provider), (provider, date_trunc('day', date)))) r ON true"
           " ORDER BY r.day NULLS FIRST";
}

std::string usage_sessions() {
    return "SELECT m.session_id, coalesce(s.doctor_id, ''), coalesce(s.patient_id, ''), m.provider, m.date, m.minutes,"
           " m.tenths FROM (SELECT session_id, provider, min(date) AS date, sum(attendee_minutes_used)::bigint"
           " AS minutes, sum(billed_tenths)::bigint AS tenths" +
           std::string(kRecords) +
           " GROUP BY session_id, provider) m"
           " LEFT JOIN video_consultation_sessions s USING (session_id)"
           " ORDER BY m.date DESC, m.session_id COLLATE \"C\", m.provider LIMIT $3::bigint";
}

/// Who is inside now is a short list; the intervals of the month would be a long one.
constexpr auto kBilledTenths =
    "SELECT (SELECT coalesce(sum(billed_tenths), 0) FROM video_consultation_metrics"
    "  WHERE provider = 'chime' AND date >= $1::timestamp AND date < $2::timestamp)::bigint"
    " + (SELECT coalesce(sum(ceil(greatest(0, extract(epoch FROM $3::timestamp - i.joined_at)) / 6)), 0)"
    "  FROM video_consultation_attendees a JOIN video_consultation_attendance i ON i.interval_id = a.open_interval_id"
    "  WHERE a.open_interval_id IS NOT NULL AND i.left_at IS NULL AND i.provider = 'chime'"
    "  AND i.joined_at >= $1::timestamp AND i.joined_at < $2::timestamp)::bigint";

constexpr auto kNoteThreshold =
    "WITH noted AS (INSERT INTO video_consultation_thresholds (month, percent) VALUES ($1, $2::integer)"
    "  ON CONFLICT DO NOTHING RETURNING month),"
    " told AS (INSERT INTO video_consultation_outbox"
    "  (event_id, session_id, routing_key, event_type, occurred_at, payload)"
    "  SELECT $3::text, $4::text, $5::text, $6::text, $7::timestamp, $8::text FROM noted)"
    " SELECT month FROM noted";

constexpr auto kRecordChimeEvent =
    "INSERT INTO video_consultation_chime_events"
    " (event_id, event_type, meeting_id, attendee_id, occurred_at, received_at) VALUES ($1, $2, $3, $4, $5, $6)"
    " ON CONFLICT (event_id) DO NOTHING RETURNING true";

/// How long person `d` was connected by what Chime reported of them in the meetings of the session: from each
/// AttendeeJoined to whatever came next of that attendee, or to the end of the meeting. Null without any report.
constexpr std::string_view kConnected =
    "(SELECT CASE WHEN count(*) > 0 THEN"
    "  coalesce(sum(micros) FILTER (WHERE event_type = 'chime:AttendeeJoined'), 0)::bigint END"
    " FROM (SELECT e.event_type, (extract(epoch FROM lead(e.occurred_at) OVER (PARTITION BY w.meeting_id, w.attendee_id"
    "   ORDER BY e.occurred_at, e.event_type = 'chime:AttendeeJoined') - e.occurred_at) * 1000000)::bigint AS micros"
    "  FROM (SELECT DISTINCT e.meeting_id, e.attendee_id FROM video_consultation_meetings t"
    "    JOIN video_consultation_chime_events e USING (meeting_id) WHERE t.session_id = d.session_id"
    "    AND e.attendee_id IN (SELECT attendee_id FROM video_consultation_attendance"
    "      WHERE session_id = d.session_id AND user_id = d.user_id AND provider = 'chime'"
    "     UNION SELECT chime_attendee_id FROM video_consultation_attendees"
    "      WHERE session_id = d.session_id AND user_id = d.user_id)) w"
    "  JOIN video_consultation_chime_events e ON e.meeting_id = w.meeting_id"
    "   AND (e.event_type = 'chime:MeetingEnded' OR e.attendee_id = w.attendee_id AND e.event_type IN"
    "    ('chime:AttendeeJoined', 'chime:AttendeeLeft', 'chime:AttendeeDropped', 'chime:AttendeeDeleted'))) seen)";

/// Pages go by person, so that whoever was at both providers is never torn apart. Records of an earlier service name no
/// person.
std::string meter_rows() {
    return "WITH dated AS ("
           " SELECT session_id, coalesce(user_id, '') AS user_id, provider" +
           std::string(kRecords) +
           "  AND session_id IS NOT NULL AND NOT retired"
           " UNION"
           " SELECT session_id, user_id, provider FROM video_consultation_attendance a"
           "  WHERE joined_at >= $1::timestamp AND joined_at < $2::timestamp AND left_at IS NOT NULL AND NOT EXISTS"
           "   (SELECT 1 FROM video_consultation_attendance b WHERE b.session_id = a.session_id"
           "    AND b.user_id = a.user_id AND b.provider = a.provider AND b.joined_at < $1::timestamp)),"
           " page AS (SELECT session_id, user_id FROM dated"
           "  WHERE (session_id COLLATE \"C\", user_id COLLATE \"C\") > ($3::text, $4::text)"
           "  GROUP BY session_id, user_id ORDER BY session_id COLLATE \"C\", user_id COLLATE \"C\" LIMIT $5::bigint)"
           " SELECT d.session_id, d.user_id, d.provider, coalesce(m.minutes, 0), coalesce(m.tenths, 0),"
           "  coalesce(i.micros, 0), CASE WHEN d.provider = 'chime' THEN coalesce(i.tenths, 0) ELSE 0 END,"
           "  CASE WHEN d.provider = 'chime' THEN " +
           std::string(kConnected) +
           " END FROM dated d JOIN page USING (session_id, user_id)"
           " CROSS JOIN LATERAL (SELECT sum(attendee_minutes_used)::bigint AS minutes,"
           "   sum(billed_tenths)::bigint AS tenths FROM video_consultation_metrics"
           "   WHERE session_id = d.session_id AND coalesce(user_id, '') = d.user_id AND provider = d.provider) m"
           " CROSS JOIN LATERAL (SELECT sum(micros)::bigint AS micros, sum((micros + 5999999) / 6000000)::bigint"
           "   AS tenths FROM (SELECT (extract(epoch FROM left_at - joined_at) * 1000000)::bigint AS micros"
           "    FROM video_consultation_attendance WHERE session_id = d.session_id AND user_id = d.user_id"
           "    AND provider = d.provider AND left_at IS NOT NULL) stays) i"
           " ORDER BY d.session_id COLLATE \"C\", d.user_id COLLATE \"C\", d.provider";
}

}  // namespace

const MeterStatements& meter_statements() {
    static const MeterStatements statements{
        .usage = {"usage", usage()},
        .usage_sessions = {"usage_sessions", usage_sessions()},
        .billed_tenths = {"billed_tenths", kBilledTenths},
        .note_threshold = {"note_threshold", kNoteThreshold},
        .record_quality = {"record_quality", quality_text('$')},
        .record_chime_event = {"record_chime_event", kRecordChimeEvent},
        .meter_rows = {"meter_rows", meter_rows()},
    };
    return statements;
}

}  // namespace store::postgres
