#include "core/bytes.hpp"
#include "store/common/change_text.hpp"
#include "store/common/rows.hpp"
#include "store/sqlite/queries.hpp"

namespace store::sqlite {
namespace {

using service::Committed;

bool exists(Connection& connection, std::string_view sql, std::initializer_list<std::string_view> parameters) {
    auto row = connection.query(sql);
    for (const auto parameter : parameters) row.text(parameter);
    return row.step();
}

/// Another visit of the doctor or the patient at that time. Visits are hours long at most, so that a day before is far
/// enough to look back; that keeps it within the indexes of the lists. The writer is alone, so it stays true.
bool overlaps(Connection& connection, const Session& session) {
    static const auto text = [](std::string_view column) {
        return "SELECT 1 FROM video_consultation_sessions WHERE " + std::string(column) +
               " = ?1 AND scheduled_start_time < ?2 AND scheduled_start_time > ?3 AND scheduled_end_time > ?4"
               " AND status IN ('SCHEDULED', 'WAITING', 'ACTIVE') AND session_id <> ?5 LIMIT 1";
    };
    static const std::string of_doctor = text("doctor_id");
    static const std::string of_patient = text("patient_id");
    const auto busy = [&](const std::string& sql, const std::string& person) {
        auto row = connection.query(sql);
        row.text(person);
        row.time(session.scheduled_end_time);
        row.time(session.scheduled_start_time - std::chrono::days{1});
        row.time(session.scheduled_start_time);
        row.text(session.session_id);
        return row.step();
    };
    return busy(of_doctor, session.doctor_id) || busy(of_patient, session.patient_id);
}

Committed insert_session(Connection& connection, const Session& session,
                         const std::optional<service::IdempotencyRecord>& idempotency, bool no_overlap) {
    const auto key = appointment_key(session);
    if (key && exists(connection,
                      "SELECT 1 FROM video_consultation_sessions WHERE appointment_id = ?1 AND status <> 'CANCELLED'",
                      {*key})) {
        return Committed::duplicate_appointment;
    }
    if (idempotency &&
        exists(connection, "SELECT 1 FROM video_consultation_idempotency WHERE user_id = ?1 AND key = ?2",
               {idempotency->user_id, idempotency->key})) {
        return Committed::duplicate_key;
    }
    if (exists(connection, "SELECT 1 FROM video_consultation_sessions WHERE session_id = ?1", {session.session_id})) {
        return Committed::stale;
    }
    static const std::string sql = [] {
        std::string text =
            "INSERT INTO video_consultation_sessions (" + joined(kSessionColumns) + ", appointment_key) VALUES (?1";
        for (int i = 2; i <= kSessionColumnCount + 1; ++i) text += ", ?" + std::to_string(i);
        return text + ")";
    }();
    if (no_overlap && overlaps(connection, session)) return Committed::overlap;
    auto insert = connection.query(sql);
    write_session(insert, session);
    insert.optional(key);
    insert.run();
    return Committed::applied;
}

Committed update_session(Connection& connection, const Session& session, std::int64_t expected_version,
                         bool no_overlap) {
    if (no_overlap && overlaps(connection, session)) return Committed::overlap;
    static const std::string sql = [] {
        std::string text = "UPDATE video_consultation_sessions SET ";
        for (int i = 1; i < kSessionColumnCount; ++i) {
            text.append(kSessionColumns.at(static_cast<std::size_t>(i))).append(" = ?") += std::to_string(i + 1) + ", ";
        }
        return text +
               "appointment_key = CASE WHEN ?7 = 'CANCELLED' THEN NULL ELSE appointment_key END "
               "WHERE session_id = ?1 AND version = ?" +
               std::to_string(kSessionColumnCount + 1);
    }();
    auto update = connection.query(sql);
    write_session(update, session);
    update.number(expected_version);
    update.run();
    return connection.changes() == 1 ? Committed::applied : Committed::stale;
}

void write_attendees(Connection& connection, const Session& session) {
    // A heartbeat touches no version: one that came since the session was read is the newer truth and stays.
    static const std::string sql = [] {
        constexpr int kOthers = kAttendeeColumnCount + 1;
        std::string text = "INSERT INTO video_consultation_attendees (" + joined(kAttendeeColumns) +
                           ", session_id, is_active, created_at, updated_at) VALUES (?1";
        for (int i = 2; i <= kOthers + 1; ++i) text += ", ?" + std::to_string(i);
        const std::string now = "?" + std::to_string(kOthers + 2);
        text += ", " + now + ", " + now + ") ON CONFLICT (attendee_id) DO UPDATE SET ";
        for (std::size_t i = 1; i < kAttendeeColumns.size() - 2; ++i) {
            text.append(kAttendeeColumns[i]).append(" = excluded.").append(kAttendeeColumns[i]).append(", ");
        }
        const std::string newer =
            " = CASE WHEN open_interval_id = excluded.open_interval_id AND last_seen_at > excluded.last_seen_at THEN ";
        return text + "last_seen_at" + newer + "last_seen_at ELSE excluded.last_seen_at END, present_until" + newer +
               "present_until ELSE excluded.present_until END, "
               "is_active = excluded.is_active, updated_at = excluded.updated_at";
    }();
    for (const auto& attendee : session.attendees) {
        auto upsert = connection.query(sql);
        write_attendee(upsert, attendee);
        upsert.text(session.session_id);
        upsert.number(attendee.present() ? 1 : 0);
        upsert.time(session.updated_at);
        upsert.run();
    }
}

void write_intervals(Connection& connection, const consultation::Change& change) {
    for (const auto& interval : change.intervals) {
        auto upsert = connection.query(
            "INSERT INTO video_consultation_attendance (interval_id, session_id, user_id, role, joined_at, left_at,"
            " provider, meeting_id, attendee_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            " ON CONFLICT (interval_id) DO UPDATE SET joined_at = excluded.joined_at, left_at = excluded.left_at");
        upsert.text(interval.interval_id);
        upsert.text(interval.session_id);
        upsert.text(interval.user_id);
        upsert.text(consultation::to_text(interval.role));
        upsert.time(interval.joined_at);
        upsert.optional(interval.left_at);
        upsert.text(consultation::to_text(interval.provider));
        detail::write_or_null(upsert, interval.meeting_id);
        detail::write_or_null(upsert, attendee_id_of(change, interval.user_id));
        upsert.run();
    }
}

void write_usage(Connection& connection, const consultation::Change& change) {
    for (const auto& usage : change.usage) {
        const std::string metric_id = core::uuid4();
        auto upsert = connection.query(
            "INSERT INTO video_consultation_metrics (metric_id, session_id, user_id, attendee_minutes_used, date,"
            " session_completed, created_at, provider, billed_tenths) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            " ON CONFLICT (session_id, user_id, provider) DO UPDATE SET"
            " attendee_minutes_used = excluded.attendee_minutes_used, billed_tenths = excluded.billed_tenths,"
            " date = excluded.date, session_completed = excluded.session_completed");
        upsert.text(metric_id);
        upsert.text(usage.session_id);
        upsert.text(usage.user_id);
        upsert.number(usage.attendee_minutes);
        upsert.time(usage.date);
        upsert.number(usage.session_completed ? 1 : 0);
        upsert.time(change.after.updated_at);
        upsert.text(consultation::to_text(usage.provider));
        upsert.number(usage.billed_tenths);
        upsert.run();
    }
}

void write_meetings(Connection& connection, const consultation::Change& change) {
    for (const auto& meeting : change.meetings) {
        auto upsert = connection.query(
            "INSERT INTO video_consultation_meetings AS t"
            " (meeting_id, session_id, provider, generation, created_at, ended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            " ON CONFLICT (meeting_id) DO UPDATE SET ended_at = coalesce(excluded.ended_at, t.ended_at)"
            " WHERE t.session_id = excluded.session_id");
        upsert.text(meeting.meeting_id);
        upsert.text(meeting.session_id);
        upsert.text(consultation::to_text(meeting.provider));
        upsert.number(meeting.generation);
        upsert.time(meeting.created_at);
        upsert.optional(meeting.ended_at);
        upsert.run();
    }
}

}  // namespace

Committed commit(Connection& connection, const consultation::Change& change,
                 const std::optional<service::IdempotencyRecord>& idempotency, const service::AuditKeys* keys) {
    const auto result = change.expected_version < 0
                            ? insert_session(connection, change.after, idempotency, change.no_overlap)
                            : update_session(connection, change.after, change.expected_version, change.no_overlap);
    if (result != Committed::applied) return result;
    write_attendees(connection, change.after);
    write_audit(connection, change.audit, keys);
    for (const auto& event : change.events) {
        if (!append(connection, event)) throw Failure{SQLITE_CONSTRAINT_UNIQUE};
    }
    write_intervals(connection, change);
    write_usage(connection, change);
    write_meetings(connection, change);
    for (const auto& job : change.jobs) add_job(connection, job);
    if (idempotency) {
        auto insert = connection.query(
            "INSERT INTO video_consultation_idempotency (user_id, key, body_hash, session_id, created_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5)");
        insert.text(idempotency->user_id);
        insert.text(idempotency->key);
        insert.text(idempotency->body_hash);
        insert.text(idempotency->session_id);
        insert.time(change.after.updated_at);
        insert.run();
    }
    return result;
}

void heartbeat(Connection& connection, const std::vector<service::Heartbeat>& beats) {
    for (const auto& beat : beats) {
        auto update = connection.query(
            "UPDATE video_consultation_attendees SET last_seen_at = max(coalesce(last_seen_at, ?2), ?2),"
            " present_until = max(present_until, ?3) WHERE chime_attendee_id = ?1 AND open_interval_id IS NOT NULL");
        update.text(beat.chime_attendee_id);
        update.time(beat.last_seen_at);
        update.time(beat.present_until);
        update.run();
    }
}

}  // namespace store::sqlite
