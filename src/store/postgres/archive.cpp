// The store as Archive.
#include "store/common/archive_rows.hpp"
#include "store/common/audit_rows.hpp"
#include "store/postgres/answers.hpp"
#include "store/postgres/array_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using core::Result;
using service::Leftover;
using service::Task;
using service::Time;

#define CLOSED "('COMPLETED', 'CANCELLED', 'NO_SHOW')"

constexpr auto kExpired =
    "SELECT session_id FROM video_consultation_sessions WHERE retired_at IS NULL AND status IN " CLOSED
    " AND updated_at < $1::timestamp AND scheduled_end_time < $1::timestamp"
    " ORDER BY updated_at, session_id LIMIT $2::bigint";

constexpr auto kRenamePeople =
    "WITH names AS (SELECT * FROM unnest($2::text[], $3::text[]) AS n (before, after)),"
    " stays AS (UPDATE video_consultation_attendance a SET user_id = n.after FROM names n"
    "  WHERE a.session_id = $1 AND a.user_id = n.before),"
    " figures AS (UPDATE video_consultation_metrics m SET issue_description = NULL,"
    "  user_id = coalesce((SELECT after FROM names n WHERE n.before = m.user_id), m.user_id) WHERE m.session_id = $1),"
    " traces AS (UPDATE video_consultation_attendees SET join_token = NULL, ip_address = NULL WHERE session_id = $1)"
    " DELETE FROM video_consultation_idempotency WHERE session_id = $1";

constexpr auto kMarkRetired =
    "UPDATE video_consultation_sessions SET retired_at = $2::timestamp, appointment_key = NULL"
    " WHERE session_id = $1 AND status IN " CLOSED;

/// What hangs on the session by key goes with it.
constexpr auto kPurge =
    "WITH gone AS (DELETE FROM video_consultation_sessions WHERE session_id = $1 AND version = $2::bigint"
    "  AND status IN " CLOSED
    "  RETURNING session_id, created_at, status, actual_start_time, actual_end_time),"
    " days AS (INSERT INTO video_consultation_retired_days AS r (day, sessions, completed, completed_micros)"
    "  SELECT day, sum(sessions), sum(completed), sum(micros) FROM ("
    "   SELECT date_trunc('day', created_at) AS day, 1 AS sessions, 0 AS completed, 0::bigint AS micros FROM gone"
    "   UNION ALL SELECT date_trunc('day', actual_end_time), 0, 1,"
    "    (extract(epoch FROM actual_end_time - actual_start_time) * 1000000)::bigint FROM gone"
    "    WHERE status = 'COMPLETED' AND actual_start_time IS NOT NULL AND actual_end_time IS NOT NULL) d"
    "  GROUP BY day ON CONFLICT (day) DO UPDATE SET sessions = r.sessions + excluded.sessions,"
    "   completed = r.completed + excluded.completed,"
    "   completed_micros = r.completed_micros + excluded.completed_micros),"
    " figures AS (UPDATE video_consultation_metrics m SET retired = true FROM gone"
    "  WHERE m.session_id = gone.session_id),"
    " told AS (DELETE FROM video_consultation_chime_events e USING gone, video_consultation_meetings t"
    "  WHERE t.session_id = gone.session_id AND e.meeting_id = t.meeting_id),"
    " keys AS (DELETE FROM video_consultation_idempotency i USING gone WHERE i.session_id = gone.session_id)"
    " SELECT count(*) FROM gone";

#define PRUNE(TABLE, KEY, CONDITION)                                \
    "WITH old AS (SELECT " KEY " FROM " TABLE " WHERE " CONDITION   \
    " LIMIT $2::bigint FOR UPDATE SKIP LOCKED),"                    \
    " gone AS (DELETE FROM " TABLE " WHERE " KEY " IN (SELECT " KEY \
    " FROM old) RETURNING 1)"                                       \
    " SELECT count(*) FROM gone"

constexpr auto kPruneMeetings =
    "WITH old AS (SELECT m.meeting_id FROM video_consultation_meetings m"
    "  JOIN video_consultation_sessions s USING (session_id) WHERE m.ended_at < $1::timestamp"
    "  AND s.updated_at < $1::timestamp AND s.status IN " CLOSED
    " LIMIT $2::bigint),"
    " gone AS (DELETE FROM video_consultation_meetings WHERE meeting_id IN (SELECT meeting_id FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone";

