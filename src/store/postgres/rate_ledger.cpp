// The store as RateLedger.
#include <bit>

#include "store/postgres/array_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using core::Result;
using service::RateEntry;
using service::Task;

/// The same for all rows of a statement. (`now()` is when the transaction began, which may hold many statements.)
const std::string kNow = "(statement_timestamp() AT TIME ZONE 'UTC')";

/// Parameters: keys, and microseconds spent. Rows are locked in the order of their keys by everybody. No bucket owes
/// more than an hour, whatever a process says.
std::string exchange_text() {
    return "INSERT INTO video_consultation_rates AS r (key, full_at) SELECT s.key, " + kNow +
           " + s.spent * interval '1 microsecond'"
           " FROM unnest($1::bigint[], $2::bigint[]) AS s (key, spent) ORDER BY s.key"
           " ON CONFLICT (key) DO UPDATE SET full_at = least(" +
           kNow + " + interval '1 hour', greatest(r.full_at, " + kNow + ") + (excluded.full_at - " + kNow +
           ")) RETURNING key, (extract(epoch FROM full_at - " + kNow + ") * 1000000)::bigint";
}

/// A row that somebody is at is left alone: it will be full again some other time.
std::string forget_text() {
    return "DELETE FROM video_consultation_rates WHERE key IN (SELECT key FROM video_consultation_rates"
           " WHERE full_at < " +
           kNow + " LIMIT $1::bigint FOR UPDATE SKIP LOCKED)";
}

struct RateStatements {
    Statement exchange{"rates_exchange", exchange_text()};
    Statement forget{"rates_forget", forget_text()};
};
const RateStatements& rate_statements() {
    static const RateStatements statements;
    return statements;
}

std::vector<RateEntry> entries_of(const PGresult* rows) {
    std::vector<RateEntry> entries;
    entries.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int number = 0; number < PQntuples(rows); ++number) {
        const ResultRow row(rows, number);
        entries.push_back({std::bit_cast<std::uint64_t>(row.number(0)), std::chrono::microseconds(row.number(1))});
    }
    return entries;
}

}  // namespace

Task<Result<std::vector<RateEntry>>> PostgresStore::exchange_rates(std::vector<RateEntry> spent) {
    std::vector<std::int64_t> keys, times;
    keys.reserve(spent.size());
    times.reserve(spent.size());
    for (const auto& entry : spent) {
        keys.push_back(std::bit_cast<std::int64_t>(entry.key));
        times.push_back(entry.time.count());
    }
    return parts_->write(rate_statements().exchange, texts(array_of(keys), array_of(times)), entries_of);
}

Task<Result<void>> PostgresStore::forget_rates(int limit) {
    Params params;
    params.number(limit);
    return parts_->write(rate_statements().forget, std::move(params), nothing);
}

}  // namespace store::postgres
