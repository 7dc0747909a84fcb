// The store as Outbox.
#include <algorithm>
#include <limits>
#include <utility>

#include "core/time.hpp"
#include "store/common/change_text.hpp"
#include "store/common/rows.hpp"
#include "store/sqlite/parts.hpp"
#include "store/sqlite/queries.hpp"

namespace store::sqlite {
namespace {

using core::Result;
using service::Task;
using service::Time;

/// The database's clock: the file is on this machine.
Time now() {
    return core::SystemClock().now();
}

bool hold_lease(Connection& connection, const std::string& name, const std::string& holder,
                std::chrono::milliseconds life) {
    auto upsert = connection.query(
        "INSERT INTO video_consultation_leases AS l (name, holder, expires_at) VALUES (?1, ?2, ?3 + ?4)"
        " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at"
        " WHERE l.holder = excluded.holder OR l.expires_at <= ?3");
    upsert.text(name);
    upsert.text(holder);
    upsert.time(now());
    upsert.number(std::chrono::microseconds(life).count());
    upsert.run();
    return connection.changes() > 0;
}

std::vector<service::OutboxMessage> unpublished(Connection& connection, int limit) {
    static const std::string sql = "SELECT " + joined(kMessageColumns) +
                                   " FROM video_consultation_outbox WHERE published_at IS NULL"
                                   " ORDER BY sequence LIMIT ?1";
    auto rows = connection.query(sql);
    rows.number(limit);
    std::vector<service::OutboxMessage> messages;
    while (rows.step()) messages.push_back(read_message(rows.row()));
    return messages;
}

void mark_published(Connection& connection, const std::vector<std::int64_t>& sequences) {
    const auto when = now();
    for (const auto sequence : sequences) {
        auto update = connection.query(
            "UPDATE video_consultation_outbox SET published_at = ?2 WHERE sequence = ?1 AND published_at IS NULL");
        update.number(sequence);
        update.time(when);
        update.run();
    }
}

void deliver_to(Connection& connection, const std::string& endpoint, std::int64_t sequence) {
    // A session whose deliveries have been put off goes on waiting.
    auto insert = connection.query(
        "INSERT INTO video_consultation_webhook_deliveries (sequence, endpoint, session_id, next_attempt)"
        " SELECT o.sequence, ?2, o.session_id, max(o.occurred_at, coalesce("
        "  (SELECT max(d.next_attempt) FROM video_consultation_webhook_deliveries d"
        "   WHERE d.endpoint = ?2 AND d.session_id = o.session_id), o.occurred_at))"
        " FROM video_consultation_outbox o WHERE o.sequence = ?1");
    insert.number(sequence);
    insert.text(endpoint);
    insert.run();
}

int fan_out(Connection& connection, const std::vector<std::string>& endpoints, Time since, int limit) {
    std::vector<std::int64_t> taken;
    {
        auto rows = connection.query(
            "SELECT sequence FROM video_consultation_outbox WHERE NOT fanned_out AND occurred_at >= ?1"
            " ORDER BY sequence LIMIT ?2");
        rows.time(since);
        rows.number(limit);
        while (rows.step()) taken.push_back(rows.row().number(0));
    }
    for (const auto sequence : taken) {
        for (const auto& endpoint : endpoints) deliver_to(connection, endpoint, sequence);
        auto mark = connection.query("UPDATE video_consultation_outbox SET fanned_out = 1 WHERE sequence = ?1");
        mark.number(sequence);
        mark.run();
    }
    // Messages from before that lie on the way are put aside, so that the next time they do not.
    auto mark = connection.query(
        "UPDATE video_consultation_outbox SET fanned_out = 1 WHERE sequence IN"
        " (SELECT sequence FROM video_consultation_outbox WHERE NOT fanned_out AND occurred_at < ?1 AND sequence < ?2"
        "  ORDER BY sequence LIMIT 10000)");
    mark.time(since);
    mark.number(taken.empty() ? std::numeric_limits<std::int64_t>::max() : taken.front());
    mark.run();
    return static_cast<int>(taken.size());
}

std::vector<std::string> endpoints(Connection& connection) {
    std::vector<std::string> found;
    for (std::string last;;) {
        auto next =
            connection.query("SELECT min(endpoint) FROM video_consultation_webhook_deliveries WHERE endpoint > ?1");
        next.text(last);
        if (!next.step() || next.row().null(0)) return found;
        last = next.row().text(0);
        found.push_back(last);
    }
}

/// Those that have been due longest are looked at, some more than are wanted since only the first of a session can go.
/// It is never due later than the rest of its session, so looking at a part leaves nobody out for good.
std::vector<service::Delivery> due_at(Connection& connection, const std::string& endpoint, Time now, int limit) {
    static const std::string sql =
        "SELECT d.delivery_id, d.endpoint, d.attempts, " + joined(kMessageColumns, "o.") +
        " FROM (SELECT * FROM video_consultation_webhook_deliveries WHERE endpoint = ?1 AND next_attempt <= ?2"
        "  ORDER BY next_attempt, sequence LIMIT 20 * ?3) d"
        " JOIN video_consultation_outbox o ON o.sequence = d.sequence WHERE NOT EXISTS"
        "  (SELECT 1 FROM video_consultation_webhook_deliveries e WHERE e.endpoint = d.endpoint"
        "   AND e.session_id = d.session_id AND e.sequence < d.sequence)"
        " ORDER BY d.sequence LIMIT ?3";
    auto rows = connection.query(sql);
    rows.text(endpoint);
    rows.time(now);
    rows.number(limit);
    std::vector<service::Delivery> deliveries;
    while (rows.step()) {
        const auto row = rows.row();
        auto& delivery = deliveries.emplace_back();
        delivery.delivery_id = row.number(0);
        delivery.endpoint = row.text(1);
        delivery.attempts = static_cast<int>(row.number(2));
        delivery.message = read_message(row, 3);
    }
    return deliveries;
}

/// Every endpoint gets its share, so that one that is down leaves room for the others.
std::vector<service::Delivery> due_deliveries(Connection& connection, Time now, int limit) {
    struct Placed {
        std::size_t place;
        service::Delivery delivery;
    };
    std::vector<Placed> all;
    const Snapshot snapshot(connection);
    for (const auto& endpoint : endpoints(connection)) {
        std::size_t place = 0;
        for (auto& delivery : due_at(connection, endpoint, now, limit)) all.push_back({place++, std::move(delivery)});
    }
    const auto sequence = [](const Placed& p) {
        return std::pair(p.delivery.message.sequence, p.delivery.delivery_id);
    };
    std::ranges::sort(all, {}, [&](const Placed& p) { return std::pair(p.place, sequence(p)); });
    all.resize(std::min(all.size(), static_cast<std::size_t>(std::max(limit, 0))));
    std::ranges::sort(all, {}, sequence);
    std::vector<service::Delivery> deliveries;
    deliveries.reserve(all.size());
    for (auto& placed : all) deliveries.push_back(std::move(placed.delivery));
    return deliveries;
}

void finish_deliveries(Connection& connection, const std::vector<std::int64_t>& delivery_ids) {
    for (const auto delivery_id : delivery_ids) {
        auto remove = connection.query("DELETE FROM video_consultation_webhook_deliveries WHERE delivery_id = ?1");
        remove.number(delivery_id);
        remove.run();
    }
}

/// The rest of the queue behind a delivery can go no earlier than it: put off as well, it is not looked at in vain.
void postpone_delivery(Connection& connection, std::int64_t delivery_id, Time next_attempt) {
    auto rest = connection.query(
        "UPDATE video_consultation_webhook_deliveries SET next_attempt = max(next_attempt, ?2)"
        " WHERE (endpoint, session_id) = (SELECT endpoint, session_id FROM video_consultation_webhook_deliveries"
        "  WHERE delivery_id = ?1)");
    rest.number(delivery_id);
    rest.time(next_attempt);
    rest.run();
    auto head = connection.query(
        "UPDATE video_consultation_webhook_deliveries SET attempts = attempts + 1, next_attempt = ?2"
        " WHERE delivery_id = ?1");
    head.number(delivery_id);
    head.time(next_attempt);
    head.run();
}

service::Backlog backlog(Connection& connection, service::Channel channel) {
    auto query =
        connection.query(channel == service::Channel::broker
                             ? "SELECT (SELECT count(*) FROM video_consultation_outbox WHERE published_at IS NULL),"
                               " (SELECT occurred_at FROM video_consultation_outbox WHERE published_at IS NULL ORDER "
                               "BY sequence LIMIT 1)"
                             : "SELECT (SELECT count(*) FROM video_consultation_webhook_deliveries),"
                               " (SELECT occurred_at FROM video_consultation_outbox"
                               "  WHERE sequence = (SELECT min(sequence) FROM video_consultation_webhook_deliveries))");
    query.step();
    const auto row = query.row();
    return {row.number(0), row.null(1) ? std::nullopt : std::optional(row.time(1))};
}

int prune(Connection& connection, Time before, bool published_only, int limit) {
    auto remove = connection.query(
        "DELETE FROM video_consultation_outbox WHERE sequence IN (SELECT sequence FROM video_consultation_outbox o"
        " WHERE occurred_at < ?1 AND (published_at IS NOT NULL OR NOT ?2)"
        " AND NOT EXISTS (SELECT 1 FROM video_consultation_webhook_deliveries d WHERE d.sequence = o.sequence)"
        " ORDER BY occurred_at LIMIT ?3)");
    remove.time(before);
    remove.number(published_only ? 1 : 0);
    remove.number(limit);
    remove.run();
    return connection.changes();
}

}  // namespace

bool append(Connection& connection, const consultation::Event& event) {
    const std::string payload = payload_of(event);
    auto insert = connection.query(
        "INSERT INTO video_consultation_outbox (event_id, session_id, routing_key, event_type, occurred_at, payload,"
        "  trace_context) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (event_id) DO NOTHING");
    insert.text(event.event_id);
    insert.text(event.session_id);
    insert.text(event.routing_key);
    insert.text(event.event_type);
    insert.time(event.occurred_at);
    insert.text(payload);
    detail::write_or_null(insert, event.trace);
    insert.run();
    return connection.changes() > 0;
}

Task<Result<bool>> SqliteStore::hold_lease(std::string name, std::string holder, std::chrono::milliseconds life) {
    return parts_->write<bool>([name = std::move(name), holder = std::move(holder), life](Connection& connection) {
        return sqlite::hold_lease(connection, name, holder, life);
    });
}

Task<Result<void>> SqliteStore::release_lease(std::string name, std::string holder) {
    return parts_->write<void>([name = std::move(name), holder = std::move(holder)](Connection& connection) {
        auto remove = connection.query("DELETE FROM video_consultation_leases WHERE name = ?1 AND holder = ?2");
        remove.text(name);
        remove.text(holder);
        remove.run();
    });
}

Task<Result<void>> SqliteStore::append(consultation::Event event) {
    return parts_->write<void>(
        [event = std::move(event)](Connection& connection) { sqlite::append(connection, event); });
}

Task<Result<std::vector<service::OutboxMessage>>> SqliteStore::unpublished(int limit) {
    return parts_->read<std::vector<service::OutboxMessage>>(
        [limit](Connection& connection) { return sqlite::unpublished(connection, limit); });
}

Task<Result<void>> SqliteStore::mark_published(std::vector<std::int64_t> sequences) {
    return parts_->write<void>(
        [sequences = std::move(sequences)](Connection& connection) { sqlite::mark_published(connection, sequences); });
}

Task<Result<int>> SqliteStore::fan_out(std::vector<std::string> endpoints, Time since, int limit) {
    return parts_->write<int>([endpoints = std::move(endpoints), since, limit](Connection& connection) {
        return sqlite::fan_out(connection, endpoints, since, limit);
    });
}

Task<Result<std::vector<service::Delivery>>> SqliteStore::due_deliveries(Time now, int limit) {
    return parts_->read<std::vector<service::Delivery>>(
        [now, limit](Connection& connection) { return sqlite::due_deliveries(connection, now, limit); });
}

Task<Result<void>> SqliteStore::finish_deliveries(std::vector<std::int64_t> delivery_ids) {
    return parts_->write<void>(
        [ids = std::move(delivery_ids)](Connection& connection) { sqlite::finish_deliveries(connection, ids); });
}

Task<Result<void>> SqliteStore::postpone_delivery(std::int64_t delivery_id, Time next_attempt) {
    return parts_->write<void>([delivery_id, next_attempt](Connection& connection) {
        sqlite::postpone_delivery(connection, delivery_id, next_attempt);
    });
}

Task<Result<service::Backlog>> SqliteStore::backlog(service::Channel channel) {
    return parts_->read<service::Backlog>(
        [channel](Connection& connection) { return sqlite::backlog(connection, channel); });
}

Task<Result<int>> SqliteStore::prune_outbox(Time before, bool published_only, int limit) {
    return parts_->write<int>([before, published_only, limit](Connection& connection) {
        return sqlite::prune(connection, before, published_only, limit);
    });
}

}  // namespace store::sqlite