struct ArchiveStatements {
    Statement expired{"expired", kExpired};
    Statement rename_people{"rename_people", kRenamePeople};
    Statement mark_retired{"mark_retired", kMarkRetired};
    Statement purge{"purge", kPurge};
    Statement prune_chime_events{"prune_chime_events",
                                 PRUNE("video_consultation_chime_events", "event_id", "received_at < $1::timestamp")};
    Statement prune_meetings{"prune_meetings_of_sessions", kPruneMeetings};
    Statement prune_idempotency{
        "prune_idempotency",
        "WITH old AS (SELECT user_id, key FROM video_consultation_idempotency WHERE created_at < $1::timestamp"
        "  LIMIT $2::bigint FOR UPDATE SKIP LOCKED),"
        " gone AS (DELETE FROM video_consultation_idempotency i USING old WHERE i.user_id = old.user_id"
        "  AND i.key = old.key RETURNING 1) SELECT count(*) FROM gone"};
    Statement prune_leases{"prune_leases", PRUNE("video_consultation_leases", "name", "expires_at < $1::timestamp")};
    Statement of_patient{"sessions_of_patient",
                         "SELECT session_id FROM video_consultation_sessions WHERE patient_id = $1"
                         " AND session_id COLLATE \"C\" > $2 ORDER BY session_id COLLATE \"C\" LIMIT $3::bigint"};
    Statement stays{"stays", "SELECT " + std::string(kStayColumns) +
                                 " FROM video_consultation_attendance WHERE session_id = $1"
                                 " ORDER BY joined_at, interval_id"};
    Statement figures{"person_figures", "SELECT " + std::string(kPersonColumns) +
                                            " FROM video_consultation_metrics WHERE session_id = $1"
                                            " AND user_id IS NOT NULL ORDER BY user_id, provider"};
    Statement audit_rows{"audit_rows", "SELECT " + joined(kAuditColumns) +
                                           " FROM video_consultation_events WHERE session_id = $1"
                                           " AND sequence > $2::bigint ORDER BY sequence LIMIT $3::bigint"};
    Statement consents{"consents_of_patient", "SELECT " + std::string(kWholeConsentColumns) +
                                                  " FROM video_consultation_consents WHERE patient_id = $1"
                                                  " ORDER BY given_at"};

    const Statement& prune(Leftover what) const {
        switch (what) {
            case Leftover::chime_events:
                return prune_chime_events;
            case Leftover::meetings:
                return prune_meetings;
            case Leftover::idempotency:
                return prune_idempotency;
            case Leftover::leases:
                break;
        }
        return prune_leases;
    }
};

const ArchiveStatements& statements() {
    static const ArchiveStatements made;
    return made;
}

template <class T, class Read>
std::vector<T> all_of(const PGresult* rows, Read read) {
    std::vector<T> all;
    all.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int row = 0; row < PQntuples(rows); ++row) all.push_back(read(ResultRow(rows, row)));
    return all;
}

}  // namespace

Task<Result<std::vector<std::string>>> PostgresStore::expired(Time before, int limit) {
    Params params;
    params.time(before);
    params.number(limit);
    return parts_->read(statements().expired, std::move(params), ids_of);
}

Task<Result<void>> PostgresStore::rename_people(std::string session_id,
                                                std::vector<std::pair<std::string, std::string>> names) {
    ArrayText before;
    ArrayText after;
    for (const auto& [from, to] : names) {
        before.add(from);
        after.add(to);
    }
    return parts_->write(statements().rename_people, texts(session_id, before.take(), after.take()), nothing);
}

Task<Result<void>> PostgresStore::mark_retired(std::string session_id, Time now) {
    auto params = texts(session_id);
    params.time(now);
    return parts_->write(statements().mark_retired, std::move(params), nothing);
}

Task<Result<bool>> PostgresStore::purge(std::string session_id, std::int64_t version) {
    auto params = texts(session_id);
    params.number(version);
    return parts_->write(statements().purge, std::move(params),
                         [](const PGresult* rows) { return count_of(rows) > 0; });
}

Task<Result<int>> PostgresStore::prune(Leftover what, Time before, int limit) {
    Params params;
    params.time(before);
    params.number(limit);
    return parts_->write(statements().prune(what), std::move(params), count_of);
}

Task<Result<std::vector<std::string>>> PostgresStore::sessions_of_patient(std::string patient_id, std::string after,
                                                                          int limit) {
    auto params = texts(patient_id, after);
    params.number(limit);
    return parts_->read(statements().of_patient, std::move(params), ids_of);
}

Task<Result<std::vector<consultation::Interval>>> PostgresStore::stays(std::string session_id) {
    return parts_->read(statements().stays, texts(session_id), [](const PGresult* rows) {
        return all_of<consultation::Interval>(rows, [](const ResultRow& row) { return read_stay(row); });
    });
}

Task<Result<std::vector<service::PersonFigures>>> PostgresStore::figures(std::string session_id) {
    return parts_->read(statements().figures, texts(session_id), [](const PGresult* rows) {
        return all_of<service::PersonFigures>(rows, [](const ResultRow& row) { return read_person_figures(row); });
    });
}

Task<Result<std::vector<service::AuditRow>>> PostgresStore::audit_rows(std::string session_id,
                                                                       std::int64_t after_sequence, int limit) {
    auto params = texts(session_id);
    params.number(after_sequence);
    params.number(limit);
    return parts_->read(statements().audit_rows, std::move(params), [](const PGresult* rows) {
        return all_of<service::AuditRow>(rows, [](const ResultRow& row) { return read_audit_row(row); });
    });
}

Task<Result<std::vector<service::Consent>>> PostgresStore::consents_of(std::string patient_id) {
    return parts_->read(statements().consents, texts(patient_id), [](const PGresult* rows) {
        return all_of<service::Consent>(rows, [](const ResultRow& row) { return read_whole_consent(row); });
    });
}

}  // namespace store::postgres
