// A change as one statement: the session row first, and everything else only if that row could be written.
#include <array>
#include <span>

#include "store/common/tables.hpp"
#include "store/postgres/statements.hpp"

namespace store::postgres {
namespace {

struct Column {
    std::string_view name;
    std::string_view type;
};

constexpr std::array<Column, 12> kAudit{{{"event_id", "text"},
                                         {"session_id", "text"},
                                         {"event_type", "text"},
                                         {"event_description", "text"},
                                         {"user_id", "text"},
                                         {"event_timestamp", "timestamp"},
                                         {"role", "text"},
                                         {"address", "text"},
                                         {"request_id", "text"},
                                         {"kind", "text"},
                                         {"row_mac", "text"},
                                         {"event_metadata", "text"}}};
constexpr std::array<Column, 7> kOutbox{{{"event_id", "text"},
                                         {"session_id", "text"},
                                         {"routing_key", "text"},
                                         {"event_type", "text"},
                                         {"occurred_at", "timestamp"},
                                         {"payload", "text"},
                                         {"trace_context", "text"}}};
constexpr std::array<Column, 30> kAttendees{{{"attendee_id", "text"},
                                             {"user_id", "text"},
                                             {"role", "text"},
                                             {"chime_attendee_id", "text"},
                                             {"external_user_id", "text"},
                                             {"joined_at", "timestamp"},
                                             {"left_at", "timestamp"},
                                             {"device_type", "text"},
                                             {"browser_info", "text"},
                                             {"attended_micros", "bigint"},
                                             {"attended_chime_micros", "bigint"},
                                             {"billed_tenths", "bigint"},
                                             {"lobby", "text"},
                                             {"waiting_since", "timestamp"},
                                             {"waiting_seen_at", "timestamp"},
                                             {"guest_kind", "text"},
                                             {"guest_name", "text"},
                                             {"invitation_hash", "text"},
                                             {"invited_at", "timestamp"},
                                             {"invitation_expires_at", "timestamp"},
                                             {"invitation_used_at", "timestamp"},
                                             {"invitation_revoked_at", "timestamp"},
                                             {"open_interval_id", "text"},
                                             {"opened_at", "timestamp"},
                                             {"last_seen_at", "timestamp"},
                                             {"present_until", "timestamp"},
                                             {"session_id", "text"},
                                             {"is_active", "boolean"},
                                             {"created_at", "timestamp"},
                                             {"updated_at", "timestamp"}}};
constexpr std::array<Column, 9> kIntervals{{{"interval_id", "text"},
                                            {"session_id", "text"},
                                            {"user_id", "text"},
                                            {"role", "text"},
                                            {"joined_at", "timestamp"},
                                            {"left_at", "timestamp"},
                                            {"provider", "text"},
                                            {"meeting_id", "text"},
                                            {"attendee_id", "text"}}};
constexpr std::array<Column, 9> kUsage{{{"metric_id", "text"},
                                        {"session_id", "text"},
                                        {"user_id", "text"},
                                        {"attendee_minutes_used", "integer"},
                                        {"date", "timestamp"},
                                        {"session_completed", "boolean"},
                                        {"created_at", "timestamp"},
                                        {"provider", "text"},
                                        {"billed_tenths", "bigint"}}};
constexpr std::array<Column, 6> kMeetings{{{"meeting_id", "text"},
                                           {"session_id", "text"},
                                           {"provider", "text"},
                                           {"generation", "integer"},
                                           {"created_at", "timestamp"},
                                           {"ended_at", "timestamp"}}};
constexpr std::array<Column, 9> kJobs{{{"job_id", "text"},
                                       {"kind", "text"},
                                       {"session_id", "text"},
                                       {"provider", "text"},
                                       {"meeting_id", "text"},
                                       {"attendee_id", "text"},
                                       {"due_at", "timestamp"},
                                       {"attempts", "integer"},
                                       {"first_due_at", "timestamp"}}};
constexpr std::array<Column, 5> kIdempotency{
    {{"user_id", "text"}, {"key", "text"}, {"body_hash", "text"}, {"session_id", "text"}, {"created_at", "timestamp"}}};

/// Number of the parameter that is compared as well as written; it needs one type in both places.
constexpr int kStatus = 7;
static_assert(kSessionColumns[kStatus - 1] == "status");

/// The parameter of a session's column, with its type: it is compared as well as written.
std::string param(std::string_view column, std::string_view type) {
    const auto place = std::ranges::find(kSessionColumns, column) - kSessionColumns.begin();
    return "$" + std::to_string(place + 1) + "::" + std::string(type);
}

/// What speaks against a change that must not overlap with other visits: one row of three conditions. The locks that
/// the operation holds (see overlap_locks.hpp) keep the last one as it is until the commit. Visits are hours long at
/// most, so that a day before is far enough to look back; that keeps it within the indexes of the lists. `key`: number
/// of the first parameter of the idempotency record, 0 without one.
std::string found_text(bool is_new, int key) {
    constexpr std::string_view kSessions = "EXISTS (SELECT 1 FROM video_consultation_sessions o WHERE ";
    const auto start = param("scheduled_start_time", "timestamp");
    const auto end = param("scheduled_end_time", "timestamp");
    const auto busy = [&](std::string_view column) {
        return std::string(kSessions) + "o." + std::string(column) + " = " + param(column, "text") +
               " AND o.status IN ('SCHEDULED', 'WAITING', 'ACTIVE') AND o.scheduled_start_time < " + end +
               " AND o.scheduled_start_time > " + start + " - interval '1 day' AND o.scheduled_end_time > " + start +
               " AND o.session_id <> " + param("session_id", "text") + ")";
    };
    std::string appointment = "false";
    if (is_new) {
        appointment = std::string(kSessions) + "o.appointment_id = $" + std::to_string(kSessionColumnCount + 1) +
                      "::text AND o.status <> 'CANCELLED')";
    }
    std::string known = "false";
    if (key > 0) {
        known = "EXISTS (SELECT 1 FROM video_consultation_idempotency i WHERE i.user_id = $" + std::to_string(key) +
                "::text AND i.key = $" + std::to_string(key + 1) + "::text)";
    }
    return "found AS (SELECT " + appointment + " AS appointment, " + known + " AS key, " + busy("doctor_id") + " OR " +
           busy("patient_id") + " AS overlap), ";
}

/// A heartbeat touches no version: one that came since the session was read is the newer truth and stays.
constexpr std::string_view kAttendeeConflict =
    " ON CONFLICT (attendee_id) DO UPDATE SET user_id = excluded.user_id, role = excluded.role,"
    " chime_attendee_id = excluded.chime_attendee_id, external_user_id = excluded.external_user_id,"
    " joined_at = excluded.joined_at, left_at = excluded.left_at, device_type = excluded.device_type,"
    " browser_info = excluded.browser_info, attended_micros = excluded.attended_micros,"
    " attended_chime_micros = excluded.attended_chime_micros, billed_tenths = excluded.billed_tenths,"
    " lobby = excluded.lobby, waiting_since = excluded.waiting_since, waiting_seen_at = excluded.waiting_seen_at,"
    " guest_kind = excluded.guest_kind, guest_name = excluded.guest_name,"
    " invitation_hash = excluded.invitation_hash, invited_at = excluded.invited_at,"
    " invitation_expires_at = excluded.invitation_expires_at, invitation_used_at = excluded.invitation_used_at,"
    " invitation_revoked_at = excluded.invitation_revoked_at,"
    " open_interval_id = excluded.open_interval_id, opened_at = excluded.opened_at,"
    " last_seen_at = CASE WHEN t.open_interval_id = excluded.open_interval_id"
    "  AND t.last_seen_at > excluded.last_seen_at THEN t.last_seen_at ELSE excluded.last_seen_at END,"
    " present_until = CASE WHEN t.open_interval_id = excluded.open_interval_id"
    "  AND t.last_seen_at > excluded.last_seen_at THEN t.present_until ELSE excluded.present_until END,"
    " is_active = excluded.is_active, updated_at = excluded.updated_at";

class Writer {
  public:
    explicit Writer(int next) : next_(next) {}

