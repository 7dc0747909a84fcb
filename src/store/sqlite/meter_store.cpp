// The store as MeterStore.
#include "core/bytes.hpp"
#include "store/common/change_text.hpp"
#include "store/common/meter_figures.hpp"
#include "store/common/quality_text.hpp"
#include "store/sqlite/parts.hpp"
#include "store/sqlite/queries.hpp"

namespace store::sqlite {
namespace {

using core::Result;
using service::Task;
using service::Time;

/// A row that only holds reports of quality is no record of usage.
constexpr std::string_view kRecords =
    " FROM video_consultation_metrics WHERE date >= ?1 AND date < ?2"
    " AND (attendee_minutes_used > 0 OR billed_tenths > 0)";
constexpr auto kFigures =
    "SELECT (SELECT count(*) FROM video_consultation_sessions WHERE created_at >= ?1 AND created_at < ?2)"
    " + (SELECT coalesce(sum(sessions), 0) FROM video_consultation_retired_days WHERE day >= ?1 AND day < ?2),"
    " (SELECT count(*) FROM video_consultation_sessions WHERE status IN ('WAITING', 'ACTIVE')),"
    " (SELECT sum(micros) / 60000000.0 / nullif(sum(completed), 0) FROM ("
    "  SELECT actual_end_time - actual_start_time AS micros, 1 AS completed FROM video_consultation_sessions"
    "   WHERE status = 'COMPLETED' AND actual_end_time >= ?1 AND actual_end_time < ?2 AND actual_start_time IS NOT NULL"
    "  UNION ALL SELECT completed_micros, completed FROM video_consultation_retired_days"
    "   WHERE day >= ?1 AND day < ?2)),"
    " coalesce(sum(quality_reports), 0), sum(latency_sum) * 1.0 / nullif(sum(latency_reports), 0),"
    " sum(packet_loss_sum) / nullif(sum(packet_loss_reports), 0), sum(audio_sum) * 1.0 / nullif(sum(audio_reports), 0),"
    " sum(video_sum) * 1.0 / nullif(sum(video_reports), 0)"
    " FROM video_consultation_metrics WHERE date >= ?1 AND date < ?2";
constexpr std::string_view kSums =
    ", provider, sum(attendee_minutes_used), sum(billed_tenths), count(DISTINCT session_id)";
constexpr std::string_view kDay = "date - date % 86400000000";

service::Usage usage(Connection& connection, Time from, Time to) {
    static const std::string whole = "SELECT NULL" + std::string(kSums) + std::string(kRecords) + " GROUP BY provider";
    static const std::string by_day =
        "SELECT " + std::string(kDay) + std::string(kSums) + std::string(kRecords) + " GROUP BY 1, provider ORDER BY 1";
    const Snapshot snapshot(connection);
    service::Usage usage;
    {
        auto figures = connection.query(kFigures);
        figures.time(from);
        figures.time(to);
        figures.step();
        usage = read_usage_figures(figures.row());
    }
    for (const auto* text : {&whole, &by_day}) {
        auto rows = connection.query(*text);
        rows.time(from);
        rows.time(to);
        while (rows.step()) add_provider_usage(usage, rows.row(), 0);
    }
    return usage;
}

std::vector<service::SessionUsage> usage_sessions(Connection& connection, Time from, Time to, int limit) {
    static const std::string sql =
        "SELECT m.session_id, coalesce(s.doctor_id, ''), coalesce(s.patient_id, ''), m.provider, m.date, m.minutes,"
        " m.tenths FROM (SELECT session_id, provider, min(date) AS date, sum(attendee_minutes_used) AS minutes,"
        "  sum(billed_tenths) AS tenths" +
        std::string(kRecords) +
        "  GROUP BY session_id, provider) m"
        " LEFT JOIN video_consultation_sessions s ON s.session_id = m.session_id"
        " ORDER BY m.date DESC, m.session_id, m.provider LIMIT ?3";
    auto rows = connection.query(sql);
    rows.time(from);
    rows.time(to);
    rows.number(limit);
    std::vector<service::SessionUsage> sessions;
    while (rows.step()) sessions.push_back(read_session_usage(rows.row()));
    return sessions;
}

/// Who is inside now is a short list; the intervals of the month would be a long one.
std::int64_t billed_tenths(Connection& connection, Time from, Time to, Time now) {
    auto row = connection.query(
        "SELECT (SELECT coalesce(sum(billed_tenths), 0) FROM video_consultation_metrics"
        "  WHERE provider = 'chime' AND date >= ?1 AND date < ?2)"
        " + (SELECT coalesce(sum((max(0, ?3 - i.joined_at) + 5999999) / 6000000), 0)"
        "  FROM video_consultation_attendees a JOIN video_consultation_attendance i ON i.interval_id = "
        "a.open_interval_id"
        "  WHERE a.open_interval_id IS NOT NULL AND i.left_at IS NULL AND i.provider = 'chime'"
        "  AND i.joined_at >= ?1 AND i.joined_at < ?2)");
    row.time(from);
    row.time(to);
    row.time(now);
    row.step();
    return row.row().number(0);
}

bool note_threshold(Connection& connection, const std::string& month, int percent, const consultation::Event& event) {
    {
        auto insert = connection.query(
            "INSERT INTO video_consultation_thresholds (month, percent) VALUES (?1, ?2) ON CONFLICT DO NOTHING");
        insert.text(month);
        insert.number(percent);
        insert.run();
    }
    if (connection.changes() == 0) return false;
    append(connection, event);
    return true;
}

bool record_chime_event(Connection& connection, const service::ChimeEvent& event, Time now) {
    auto insert = connection.query(
        "INSERT INTO video_consultation_chime_events"
        " (event_id, event_type, meeting_id, attendee_id, occurred_at, received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (event_id) DO NOTHING");
    insert.text(event.event_id);
    insert.text(event.event_type);
    insert.text(event.meeting_id);
    insert.text(event.attendee_id);
    insert.time(event.occurred_at);
    insert.time(now);
    insert.run();
    return connection.changes() > 0;
}

/// How long person `d` was connected by what Chime reported of them in the meetings of the session: from each
/// AttendeeJoined to whatever came next of that attendee, or to the end of the meeting. Null without any report.
constexpr std::string_view kConnected =
    "(SELECT CASE WHEN count(*) > 0 THEN"
    "  coalesce(sum(micros) FILTER (WHERE event_type = 'chime:AttendeeJoined'), 0) END"
    " FROM (SELECT e.event_type, lead(e.occurred_at) OVER (PARTITION BY w.meeting_id, w.attendee_id"
    "   ORDER BY e.occurred_at, e.event_type = 'chime:AttendeeJoined') - e.occurred_at AS micros"
    "  FROM (SELECT DISTINCT e.meeting_id, e.attendee_id FROM video_consultation_meetings t"
    "    JOIN video_consultation_chime_events e ON e.meeting_id = t.meeting_id WHERE t.session_id = d.session_id"
    "    AND e.attendee_id IN (SELECT attendee_id FROM video_consultation_attendance"
    "      WHERE session_id = d.session_id AND user_id = d.user_id AND provider = 'chime'"
    "     UNION SELECT chime_attendee_id FROM video_consultation_attendees"
    "      WHERE session_id = d.session_id AND user_id = d.user_id)) w"
    "  JOIN video_consultation_chime_events e ON e.meeting_id = w.meeting_id"
    "   AND (e.event_type = 'chime:MeetingEnded' OR e.attendee_id = w.attendee_id AND e.event_type IN"
    "    ('chime:AttendeeJoined', 'chime:AttendeeLeft', 'chime:AttendeeDropped', 'chime:AttendeeDeleted'))))";

/// Pages go by person, so that whoever was at both providers is never torn apart. Records of an earlier service name no
/// person.
const std::string& meter_rows_text() {
    static const std::string sql =
        "WITH dated AS ("
        " SELECT session_id, coalesce(user_id, '') AS user_id, provider" +
        std::string(kRecords) +
        "  AND session_id IS NOT NULL AND NOT retired"
        " UNION"
        " SELECT session_id, user_id, provider FROM video_consultation_attendance a"
        "  WHERE joined_at >= ?1 AND joined_at < ?2 AND left_at IS NOT NULL AND NOT EXISTS"
        "   (SELECT 1 FROM video_consultation_attendance b WHERE b.session_id = a.session_id"
        "    AND b.user_id = a.user_id AND b.provider = a.provider AND b.joined_at < ?1)),"
        " page AS (SELECT session_id, user_id FROM dated WHERE (session_id, user_id) > (?3, ?4)"
        "  GROUP BY session_id, user_id ORDER BY session_id, user_id LIMIT ?5)"
        " SELECT d.session_id, d.user_id, d.provider,"
        "  (SELECT coalesce(sum(m.attendee_minutes_used), 0) FROM video_consultation_metrics m"
        "   WHERE m.session_id = d.session_id AND coalesce(m.user_id, '') = d.user_id AND m.provider = d.provider),"
        "  (SELECT coalesce(sum(m.billed_tenths), 0) FROM video_consultation_metrics m"
        "   WHERE m.session_id = d.session_id AND coalesce(m.user_id, '') = d.user_id AND m.provider = d.provider),"
        "  (SELECT coalesce(sum(i.left_at - i.joined_at), 0) FROM video_consultation_attendance i"
        "   WHERE i.session_id = d.session_id AND i.user_id = d.user_id AND i.provider = d.provider),"
        "  CASE WHEN d.provider = 'chime' THEN (SELECT coalesce(sum((i.left_at - i.joined_at + 5999999) / 6000000), 0)"
        "   FROM video_consultation_attendance i"
        "   WHERE i.session_id = d.session_id AND i.user_id = d.user_id AND i.provider = d.provider) ELSE 0 END,"
        "  CASE WHEN d.provider = 'chime' THEN " +
        std::string(kConnected) +
        " END FROM dated d JOIN page USING (session_id, user_id)"
        " ORDER BY d.session_id, d.user_id, d.provider";
    return sql;
}

std::vector<service::MeterRow> meter_rows(Connection& connection, Time from, Time to, const std::string& after_session,
                                          const std::string& after_user, int limit) {
    auto rows = connection.query(meter_rows_text());
    rows.time(from);
    rows.time(to);
    rows.text(after_session);
    rows.text(after_user);
    rows.number(limit);
    std::vector<service::MeterRow> read;
    while (rows.step()) read.push_back(read_meter_row(rows.row()));
    return read;
}

}  // namespace

Task<Result<service::Usage>> SqliteStore::usage(Time from, Time to) {
    return parts_->read<service::Usage>(
        [from, to](Connection& connection) { return sqlite::usage(connection, from, to); });
}

Task<Result<std::vector<service::SessionUsage>>> SqliteStore::usage_sessions(Time from, Time to, int limit) {
    return parts_->read<std::vector<service::SessionUsage>>(
        [from, to, limit](Connection& connection) { return sqlite::usage_sessions(connection, from, to, limit); });
}

Task<Result<std::int64_t>> SqliteStore::billed_tenths(Time from, Time to, Time now) {
    return parts_->read<std::int64_t>(
        [from, to, now](Connection& connection) { return sqlite::billed_tenths(connection, from, to, now); });
}

Task<Result<bool>> SqliteStore::note_threshold(std::string month, int percent, consultation::Event event) {
    return parts_->write<bool>([month = std::move(month), percent, event = std::move(event)](Connection& connection) {
        return sqlite::note_threshold(connection, month, percent, event);
    });
}

Task<Result<void>> SqliteStore::record_quality(std::string session_id, std::string user_id,
                                               consultation::Provider provider, service::QualityReport report,
                                               Time now) {
    return parts_->write<void>([session = std::move(session_id), user = std::move(user_id), provider,
                                report = std::move(report), now](Connection& connection) {
        static const std::string sql = quality_text('?');
        const auto metric_id = core::uuid4();
        auto upsert = connection.query(sql);
        write_quality(upsert, metric_id, session, user, provider, report, now);
        upsert.run();
    });
}

Task<Result<bool>> SqliteStore::record_chime_event(service::ChimeEvent event, Time now) {
    return parts_->write<bool>([event = std::move(event), now](Connection& connection) {
        return sqlite::record_chime_event(connection, event, now);
    });
}

Task<Result<std::vector<service::MeterRow>>> SqliteStore::meter_rows(Time from, Time to, std::string after_session,
                                                                     std::string after_user, int limit) {
    return parts_->read<std::vector<service::MeterRow>>(
        [from, to, session = std::move(after_session), user = std::move(after_user), limit](Connection& connection) {
            return sqlite::meter_rows(connection, from, to, session, user, limit);
        });
}

}  // namespace store::sqlite
