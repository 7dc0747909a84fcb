// The store as AuditLog and AuditChain.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <utility>

#include "store/common/audit_rows.hpp"
#include "store/common/change_text.hpp"
#include "store/postgres/array_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using core::Result;
using service::AuditHead;
using service::AuditLink;
using service::AuditRow;
using service::Task;

constexpr std::size_t kMostTogether = 256;
constexpr std::chrono::seconds kRetry{1};

/// One text for any number of rows: each column is an array.
struct AuditStatements {
    Statement record{"audit_record",
                     "WITH messages AS (INSERT INTO video_consultation_outbox"
                     "  (event_id, session_id, routing_key, event_type, occurred_at, payload, trace_context)"
                     "  SELECT * FROM unnest($13::text[], $14::text[], $15::text[], $16::text[], $17::timestamp[],"
                     "   $18::text[], $19::text[]) ON CONFLICT (event_id) DO NOTHING)"
                     " INSERT INTO video_consultation_events (event_id, session_id, event_type, event_description,"
                     "  user_id, event_timestamp, role, address, request_id, kind, row_mac, event_metadata)"
                     " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],"
                     "  $6::timestamp[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],"
                     "  $12::text[])"};
    Statement head{"audit_head", "SELECT position, chain_mac, inherit_to, mac FROM video_consultation_audit_head"};
    Statement unchained{"audit_unchained", "SELECT " + joined(kAuditColumns) +
                                               " FROM video_consultation_events WHERE position IS NULL"
                                               " ORDER BY sequence LIMIT $1::bigint"};
    Statement chained{"audit_chained", "SELECT " + joined(kAuditColumns) +
                                           " FROM video_consultation_events WHERE position > $1::bigint"
                                           " ORDER BY position LIMIT $2::bigint"};
    /// One row: how many heads were moved.
    Statement chain{"audit_chain",
                    "WITH head AS (UPDATE video_consultation_audit_head"
                    "  SET position = $5::bigint, chain_mac = $6, inherit_to = $7::bigint, mac = $8"
                    "  WHERE position = $1::bigint AND chain_mac = $2 AND inherit_to = $3::bigint AND mac = $4"
                    "  RETURNING true),"
                    " linked AS (UPDATE video_consultation_events e SET position = l.position,"
                    "  chain_mac = l.chain_mac, row_mac = coalesce(e.row_mac, l.row_mac)"
                    "  FROM unnest($9::text[], $10::bigint[], $11::text[], $12::text[])"
                    "   AS l (event_id, position, chain_mac, row_mac)"
                    "  WHERE e.event_id = l.event_id AND e.position IS NULL AND EXISTS (SELECT 1 FROM head))"
                    " SELECT count(*) FROM head"};
};
const AuditStatements& audit_statements() {
    static const AuditStatements statements;
    return statements;
}

/// The columns of some rows, each as an array. An Out of tables.hpp.
template <std::size_t N>
class Columns {
  public:
    void null() { next().add_null(); }
    void text(std::string_view value) { next().add(value); }
    void time(consultation::Time value) { next().add(core::format_zoneless(value)); }
    void write_to(Params& out) {
        for (auto& array : arrays_) out.text(array.take());
    }

  private:
    ArrayText& next() { return arrays_.at(next_++ % N); }

    std::array<ArrayText, N> arrays_;
    std::size_t next_ = 0;
};

Params record_params(const std::vector<Recording>& together, const service::AuditKeys* keys) {
    Columns<kWrittenAuditColumns> rows;
    Columns<7> messages;
    for (const auto& recording : together) {
        for (const auto& entry : recording.entries) write_audit(rows, entry, AuditSeal(entry, keys));
        for (const auto& event : recording.events) {
            messages.text(event.event_id);
            messages.text(event.session_id);
            messages.text(event.routing_key);
            messages.text(event.event_type);
            messages.time(event.occurred_at);
            messages.text(payload_of(event));
            detail::write_or_null(messages, event.trace);
        }
    }
    Params out;
    rows.write_to(out);
    messages.write_to(out);
    return out;
}

Params chain_params(const AuditHead& before, const std::vector<AuditLink>& links, const AuditHead& after) {
    Params out;
    for (const auto* head : {&before, &after}) {
        out.number(head->position);
        out.text(head->chain_mac);
        out.number(head->inherit_to);
        out.text(head->mac);
    }
    Columns<4> columns;
    for (const auto& link : links) {
        columns.text(link.event_id);
        columns.text(std::to_string(link.position));
        columns.text(link.chain_mac);
        detail::write_optional(columns, link.row_mac);
    }
    columns.write_to(out);
    return out;
}

