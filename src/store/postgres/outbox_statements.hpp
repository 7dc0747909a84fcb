// The SQL of messages, deliveries, leases and jobs. Made once for the program; any thread.
#pragma once

#include "store/postgres/statements.hpp"

namespace store::postgres {

struct OutboxStatements {
    Statement hold_lease, release_lease, append;
    Statement unpublished, mark_published, fan_out;
    Statement due_deliveries, finish_deliveries, postpone_delivery;
    Statement broker_backlog, webhook_backlog, prune;
};
const OutboxStatements& outbox_statements();

struct JobStatements {
    Statement claim, finish, postpone, add, backlog;
};
const JobStatements& job_statements();

}  // namespace store::postgres
