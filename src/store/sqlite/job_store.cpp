// The store as JobQueue.
#include "store/common/rows.hpp"
#include "store/sqlite/parts.hpp"
#include "store/sqlite/queries.hpp"

namespace store::sqlite {
namespace {

using core::Result;
using service::Task;
using service::Time;

std::vector<consultation::Job> claim(Connection& connection, Time now, std::chrono::seconds lease, int limit) {
    static const std::string sql = "SELECT " + joined(kJobColumns) +
                                   " FROM video_consultation_jobs WHERE due_at <= ?1 ORDER BY due_at, job_id LIMIT ?2";
    std::vector<consultation::Job> jobs;
    {
        auto rows = connection.query(sql);
        rows.time(now);
        rows.number(limit);
        while (rows.step()) jobs.push_back(read_job(rows.row()));
    }
    for (auto& job : jobs) {
        ++job.attempts;
        job.due_at = now + lease;
        auto update =
            connection.query("UPDATE video_consultation_jobs SET attempts = ?2, due_at = ?3 WHERE job_id = ?1");
        update.text(job.job_id);
        update.number(job.attempts);
        update.time(job.due_at);
        update.run();
    }
    return jobs;
}

}  // namespace

void add_job(Connection& connection, const consultation::Job& job) {
    static const std::string sql = "INSERT INTO video_consultation_jobs (" + joined(kJobColumns) +
                                   ", first_due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                                   " ON CONFLICT (job_id) DO NOTHING";
    auto insert = connection.query(sql);
    write_job(insert, job);
    insert.run();
}

Task<Result<std::vector<consultation::Job>>> SqliteStore::claim_jobs(Time now, std::chrono::seconds lease, int limit) {
    return parts_->write<std::vector<consultation::Job>>(
        [now, lease, limit](Connection& connection) { return claim(connection, now, lease, limit); });
}

Task<Result<void>> SqliteStore::finish_job(std::string job_id) {
    return parts_->write<void>([job_id = std::move(job_id)](Connection& connection) {
        auto remove = connection.query("DELETE FROM video_consultation_jobs WHERE job_id = ?1");
        remove.text(job_id);
        remove.run();
    });
}

Task<Result<void>> SqliteStore::postpone_job(std::string job_id, Time due_at) {
    return parts_->write<void>([job_id = std::move(job_id), due_at](Connection& connection) {
        auto update = connection.query("UPDATE video_consultation_jobs SET due_at = ?2 WHERE job_id = ?1");
        update.text(job_id);
        update.time(due_at);
        update.run();
    });
}

Task<Result<void>> SqliteStore::add_jobs(std::vector<consultation::Job> jobs) {
    return parts_->write<void>([jobs = std::move(jobs)](Connection& connection) {
        for (const auto& job : jobs) add_job(connection, job);
    });
}

Task<Result<service::Backlog>> SqliteStore::job_backlog() {
    return parts_->read<service::Backlog>([](Connection& connection) {
        auto query = connection.query("SELECT count(*), min(first_due_at) FROM video_consultation_jobs");
        query.step();
        const auto row = query.row();
        return service::Backlog{row.number(0), row.null(1) ? std::nullopt : std::optional(row.time(1))};
    });
}

}  // namespace store::sqlite
