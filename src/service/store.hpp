// Everything that is kept, behind one port: what an engine in room `store` implements.
#pragma once

#include "service/audit_log.hpp"
#include "service/job_queue.hpp"
#include "service/meter.hpp"
#include "service/outbox.hpp"
#include "service/session_store.hpp"

namespace service {

class Store : public SessionStore, public Outbox, public JobQueue, public MeterStore, public AuditLog {};

}  // namespace service
