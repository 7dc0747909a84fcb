// The store as JobQueue.
#include "store/common/rows.hpp"
#include "store/postgres/answers.hpp"
#include "store/postgres/array_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/outbox_statements.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using core::Result;
using service::Task;

std::vector<consultation::Job> jobs_of(const PGresult* rows) {
    std::vector<consultation::Job> jobs;
    jobs.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int row = 0; row < PQntuples(rows); ++row) jobs.push_back(read_job(ResultRow(rows, row)));
    return jobs;
}

}  // namespace

Task<Result<std::vector<consultation::Job>>> PostgresStore::claim_jobs(service::Time now, std::chrono::seconds lease,
                                                                       int limit) {
    Params params;
    params.time(now);
    params.time(now + lease);
    params.number(limit);
    return parts_->write(job_statements().claim, std::move(params), jobs_of);
}

Task<Result<void>> PostgresStore::finish_job(std::string job_id) {
    return parts_->write(job_statements().finish, texts(job_id), nothing);
}

Task<Result<void>> PostgresStore::postpone_job(std::string job_id, service::Time due_at) {
    auto params = texts(job_id);
    params.time(due_at);
    return parts_->write(job_statements().postpone, std::move(params), nothing);
}

Task<Result<void>> PostgresStore::add_jobs(std::vector<consultation::Job> jobs) {
    std::array<ArrayText, kJobColumns.size()> columns;
    for (const auto& job : jobs) {
        std::size_t column = 0;
        for (const auto text : {std::string_view(job.job_id), consultation::to_text(job.kind),
                                std::string_view(job.session_id), consultation::to_text(job.provider),
                                std::string_view(job.meeting_id), std::string_view(job.attendee_id)}) {
            columns.at(column++).add(text);
        }
        columns.at(column++).add(core::format_zoneless(job.due_at));
        columns.at(column++).add(std::to_string(job.attempts));
    }
    Params params;
    for (auto& column : columns) params.text(column.take());
    return parts_->write(job_statements().add, std::move(params), nothing);
}

Task<Result<service::Backlog>> PostgresStore::job_backlog() {
    return parts_->read(job_statements().backlog, Params(), backlog_of);
}

}  // namespace store::postgres