std::vector<AuditRow> rows_of(const PGresult* rows) {
    std::vector<AuditRow> found;
    found.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int row = 0; row < PQntuples(rows); ++row) found.push_back(read_audit_row(ResultRow(rows, row)));
    return found;
}

std::optional<AuditHead> head_of(const PGresult* rows) {
    if (PQntuples(rows) == 0) return {};
    const ResultRow row(rows, 0);
    return AuditHead{row.number(0), std::string{row.text(1)}, row.number(2), std::string{row.text(3)}};
}

using Keys = std::shared_ptr<const service::AuditKeys>;

Task<Result<void>> write_together(std::shared_ptr<Pool> pool, Keys keys, const std::vector<Recording>& together) {
    auto asked = operation(audit_statements().record, record_params(together, keys.get()));
    asked->kind = Kind::write;
    asked->order = audit_statements().record.name;
    co_return decoded(co_await ask(pool, std::move(asked), pool->settings().operation_timeout), nothing);
}

/// Writes what waits until nothing does. Refers to nothing that a store, which may go meanwhile, takes along.
boost::asio::awaitable<void> write_out(std::shared_ptr<Pool> pool, Keys keys, std::shared_ptr<RecordGroup> group) {
    while (!group->waiting.empty()) {
        std::vector<Recording> together;
        while (!group->waiting.empty() && together.size() < kMostTogether) {
            // Who has given up has got no answer: what they would have seen is not shown.
            if (!group->waiting.front().done->abandoned()) together.push_back(std::move(group->waiting.front()));
            group->waiting.pop_front();
        }
        if (together.empty()) continue;
        const auto written = co_await write_together(pool, keys, together);
        if (written || together.size() == 1 || written.error().kind == core::ErrorKind::unavailable) {
            for (auto& recording : together) recording.done->complete(written);
            continue;
        }
        // One of them spoils it: each for itself.
        for (auto& recording : together) {
            const auto done = recording.done;
            std::vector<Recording> alone;
            alone.push_back(std::move(recording));
            done->complete(co_await write_together(pool, keys, alone));
        }
    }
    group->writing = false;
}

}  // namespace

Task<Result<void>> PostgresStore::record(std::vector<consultation::AuditEntry> entries,
                                         std::vector<consultation::Event> events) {
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto pool = parts_->pools.of(executor);
    const auto group = parts_->records.of(pool);
    if (group->waiting.size() >= parts_->settings.queue_limit) {
        co_return core::fail(core::ErrorKind::unavailable, "too many rows of the audit trail wait", kRetry);
    }
    // Two turns: the one that is under way, and ours.
    const auto limit = 2 * parts_->settings.operation_timeout;
    Recording mine{std::move(entries), std::move(events)};
    const auto done = mine.done;
    group->waiting.push_back(std::move(mine));
    if (!std::exchange(group->writing, true)) {
        boost::asio::co_spawn(executor, write_out(pool, parts_->settings.audit_keys, group), boost::asio::detached);
    }
    auto written = co_await net::Completion<Result<void>>::wait(done, limit);
    if (!written) co_return core::fail(core::ErrorKind::unavailable, "PostgreSQL did not answer in time", kRetry);
    co_return std::move(*written);
}

Task<Result<std::optional<AuditHead>>> PostgresStore::audit_head() {
    return parts_->read(audit_statements().head, Params(), head_of);
}

Task<Result<std::vector<AuditRow>>> PostgresStore::unchained(int limit) {
    Params params;
    params.number(limit);
    return parts_->read(audit_statements().unchained, std::move(params), rows_of);
}

Task<Result<std::vector<AuditRow>>> PostgresStore::chained(std::int64_t position, int limit) {
    Params params;
    params.number(position);
    params.number(limit);
    return parts_->read(audit_statements().chained, std::move(params), rows_of);
}

Task<Result<bool>> PostgresStore::chain(AuditHead before, std::vector<AuditLink> links, AuditHead after) {
    return parts_->write(audit_statements().chain, chain_params(before, links, after),
                         [](const PGresult* rows) { return ResultRow(rows, 0).number(0) > 0; });
}

}  // namespace store::postgres
