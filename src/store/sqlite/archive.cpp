// The store as Archive.
#include "store/common/archive_rows.hpp"
#include "store/common/audit_rows.hpp"
#include "store/sqlite/parts.hpp"

namespace store::sqlite {
namespace {

using core::Result;
using service::Leftover;
using service::Task;
using service::Time;

#define CLOSED "('COMPLETED', 'CANCELLED', 'NO_SHOW')"

std::vector<std::string> ids_of(Query rows) {
    std::vector<std::string> ids;
    while (rows.step()) ids.emplace_back(rows.row().text(0));
    return ids;
}

void run_for(Connection& connection, std::string_view sql, std::string_view session_id) {
    auto statement = connection.query(sql);
    statement.text(session_id);
    statement.run();
}

void rename_people(Connection& connection, const std::string& session_id,
                   const std::vector<std::pair<std::string, std::string>>& names) {
    for (const auto& [from, to] : names) {
        for (const std::string_view table : {"video_consultation_attendance", "video_consultation_metrics"}) {
            const std::string sql =
                "UPDATE " + std::string(table) + " SET user_id = ?3 WHERE session_id = ?1 AND user_id = ?2";
            auto update = connection.query(sql);
            update.text(session_id);
            update.text(from);
            update.text(to);
            update.run();
        }
    }
    run_for(connection, "UPDATE video_consultation_metrics SET issue_description = NULL WHERE session_id = ?1",
            session_id);
    run_for(connection,
            "UPDATE video_consultation_attendees SET join_token = NULL, ip_address = NULL WHERE session_id = ?1",
            session_id);
    run_for(connection, "DELETE FROM video_consultation_idempotency WHERE session_id = ?1", session_id);
}

/// What the month's figures need of a session that goes.
void count_as_retired(Connection& connection, const std::string& session_id) {
    run_for(connection,
            "INSERT INTO video_consultation_retired_days (day, sessions, completed, completed_micros)"
            " SELECT day, sum(sessions), sum(completed), sum(micros) FROM ("
            "  SELECT created_at - created_at % 86400000000 AS day, 1 AS sessions, 0 AS completed, 0 AS micros"
            "   FROM video_consultation_sessions WHERE session_id = ?1"
            "  UNION ALL SELECT actual_end_time - actual_end_time % 86400000000, 0, 1,"
            "   actual_end_time - actual_start_time FROM video_consultation_sessions"
            "   WHERE session_id = ?1 AND status = 'COMPLETED' AND actual_start_time IS NOT NULL"
            "   AND actual_end_time IS NOT NULL) WHERE true GROUP BY day"
            " ON CONFLICT (day) DO UPDATE SET sessions = sessions + excluded.sessions,"
            "  completed = completed + excluded.completed,"
            "  completed_micros = completed_micros + excluded.completed_micros",
            session_id);
    run_for(connection, "UPDATE video_consultation_metrics SET retired = 1 WHERE session_id = ?1", session_id);
}

bool purge(Connection& connection, const std::string& session_id, std::int64_t version) {
    {
        auto found = connection.query(
            "SELECT 1 FROM video_consultation_sessions WHERE session_id = ?1 AND version = ?2"
            " AND status IN " CLOSED);
        found.text(session_id);
        found.number(version);
        if (!found.step()) return false;
    }
    count_as_retired(connection, session_id);
    run_for(connection,
            "DELETE FROM video_consultation_chime_events WHERE meeting_id IN"
            " (SELECT meeting_id FROM video_consultation_meetings WHERE session_id = ?1)",
            session_id);
    for (const std::string_view table :
         {"video_consultation_idempotency", "video_consultation_meetings", "video_consultation_attendance",
          "video_consultation_attendees", "video_consultation_sessions"}) {
        run_for(connection, "DELETE FROM " + std::string(table) + " WHERE session_id = ?1", session_id);
    }
    return true;
}

constexpr std::string_view text_of(Leftover what) {
    switch (what) {
        case Leftover::chime_events:
            return "DELETE FROM video_consultation_chime_events WHERE rowid IN (SELECT rowid"
                   " FROM video_consultation_chime_events WHERE received_at < ?1 LIMIT ?2)";
        case Leftover::meetings:
            return "DELETE FROM video_consultation_meetings WHERE rowid IN (SELECT m.rowid"
                   " FROM video_consultation_meetings m JOIN video_consultation_sessions s ON s.session_id ="
                   " m.session_id WHERE m.ended_at < ?1 AND s.updated_at < ?1 AND s.status IN " CLOSED " LIMIT ?2)";
        case Leftover::idempotency:
            return "DELETE FROM video_consultation_idempotency WHERE rowid IN (SELECT rowid"
                   " FROM video_consultation_idempotency WHERE created_at < ?1 LIMIT ?2)";
        case Leftover::leases:
            break;
    }
    return "DELETE FROM video_consultation_leases WHERE rowid IN (SELECT rowid"
           " FROM video_consultation_leases WHERE expires_at < ?1 LIMIT ?2)";
}

}  // namespace

Task<Result<std::vector<std::string>>> SqliteStore::expired(Time before, int limit) {
    return parts_->read<std::vector<std::string>>([before, limit](Connection& connection) {
        auto rows = connection.query(
            "SELECT session_id FROM video_consultation_sessions WHERE retired_at IS NULL AND status IN " CLOSED
            " AND updated_at < ?1 AND scheduled_end_time < ?1 ORDER BY updated_at, session_id LIMIT ?2");
        rows.time(before);
        rows.number(limit);
        return ids_of(std::move(rows));
    });
}

Task<Result<void>> SqliteStore::rename_people(std::string session_id,
                                              std::vector<std::pair<std::string, std::string>> names) {
    return parts_->write<void>([id = std::move(session_id), names = std::move(names)](Connection& connection) {
        sqlite::rename_people(connection, id, names);
    });
}

Task<Result<void>> SqliteStore::mark_retired(std::string session_id, Time now) {
    return parts_->write<void>([id = std::move(session_id), now](Connection& connection) {
        auto update = connection.query(
            "UPDATE video_consultation_sessions SET retired_at = ?2, appointment_key = NULL"
            " WHERE session_id = ?1 AND status IN " CLOSED);
        update.text(id);
        update.time(now);
        update.run();
    });
}

Task<Result<bool>> SqliteStore::purge(std::string session_id, std::int64_t version) {
    return parts_->write<bool>([id = std::move(session_id), version](Connection& connection) {
        return sqlite::purge(connection, id, version);
    });
}

Task<Result<int>> SqliteStore::prune(Leftover what, Time before, int limit) {
    return parts_->write<int>([what, before, limit](Connection& connection) {
        auto remove = connection.query(text_of(what));
        remove.time(before);
        remove.number(limit);
        remove.run();
        return connection.changes();
    });
}

Task<Result<std::vector<std::string>>> SqliteStore::sessions_of_patient(std::string patient_id, std::string after,
                                                                        int limit) {
    return parts_->read<std::vector<std::string>>(
        [patient = std::move(patient_id), after = std::move(after), limit](Connection& connection) {
            auto rows = connection.query(
                "SELECT session_id FROM video_consultation_sessions WHERE patient_id = ?1 AND session_id > ?2"
                " ORDER BY session_id LIMIT ?3");
            rows.text(patient);
            rows.text(after);
            rows.number(limit);
            return ids_of(std::move(rows));
        });
}

Task<Result<std::vector<consultation::Interval>>> SqliteStore::stays(std::string session_id) {
    return parts_->read<std::vector<consultation::Interval>>([id = std::move(session_id)](Connection& connection) {
        static const std::string sql =
            "SELECT " + std::string(kStayColumns) +
            " FROM video_consultation_attendance WHERE session_id = ?1 ORDER BY joined_at, interval_id";
        auto rows = connection.query(sql);
        rows.text(id);
        std::vector<consultation::Interval> stays;
        while (rows.step()) stays.push_back(read_stay(rows.row()));
        return stays;
    });
}

Task<Result<std::vector<service::PersonFigures>>> SqliteStore::figures(std::string session_id) {
    return parts_->read<std::vector<service::PersonFigures>>([id = std::move(session_id)](Connection& connection) {
        static const std::string sql =
            "SELECT " + std::string(kPersonColumns) +
            " FROM video_consultation_metrics WHERE session_id = ?1 AND user_id IS NOT NULL ORDER BY user_id, provider";
        auto rows = connection.query(sql);
        rows.text(id);
        std::vector<service::PersonFigures> people;
        while (rows.step()) people.push_back(read_person_figures(rows.row()));
        return people;
    });
}

Task<Result<std::vector<service::AuditRow>>> SqliteStore::audit_rows(std::string session_id,
                                                                     std::int64_t after_sequence, int limit) {
    return parts_->read<std::vector<service::AuditRow>>(
        [id = std::move(session_id), after_sequence, limit](Connection& connection) {
            static const std::string sql = "SELECT " + joined(kAuditColumns) +
                                           " FROM video_consultation_events WHERE session_id = ?1 AND sequence > ?2"
                                           " ORDER BY sequence LIMIT ?3";
            auto rows = connection.query(sql);
            rows.text(id);
            rows.number(after_sequence);
            rows.number(limit);
            std::vector<service::AuditRow> found;
            while (rows.step()) found.push_back(read_audit_row(rows.row()));
            return found;
        });
}

Task<Result<std::vector<service::Consent>>> SqliteStore::consents_of(std::string patient_id) {
    return parts_->read<std::vector<service::Consent>>([id = std::move(patient_id)](Connection& connection) {
        static const std::string sql = "SELECT " + std::string(kWholeConsentColumns) +
                                       " FROM video_consultation_consents WHERE patient_id = ?1 ORDER BY given_at";
        auto rows = connection.query(sql);
        rows.text(id);
        std::vector<service::Consent> consents;
        while (rows.step()) consents.push_back(read_whole_consent(rows.row()));
        return consents;
    });
}

}  // namespace store::sqlite
