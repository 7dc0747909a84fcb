// Port: durable work at a meeting provider (consultation::Job), written by SessionStore::commit with the change that
// demands it. Calls as in SessionStore.
#pragma once

#include <string>
#include <vector>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/outbox.hpp"
#include "service/task.hpp"

namespace service {

class JobQueue {
  public:
    virtual ~JobQueue() = default;

    /// Takes up to `limit` jobs that are due, oldest first, and puts their due time off to `now + lease`, so that no
    /// other process takes them meanwhile. `attempts` counts this attempt.
    virtual Task<core::Result<std::vector<consultation::Job>>> claim_jobs(Time now, std::chrono::seconds lease,
                                                                          int limit) = 0;
    virtual Task<core::Result<void>> finish_job(std::string job_id) = 0;
    virtual Task<core::Result<void>> postpone_job(std::string job_id, Time due_at) = 0;
    virtual Task<core::Result<void>> add_jobs(std::vector<consultation::Job> jobs) = 0;
    virtual Task<core::Result<Backlog>> job_backlog() = 0;
};

}  // namespace service
