#include "store/postgres/outbox_statements.hpp"

#include "store/common/rows.hpp"

namespace store::postgres {
namespace {

/// Within a transaction of many operations `now()` is when the first of them began.
constexpr std::string_view kNow = "(clock_timestamp() AT TIME ZONE 'UTC')";

/// Any number will do that no other use of advisory locks takes (see schema.cpp).
constexpr std::string_view kFanOutLock = "7238144002";

std::string hold_lease() {
    const std::string now(kNow);
    return "INSERT INTO video_consultation_leases AS l (name, holder, expires_at)"
           " VALUES ($1, $2, " +
           now +
           " + $3::bigint * interval '1 millisecond')"
           " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at"
           " WHERE l.holder = excluded.holder OR l.expires_at <= " +
           now + " RETURNING true";
}

/// One process at a time, for the second could make later deliveries of a session before the first has made the
/// earlier ones; it finds nothing to do instead of waiting. Messages from before `since` that lie on the way are put
/// aside, so that the next time they do not. A session whose deliveries have been put off goes on waiting.
std::string fan_out() {
    return "WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(" + std::string(kFanOutLock) +
           ") AS mine),"
           " taken AS (SELECT sequence, session_id, occurred_at FROM video_consultation_outbox"
           "  WHERE NOT fanned_out AND occurred_at >= $2::timestamp AND (SELECT mine FROM turn)"
           "  ORDER BY sequence LIMIT $3::bigint FOR UPDATE),"
           " too_old AS (SELECT sequence FROM video_consultation_outbox"
           "  WHERE NOT fanned_out AND occurred_at < $2::timestamp AND (SELECT mine FROM turn)"
           "  AND sequence < coalesce((SELECT min(sequence) FROM taken), 9223372036854775807)"
           "  ORDER BY sequence LIMIT 10000 FOR UPDATE),"
           " marked AS (UPDATE video_consultation_outbox o SET fanned_out = true"
           "  FROM (SELECT sequence FROM taken UNION ALL SELECT sequence FROM too_old) t"
           "  WHERE o.sequence = t.sequence),"
           " made AS (INSERT INTO video_consultation_webhook_deliveries (sequence, endpoint, session_id, next_attempt)"
           "  SELECT t.sequence, e.endpoint, t.session_id, greatest(t.occurred_at,"
           "   (SELECT max(d.next_attempt) FROM video_consultation_webhook_deliveries d"
           "    WHERE d.endpoint = e.endpoint AND d.session_id = t.session_id))"
           "  FROM taken t CROSS JOIN unnest($1::text[]) AS e (endpoint) ORDER BY t.sequence)"
           " SELECT count(*) FROM taken";
}

/// Every endpoint gets its share, so that one that is down leaves room for the others. Of each, those that have been
/// due longest are looked at, some more than are wanted since only the first of a session can go. It is never due later
/// than the rest of its session, so looking at a part leaves nobody out for good.
std::string due_deliveries() {
    return "WITH RECURSIVE endpoints AS ("
           "  SELECT min(endpoint) AS endpoint FROM video_consultation_webhook_deliveries"
           "  UNION ALL SELECT (SELECT min(d.endpoint) FROM video_consultation_webhook_deliveries d"
           "   WHERE d.endpoint > e.endpoint) FROM endpoints e WHERE e.endpoint IS NOT NULL),"
           " due AS MATERIALIZED (SELECT d.* FROM endpoints e CROSS JOIN LATERAL"
           "  (SELECT * FROM video_consultation_webhook_deliveries"
           "   WHERE endpoint = e.endpoint AND next_attempt <= $1::timestamp"
           "   ORDER BY next_attempt, sequence LIMIT 20 * $2::bigint) d),"
           " first AS (SELECT *, row_number() OVER (PARTITION BY endpoint ORDER BY sequence) AS place FROM due"
           "  WHERE NOT EXISTS (SELECT 1 FROM video_consultation_webhook_deliveries e WHERE e.endpoint = due.endpoint"
           "   AND e.session_id = due.session_id AND e.sequence < due.sequence)"
           "  ORDER BY place, sequence LIMIT $2::bigint)"
           " SELECT d.delivery_id, d.endpoint, d.attempts, " +
           joined(kMessageColumns, "o.") +
           " FROM first d JOIN video_consultation_outbox o USING (sequence) ORDER BY d.sequence, d.delivery_id";
}

/// The rest of the queue behind a delivery can go no earlier than it: put off as well, it is not looked at in vain.
constexpr auto kPostponeDelivery =
    "WITH head AS (UPDATE video_consultation_webhook_deliveries"
    "  SET attempts = attempts + 1, next_attempt = $2::timestamp WHERE delivery_id = $1::bigint"
    "  RETURNING endpoint, session_id)"
    " UPDATE video_consultation_webhook_deliveries d SET next_attempt = greatest(d.next_attempt, $2::timestamp)"
    " FROM head h WHERE d.endpoint = h.endpoint AND d.session_id = h.session_id AND d.delivery_id <> $1::bigint";

constexpr auto kPrune =
    "WITH old AS (SELECT sequence FROM video_consultation_outbox o"
    "  WHERE occurred_at < $1::timestamp AND (published_at IS NOT NULL OR NOT $2::boolean)"
    "  AND NOT EXISTS (SELECT 1 FROM video_consultation_webhook_deliveries d WHERE d.sequence = o.sequence)"
    "  ORDER BY occurred_at LIMIT $3::bigint FOR UPDATE SKIP LOCKED),"
    " gone AS (DELETE FROM video_consultation_outbox o USING old WHERE o.sequence = old.sequence RETURNING 1)"
    " SELECT count(*) FROM gone";

std::string claim() {
    return "WITH due AS (SELECT job_id, due_at FROM video_consultation_jobs WHERE due_at <= $1::timestamp"
           "  ORDER BY due_at, job_id LIMIT $3::bigint FOR UPDATE SKIP LOCKED),"
           " claimed AS (UPDATE video_consultation_jobs j SET attempts = j.attempts + 1, due_at = $2::timestamp"
           "  FROM due WHERE j.job_id = due.job_id RETURNING due.due_at AS was_due_at, " +
           joined(kJobColumns, "j.") + ") SELECT " + joined(kJobColumns) + " FROM claimed ORDER BY was_due_at, job_id";
}

std::string add_jobs() {
    return "INSERT INTO video_consultation_jobs (" + joined(kJobColumns) +
           ", first_due_at) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],"
           " $6::text[], $7::timestamp[], $8::integer[], $7::timestamp[]) ON CONFLICT (job_id) DO NOTHING";
}

}  // namespace

const OutboxStatements& outbox_statements() {
    static const OutboxStatements statements{
        .hold_lease = {"hold_lease", hold_lease()},
        .release_lease = {"release_lease", "DELETE FROM video_consultation_leases WHERE name = $1 AND holder = $2"},
        .append = {"append",
                   "INSERT INTO video_consultation_outbox"
                   " (event_id, session_id, routing_key, event_type, occurred_at, payload, trace_context)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event_id) DO NOTHING"},
        .unpublished = {"unpublished", "SELECT " + joined(kMessageColumns) +
                                           " FROM video_consultation_outbox WHERE published_at IS NULL"
                                           " ORDER BY sequence LIMIT $1::bigint"},
        .mark_published = {"mark_published",
                           "UPDATE video_consultation_outbox SET published_at = " + std::string(kNow) +
                               " WHERE sequence = ANY ($1::bigint[]) AND published_at IS NULL"},
        .fan_out = {"fan_out", fan_out()},
        .due_deliveries = {"due_deliveries", due_deliveries()},
        .finish_deliveries = {"finish_deliveries",
                              "DELETE FROM video_consultation_webhook_deliveries"
                              " WHERE delivery_id = ANY ($1::bigint[])"},
        .postpone_delivery = {"postpone_delivery", kPostponeDelivery},
        .broker_backlog = {"broker_backlog",
                           "SELECT (SELECT count(*) FROM video_consultation_outbox WHERE published_at IS NULL),"
                           " (SELECT occurred_at FROM video_consultation_outbox WHERE published_at IS NULL"
                           "  ORDER BY sequence LIMIT 1)"},
        .webhook_backlog = {"webhook_backlog",
                            "SELECT (SELECT count(*) FROM video_consultation_webhook_deliveries),"
                            " (SELECT o.occurred_at FROM video_consultation_webhook_deliveries d"
                            "  JOIN video_consultation_outbox o USING (sequence) ORDER BY d.sequence LIMIT 1)"},
        .prune = {"prune_outbox", kPrune},
    };
    return statements;
}

const JobStatements& job_statements() {
    static const JobStatements statements{
        .claim = {"claim_jobs", claim()},
        .finish = {"finish_job", "DELETE FROM video_consultation_jobs WHERE job_id = $1"},
        .postpone = {"postpone_job", "UPDATE video_consultation_jobs SET due_at = $2 WHERE job_id = $1"},
        .add = {"add_jobs", add_jobs()},
        .backlog = {"job_backlog", "SELECT count(*), min(first_due_at) FROM video_consultation_jobs"},
    };
    return statements;
}

}  // namespace store::postgres
