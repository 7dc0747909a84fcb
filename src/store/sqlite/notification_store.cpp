// The store as MeetingNotificationQueue.
#include <utility>

#include "store/common/sdk_rows.hpp"
#include "store/sqlite/parts.hpp"

namespace store::sqlite {
namespace {

using core::Result;
using core::Time;
using service::Task;

/// Those that have been due longest are looked at, some more than are wanted since only the first of a meeting can go.
/// It is never due later than the rest of its meeting, so looking at a part leaves nobody out for good.
std::vector<service::MeetingNotification> due_notifications(Connection& connection, Time now, int limit) {
    static const std::string sql =
        "SELECT " + joined(kNotificationColumns, "n.") +
        " FROM (SELECT * FROM video_consultation_meeting_notifications WHERE next_attempt <= ?1"
        "  ORDER BY next_attempt, sequence LIMIT 20 * ?2) n WHERE NOT EXISTS"
        "  (SELECT 1 FROM video_consultation_meeting_notifications e WHERE e.meeting_id = n.meeting_id"
        "   AND e.sequence < n.sequence) ORDER BY n.sequence LIMIT ?2";
    auto rows = connection.query(sql);
    rows.time(now);
    rows.number(limit);
    std::vector<service::MeetingNotification> due;
    while (rows.step()) due.push_back(read_notification(rows.row()));
    return due;
}

void finish_notifications(Connection& connection, const std::vector<std::int64_t>& sequences) {
    for (const auto sequence : sequences) {
        auto remove = connection.query("DELETE FROM video_consultation_meeting_notifications WHERE sequence = ?1");
        remove.number(sequence);
        remove.run();
    }
}

void postpone_notification(Connection& connection, std::int64_t sequence, Time next_attempt) {
    {
        auto rest = connection.query(
            "UPDATE video_consultation_meeting_notifications SET next_attempt = max(next_attempt, ?2)"
            " WHERE meeting_id = (SELECT meeting_id FROM video_consultation_meeting_notifications WHERE sequence = "
            "?1)");
        rest.number(sequence);
        rest.time(next_attempt);
        rest.run();
    }
    auto head = connection.query(
        "UPDATE video_consultation_meeting_notifications SET attempts = attempts + 1, next_attempt = ?2"
        " WHERE sequence = ?1");
    head.number(sequence);
    head.time(next_attempt);
    head.run();
}

}  // namespace

Task<Result<std::vector<service::MeetingNotification>>> SqliteStore::due_notifications(Time now, int limit) {
    return parts_->read<std::vector<service::MeetingNotification>>(
        [now, limit](Connection& connection) { return sqlite::due_notifications(connection, now, limit); });
}

Task<Result<void>> SqliteStore::finish_notifications(std::vector<std::int64_t> sequences) {
    return parts_->write<void>([sequences = std::move(sequences)](Connection& connection) {
        sqlite::finish_notifications(connection, sequences);
    });
}

Task<Result<void>> SqliteStore::postpone_notification(std::int64_t sequence, Time next_attempt) {
    return parts_->write<void>([sequence, next_attempt](Connection& connection) {
        sqlite::postpone_notification(connection, sequence, next_attempt);
    });
}

}  // namespace store::sqlite
