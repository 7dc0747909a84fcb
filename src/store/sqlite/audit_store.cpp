// The store as AuditLog and AuditChain.
#include "store/common/audit_rows.hpp"
#include "store/common/change_text.hpp"
#include "store/sqlite/parts.hpp"
#include "store/sqlite/queries.hpp"

namespace store::sqlite {
namespace {

using core::Result;
using service::AuditHead;
using service::AuditLink;
using service::AuditRow;
using service::Task;

std::vector<AuditRow> rows_of(Query rows) {
    std::vector<AuditRow> found;
    while (rows.step()) found.push_back(read_audit_row(rows.row()));
    return found;
}

std::optional<AuditHead> head_of(Connection& connection) {
    auto row = connection.query("SELECT position, chain_mac, inherit_to, mac FROM video_consultation_audit_head");
    if (!row.step()) return {};
    const auto values = row.row();
    return AuditHead{values.number(0), std::string{values.text(1)}, values.number(2), std::string{values.text(3)}};
}

bool chain(Connection& connection, const AuditHead& before, const std::vector<AuditLink>& links,
           const AuditHead& after) {
    if (head_of(connection) != before) return false;
    {
        auto update = connection.query(
            "UPDATE video_consultation_audit_head SET position = ?1, chain_mac = ?2, inherit_to = ?3, mac = ?4");
        update.number(after.position);
        update.text(after.chain_mac);
        update.number(after.inherit_to);
        update.text(after.mac);
        update.run();
    }
    for (const auto& link : links) {
        auto update = connection.query(
            "UPDATE video_consultation_events SET position = ?2, chain_mac = ?3, row_mac = coalesce(row_mac, ?4)"
            " WHERE event_id = ?1 AND position IS NULL");
        update.text(link.event_id);
        update.number(link.position);
        update.text(link.chain_mac);
        update.optional(link.row_mac);
        update.run();
    }
    return true;
}

}  // namespace

void write_audit(Connection& connection, const std::vector<consultation::AuditEntry>& entries,
                 const service::AuditKeys* keys) {
    for (const auto& entry : entries) {
        const AuditSeal seal(entry, keys);
        auto insert = connection.query(
            "INSERT INTO video_consultation_events (event_id, session_id, event_type, event_description, user_id,"
            " event_timestamp, role, address, request_id, kind, row_mac, event_metadata)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
        store::write_audit(insert, entry, seal);
        insert.run();
    }
}

Task<Result<void>> SqliteStore::record(std::vector<consultation::AuditEntry> entries,
                                       std::vector<consultation::Event> events) {
    return parts_->write<void>([entries = std::move(entries), events = std::move(events),
                                keys = parts_->settings.audit_keys](Connection& connection) {
        sqlite::write_audit(connection, entries, keys.get());
        for (const auto& event : events) sqlite::append(connection, event);
    });
}

Task<Result<std::optional<AuditHead>>> SqliteStore::audit_head() {
    return parts_->read<std::optional<AuditHead>>([](Connection& connection) { return head_of(connection); });
}

Task<Result<std::vector<AuditRow>>> SqliteStore::unchained(int limit) {
    return parts_->read<std::vector<AuditRow>>([limit](Connection& connection) {
        static const std::string sql = "SELECT " + joined(kAuditColumns) +
                                       " FROM video_consultation_events WHERE position IS NULL"
                                       " ORDER BY sequence LIMIT ?1";
        auto rows = connection.query(sql);
        rows.number(limit);
        return rows_of(std::move(rows));
    });
}

Task<Result<std::vector<AuditRow>>> SqliteStore::chained(std::int64_t position, int limit) {
    return parts_->read<std::vector<AuditRow>>([position, limit](Connection& connection) {
        static const std::string sql = "SELECT " + joined(kAuditColumns) +
                                       " FROM video_consultation_events WHERE position > ?1"
                                       " ORDER BY position LIMIT ?2";
        auto rows = connection.query(sql);
        rows.number(position);
        rows.number(limit);
        return rows_of(std::move(rows));
    });
}

Task<Result<bool>> SqliteStore::chain(AuditHead before, std::vector<AuditLink> links, AuditHead after) {
    return parts_->write<bool>([before = std::move(before), links = std::move(links), after = std::move(after)](
                                   Connection& connection) { return sqlite::chain(connection, before, links, after); });
}

}  // namespace store::sqlite