    /// Adds `rows` rows to a table, in their order, if the session was written.
    void insert(std::string_view alias, std::string_view table, std::span<const Column> columns, int rows,
                std::string_view conflict = {}) {
        if (rows == 0) return;
        text_.append(", ").append(alias).append(" AS (INSERT INTO ").append(table).append(" AS t (");
        for (const auto& column : columns) text_.append(&column == columns.data() ? "" : ", ").append(column.name);
        text_ += ") SELECT ";
        // A single row needs no VALUES list, whose join and sort cost the server time.
        if (rows == 1) {
            row(columns);
            text_ += " FROM written";
        } else {
            for (const auto& column : columns) text_.append("v.").append(column.name).append(", ");
            text_.erase(text_.size() - 2);
            text_ += " FROM written, (VALUES ";
            for (int i = 0; i < rows; ++i) {
                text_ += i == 0 ? "(" : ", (";
                row(columns);
                text_.append(", ").append(std::to_string(i)).append(")");
            }
            text_ += ") AS v (";
            for (const auto& column : columns) text_.append(column.name).append(", ");
            text_ += "place) ORDER BY v.place";
        }
        text_.append(conflict).append(")");
    }

    std::string take() { return std::move(text_); }
    /// Number of the next parameter.
    int next() const { return next_; }

  private:
    void row(std::span<const Column> columns) {
        for (const auto& column : columns) {
            if (&column != columns.data()) text_ += ", ";
            text_.append("$").append(std::to_string(next_++)).append("::").append(column.type);
        }
    }

