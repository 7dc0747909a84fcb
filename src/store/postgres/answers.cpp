#include "store/postgres/answers.hpp"

#include <stdexcept>

#include "store/common/tables.hpp"
#include "store/postgres/errors.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

/// Session columns from `first` on, then the array of attendees.
consultation::Session session_at(const PGresult* rows, int row, int first) {
    const ResultRow columns(rows, row, first);
    auto session = read_session(columns);
    if (columns.null(kSessionColumnCount)) return session;
    const auto records = records_of(columns.text(kSessionColumnCount));
    if (!records) throw std::runtime_error("attendees of an unknown form from the database");
    session.attendees.reserve(records->size());
    for (const auto& record : *records) {
        if (record.size() != kAttendeeColumns.size()) throw std::runtime_error("an attendee of an unknown form");
        session.attendees.push_back(read_attendee(record));
    }
    sort_attendees(session.attendees);
    return session;
}

}  // namespace

std::optional<consultation::Session> session_of(const PGresult* rows) {
    if (PQntuples(rows) == 0) return {};
    return session_at(rows, 0, 0);
}

service::SessionPage page_of(const PGresult* rows) {
    service::SessionPage page;
    const int count = PQntuples(rows);
    if (count > 0) page.total = ResultRow(rows, 0).number(0);
    page.sessions.reserve(static_cast<std::size_t>(count));
    for (int row = 0; row < count; ++row) {
        // A page past the end is one row without a session, which tells the total.
        if (!ResultRow(rows, row).null(1)) page.sessions.push_back(session_at(rows, row, 1));
    }
    return page;
}

std::vector<consultation::AuditEntry> audit_of(const PGresult* rows) {
    std::vector<consultation::AuditEntry> entries(static_cast<std::size_t>(PQntuples(rows)));
    int number = 0;
    for (auto& entry : entries) {
        const ResultRow row(rows, number++);
        detail::Columns<ResultRow> in{row};
        entry.event_id = in.text();
        entry.session_id = in.text();
        entry.event_type = in.text();
        entry.event_description = in.optional_text();
        entry.user_id = in.optional_text();
        entry.event_timestamp = in.time();
    }
    return entries;
}

std::vector<std::string> ids_of(const PGresult* rows) {
    std::vector<std::string> ids;
    ids.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int row = 0; row < PQntuples(rows); ++row) ids.emplace_back(ResultRow(rows, row).text(0));
    return ids;
}

int count_of(const PGresult* rows) {
    return static_cast<int>(ResultRow(rows, 0).number(0));
}

service::Backlog backlog_of(const PGresult* rows) {
    const ResultRow row(rows, 0);
    return {row.number(0), row.null(1) ? std::nullopt : std::optional(row.time(1))};
}

namespace {

/// An appointment or a key that is known comes first: its session is the answer, and overlaps with itself.
service::Committed guarded(const ResultRow& row, bool is_new) {
    using service::Committed;
    if (!row.null(0)) return Committed::applied;
    if (row.number(1) != 0) return Committed::duplicate_appointment;
    if (row.number(2) != 0) return Committed::duplicate_key;
    if (row.number(3) != 0) return Committed::overlap;
    return is_new ? Committed::duplicate_appointment : Committed::stale;
}

}  // namespace

std::optional<service::Committed> committed_of(const PGresult* answer, const CommitShape& shape) {
    using service::Committed;
    const bool is_new = shape.is_new;
    if (PQresultStatus(answer) == PGRES_TUPLES_OK) {
        if (shape.no_overlap) return guarded(ResultRow(answer, 0), is_new);
        if (PQntuples(answer) > 0) return Committed::applied;
        return is_new ? Committed::duplicate_appointment : Committed::stale;
    }
    const auto state = sqlstate_of(answer);
    if (lost_race(state)) return Committed::stale;
    constexpr std::string_view kUniqueViolation = "23505";
    if (state != kUniqueViolation) return {};
    const auto constraint = constraint_of(answer);
    if (constraint == "video_consultation_idempotency_key") return Committed::duplicate_key;
    if (is_new && constraint.ends_with("_pkey") && constraint.starts_with("video_consultation_sessions")) {
        return Committed::stale;
    }
    return {};
}

}  // namespace store::postgres
