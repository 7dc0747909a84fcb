#include "store/sqlite/queries.hpp"

#include <array>
#include <memory>

#include "store/common/list_query.hpp"
#include "store/common/tables.hpp"

namespace store::sqlite {
namespace {

void read_attendees(Connection& connection, Session& session) {
    static const std::string sql =
        "SELECT " + joined(kAttendeeColumns) + " FROM video_consultation_attendees WHERE session_id = ?1";
    auto rows = connection.query(sql);
    rows.text(session.session_id);
    while (rows.step()) session.attendees.push_back(read_attendee(rows.row()));
    sort_attendees(session.attendees);
}

std::string find_text(std::string_view condition) {
    return "SELECT " + joined(kSessionColumns) + " FROM video_consultation_sessions WHERE " + std::string(condition);
}

struct ListStatements {
    std::string page;
    std::string count;
};

const ListStatements& list_statements(unsigned shape) {
    thread_local std::array<std::unique_ptr<ListStatements>, kListShapes> made;
    auto& entry = made.at(shape);
    if (!entry) {
        const auto text = list_text(shape, '?', "");
        const std::string source = " FROM video_consultation_sessions" + text.where;
        entry = std::make_unique<ListStatements>();
        entry->page = "SELECT " + joined(kSessionColumns) + source + text.order + " LIMIT ?" +
                      std::to_string(text.next) + " OFFSET ?" + std::to_string(text.next + 1);
        entry->count = "SELECT count(*)" + source;
    }
    return *entry;
}

}  // namespace

std::optional<Session> find(Connection& connection, SessionKey by, const std::string& id) {
    static const std::array<std::string, 3> texts{
        find_text("session_id = ?1"),
        find_text("session_id = (SELECT session_id FROM video_consultation_meetings WHERE meeting_id = ?1)"),
        find_text("appointment_id = ?1 AND status <> 'CANCELLED' ORDER BY created_at DESC LIMIT 1")};
    const Snapshot snapshot(connection);
    auto row = connection.query(texts.at(static_cast<std::size_t>(by)));
    row.text(id);
    if (!row.step()) return {};
    auto session = read_session(row.row());
    read_attendees(connection, session);
    return session;
}

service::SessionPage list(Connection& connection, const service::SessionQuery& query) {
    const auto& texts = list_statements(list_shape(query));
    const Snapshot snapshot(connection);
    service::SessionPage page;
    {
        auto rows = connection.query(texts.page);
        write_conditions(rows, query);
        rows.number(query.limit);
        rows.number(query.offset);
        while (rows.step()) page.sessions.push_back(read_session(rows.row()));
    }
    for (auto& session : page.sessions) read_attendees(connection, session);
    auto count = connection.query(texts.count);
    write_conditions(count, query);
    count.step();
    page.total = count.row().number(0);
    return page;
}

std::vector<consultation::AuditEntry> audit_trail(Connection& connection, const std::string& session_id) {
    auto rows = connection.query(
        "SELECT event_id, session_id, event_type, event_description, user_id, event_timestamp "
        "FROM video_consultation_events WHERE session_id = ?1 AND kind = 'life' ORDER BY event_timestamp, sequence");
    rows.text(session_id);
    std::vector<consultation::AuditEntry> entries;
    while (rows.step()) {
        const auto row = rows.row();
        detail::Columns<Row> in{row};
        auto& entry = entries.emplace_back();
        entry.event_id = in.text();
        entry.session_id = in.text();
        entry.event_type = in.text();
        entry.event_description = in.optional_text();
        entry.user_id = in.optional_text();
        entry.event_timestamp = in.time();
    }
    return entries;
}

std::optional<service::IdempotencyRecord> find_idempotency(Connection& connection, const std::string& user_id,
                                                           const std::string& key) {
    auto row = connection.query(
        "SELECT body_hash, session_id FROM video_consultation_idempotency WHERE user_id = ?1 AND key = ?2");
    row.text(user_id);
    row.text(key);
    if (!row.step()) return {};
    return service::IdempotencyRecord{user_id, key, std::string(row.row().text(0)), std::string(row.row().text(1))};
}

std::vector<std::string> due(Connection& connection, const service::DuePolicy& policy, int limit) {
    auto rows = connection.query(
        "SELECT session_id, min(since) FROM ("
        " SELECT session_id, present_until AS since FROM video_consultation_attendees"
        "  WHERE open_interval_id IS NOT NULL AND present_until <= ?1"
        " UNION ALL"
        " SELECT session_id, max(scheduled_end_time, created_at) + ?2 FROM video_consultation_sessions s"
        "  WHERE status IN ('SCHEDULED', 'WAITING') AND scheduled_end_time < ?1 - ?2 AND created_at < ?1 - ?2 AND NOT "
        "EXISTS"
        "   (SELECT 1 FROM video_consultation_attendees a WHERE a.session_id = s.session_id"
        "     AND a.open_interval_id IS NOT NULL AND a.role <> 'GUEST')"
        " UNION ALL"
        " SELECT s.session_id, max(a.left_at) + ?3 FROM video_consultation_sessions s"
        "  JOIN video_consultation_attendees a ON a.session_id = s.session_id AND a.role <> 'GUEST'"
        "  WHERE s.status = 'ACTIVE'"
        "  GROUP BY s.session_id HAVING count(a.open_interval_id) = 0 AND max(a.left_at) < ?1 - ?3"
        ") GROUP BY session_id ORDER BY min(since), session_id LIMIT ?4");
    rows.time(policy.now);
    rows.number(std::chrono::microseconds(policy.no_show_grace).count());
    rows.number(std::chrono::microseconds(policy.abandoned_after).count());
    rows.number(limit);
    std::vector<std::string> ids;
    while (rows.step()) ids.emplace_back(rows.row().text(0));
    return ids;
}

std::vector<std::string> open_at(Connection& connection, consultation::Provider provider, const std::string& after,
                                 int limit) {
    auto rows = connection.query(
        "SELECT session_id FROM video_consultation_sessions"
        " WHERE status IN ('WAITING', 'ACTIVE') AND meeting_provider = ?1 AND session_id > ?2"
        " ORDER BY session_id LIMIT ?3");
    rows.text(consultation::to_text(provider));
    rows.text(after);
    rows.number(limit);
    std::vector<std::string> ids;
    while (rows.step()) ids.emplace_back(rows.row().text(0));
    return ids;
}

void ping(Connection& connection) {
    auto row = connection.query("SELECT max(version) FROM video_consultation_schema");
    row.step();
}

}  // namespace store::sqlite