    int next_;
    std::string text_;
};

std::string session_text(bool is_new, bool no_overlap, int key) {
    const std::string extra = "$" + std::to_string(kSessionColumnCount + 1);
    std::string text = "WITH " + (no_overlap ? found_text(is_new, key) : std::string()) + "written AS (";
    if (is_new) {
        text += "INSERT INTO video_consultation_sessions (" + joined(kSessionColumns) + ", appointment_key) SELECT ";
        // Selected parameters take no type from the columns they go to.
        for (int i = 0; i < kSessionColumnCount; ++i) {
            const auto column = kSessionColumns.at(static_cast<std::size_t>(i));
            text += "$" + std::to_string(i + 1);
            if (column.ends_with("_at") || column.ends_with("_time")) {
                text += "::timestamp, ";
            } else if (column == "version") {
                text += "::bigint, ";
            } else if (column == "clinic_id" || column == "consultation_duration_minutes" ||
                       column == "meeting_generation" || column == "connection_quality_rating" ||
                       column == "waiting_room") {
                text += "::integer, ";
            } else {
                text += "::text, ";
            }
        }
        // Rows without a key were made by an earlier service; they count as well.
        return text + extra +
               "::text WHERE NOT EXISTS (SELECT 1 FROM video_consultation_sessions WHERE appointment_id = " + extra +
               "::text AND status <> 'CANCELLED')" +
               (no_overlap ? " AND NOT EXISTS (SELECT 1 FROM found WHERE key OR overlap)" : "") +
               " ON CONFLICT (appointment_key) DO NOTHING RETURNING session_id)";
    }
    text += "UPDATE video_consultation_sessions SET ";
    for (int i = 1; i < kSessionColumnCount; ++i) {
        text.append(kSessionColumns.at(static_cast<std::size_t>(i))).append(" = $") += std::to_string(i + 1);
        const auto column = kSessionColumns.at(static_cast<std::size_t>(i));
        if (i + 1 == kStatus || (no_overlap && column.ends_with("_id") && column != "clinic_id")) text += "::text";
        if (no_overlap && column.starts_with("scheduled_")) text += "::timestamp";
        text += ", ";
    }
    return text + "appointment_key = CASE WHEN $" + std::to_string(kStatus) +
           "::text = 'CANCELLED' THEN NULL ELSE appointment_key END"
           " WHERE session_id = " +
           (no_overlap ? "$1::text" : "$1") + " AND version = " + extra + "::bigint" +
           (no_overlap ? " AND NOT EXISTS (SELECT 1 FROM found WHERE overlap)" : "") + " RETURNING session_id)";
}

}  // namespace

CommitShape commit_shape(const consultation::Change& change, bool idempotency) {
    const auto count = [](const auto& rows) { return static_cast<std::uint16_t>(rows.size()); };
    return {change.expected_version < 0,
            idempotency,
            count(change.after.attendees),
            count(change.audit),
            count(change.events),
            count(change.intervals),
            count(change.usage),
            count(change.meetings),
            count(change.jobs),
            change.no_overlap};
}

std::string commit_text(const CommitShape& shape) {
    Writer writer(kSessionColumnCount + 2);
    writer.insert("audit", "video_consultation_events", kAudit, shape.audit);
    writer.insert("outbox", "video_consultation_outbox", kOutbox, shape.events);
    writer.insert("attendees", "video_consultation_attendees", kAttendees, shape.attendees, kAttendeeConflict);
    writer.insert(
        "intervals", "video_consultation_attendance", kIntervals, shape.intervals,
        " ON CONFLICT (interval_id) DO UPDATE SET joined_at = excluded.joined_at, left_at = excluded.left_at");
    writer.insert("usage", "video_consultation_metrics", kUsage, shape.usage,
                  " ON CONFLICT (session_id, user_id, provider) DO UPDATE SET"
                  " attendee_minutes_used = excluded.attendee_minutes_used, billed_tenths = excluded.billed_tenths,"
                  " date = excluded.date, session_completed = excluded.session_completed");
    writer.insert("meetings", "video_consultation_meetings", kMeetings, shape.meetings,
                  " ON CONFLICT (meeting_id) DO UPDATE SET ended_at = coalesce(excluded.ended_at, t.ended_at)"
                  " WHERE t.session_id = excluded.session_id");
    writer.insert("jobs", "video_consultation_jobs", kJobs, shape.jobs, " ON CONFLICT (job_id) DO NOTHING");
    const int key = shape.idempotency ? writer.next() : 0;
    writer.insert("idempotency", "video_consultation_idempotency", kIdempotency, shape.idempotency ? 1 : 0);
    auto text = session_text(shape.is_new, shape.no_overlap, key) + writer.take();
    if (!shape.no_overlap) return text + " SELECT session_id FROM written";
    return text + " SELECT w.session_id, f.appointment, f.key, f.overlap FROM found f LEFT JOIN written w ON true";
}

}  // namespace store::postgres
