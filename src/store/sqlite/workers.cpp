#include "store/sqlite/workers.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>

#include "core/log.hpp"

namespace store::sqlite {
namespace {

/// So many changes share one wait for the disk.
constexpr std::size_t kLargestBatch = 256;
/// The longest a change waits for company.
constexpr std::chrono::microseconds kMostPatience{3000};

core::Error broken(const char* what) {
    return {core::ErrorKind::internal, what};
}

void log_failure(const char* what, const core::Error& error) {
    core::log::error(what, {{"why", error.detail}});
}

/// Counted as long as it lives.
class AtWork {
  public:
    explicit AtWork(std::atomic<std::int64_t>& count) : count_(count) {
        count_.fetch_add(1, std::memory_order_relaxed);
    }
    ~AtWork() { count_.fetch_sub(1, std::memory_order_relaxed); }
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;

  private:
    std::atomic<std::int64_t>& count_;
};

}  // namespace

bool JobQueue::push(std::unique_ptr<Job>& job) {
    {
        const std::scoped_lock lock(mutex_);
        if (closed_ || jobs_.size() >= limit_) return false;
        jobs_.push_back(std::move(job));
        if (jobs_.size() < wanted_) return true;
    }
    filled_.notify_one();
    return true;
}

std::vector<std::unique_ptr<Job>> JobQueue::take(std::size_t count) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    return take_waiting(count);
}

std::vector<std::unique_ptr<Job>> JobQueue::take_together(std::size_t count, std::size_t company,
                                                          std::chrono::microseconds patience) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    wanted_ = company;
    filled_.wait_for(lock, patience, [this] { return closed_ || jobs_.size() >= wanted_; });
    wanted_ = 1;
    return take_waiting(count);
}

std::vector<std::unique_ptr<Job>> JobQueue::take_waiting(std::size_t count) {
    std::vector<std::unique_ptr<Job>> taken;
    while (!jobs_.empty() && taken.size() < count) {
        taken.push_back(std::move(jobs_.front()));
        jobs_.pop_front();
    }
    return taken;
}

void JobQueue::close() {
    {
        const std::scoped_lock lock(mutex_);
        closed_ = true;
    }
    filled_.notify_all();
}

std::size_t JobQueue::size() const {
    const std::scoped_lock lock(mutex_);
    return jobs_.size();
}

void Workers::add_to(service::Vitals::Database& vitals) const {
    vitals.connections = static_cast<std::int64_t>(readers_.size() + 1);
    vitals.busy = busy_.load(std::memory_order_relaxed);
    vitals.waiting_reads = static_cast<std::int64_t>(reads_.size());
    vitals.waiting_writes = static_cast<std::int64_t>(writes_.size());
}

Workers::Workers(const std::string& path, int readers, std::size_t queue_limit, std::chrono::milliseconds busy_timeout)
    : writes_(queue_limit), reads_(queue_limit), writer_(path, busy_timeout) {
    for (int i = 0; i < readers; ++i) readers_.push_back(std::make_unique<Connection>(path, busy_timeout));
    threads_.emplace_back([this] {
        pthread_setname_np(pthread_self(), "sqlite-writer");
        write_all();
    });
    for (auto& reader : readers_) {
        threads_.emplace_back([this, &connection = *reader] {
            pthread_setname_np(pthread_self(), "sqlite-reader");
            read_all(connection);
        });
    }
}

Workers::~Workers() {
    stop();
}

void Workers::stop() {
    writes_.close();
    reads_.close();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

void Workers::read_all(Connection& connection) {
    for (auto jobs = reads_.take(1); !jobs.empty(); jobs = reads_.take(1)) {
        auto& job = *jobs.front();
        if (job.abandoned()) continue;
        const AtWork at_work(busy_);
        try {
            job.run(connection);
            job.finish({});
        } catch (const Failure& failure) {
            const auto error = error_of(failure);
            log_failure("database read failed", error);
            job.finish(error);
        } catch (const std::exception& thrown) {
            const auto error = broken(thrown.what());
            log_failure("database read failed", error);
            job.finish(error);
        }
    }
}

/// Whoever got an answer from one commit often comes back with the next change. Taking the first of them at once would
/// leave the others to wait for two commits; so a batch waits a little for about as many as the last one had. A lone
/// writer waits for nobody.
void Workers::write_all() {
    using Clock = std::chrono::steady_clock;
    std::size_t last = 1;
    std::chrono::microseconds commit_time{0};
    for (;;) {
        auto jobs = writes_.take_together(kLargestBatch, last - last / 4, std::min(commit_time / 2, kMostPatience));
        if (jobs.empty()) return;
        last = jobs.size();
        const AtWork at_work(busy_);
        const auto begun = Clock::now();
        write_together(std::move(jobs));
        commit_time = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun);
    }
}

/// One transaction for all, a savepoint for each: who fails takes nobody along. The answers go out after the commit.
void Workers::write_together(std::vector<std::unique_ptr<Job>> jobs) {
    std::erase_if(jobs, [](const auto& job) { return job->abandoned(); });
    if (jobs.empty()) return;
    std::vector<std::unique_ptr<Job>> done;
    try {
        done.reserve(jobs.size());
        writer_.query("BEGIN IMMEDIATE").run();
        ++write_transactions_;
        for (auto& job : jobs) {
            std::optional<core::Error> failure;
            bool keep = false;
            writer_.query("SAVEPOINT change").run();
            try {
                keep = job->run(writer_);
            } catch (const Failure& thrown) {
                if (writer_.idle()) throw;
                failure = error_of(thrown);
            } catch (const std::exception& thrown) {
                failure = broken(thrown.what());
            }
            if (!keep) writer_.query("ROLLBACK TO change").run();
            writer_.query("RELEASE change").run();
            if (failure) {
                log_failure("database write failed", *failure);
                job->finish(failure);
            } else {
                done.push_back(std::move(job));
            }
        }
        writer_.query("COMMIT").run();
    } catch (const Failure& thrown) {
        return give_up(jobs, done, error_of(thrown));
    } catch (const std::exception& thrown) {
        return give_up(jobs, done, broken(thrown.what()));
    }
    for (auto& job : done) job->finish({});
}

/// Nothing of the batch is kept.
void Workers::give_up(std::vector<std::unique_ptr<Job>>& jobs, std::vector<std::unique_ptr<Job>>& done,
                      const core::Error& error) {
    log_failure("database transaction failed", error);
    try {
        if (!writer_.idle()) writer_.query("ROLLBACK").run();
    } catch (const Failure& second) {
        log_failure("database transaction not undone", error_of(second));
    }
    for (auto& job : done) job->finish(error);
    for (auto& job : jobs) {
        if (job) job->finish(error);
    }
}

}  // namespace store::sqlite
