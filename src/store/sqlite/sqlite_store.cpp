#include "store/sqlite/sqlite_store.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "store/common/change_text.hpp"
#include "store/common/completion.hpp"
#include "store/common/loop_guard.hpp"
#include "store/sqlite/queries.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/workers.hpp"

namespace store::sqlite {
namespace {

namespace asio = boost::asio;
using core::Result;
using service::Task;

bool keeps(const service::Committed& result) {
    return result == service::Committed::applied;
}
template <class T>
bool keeps(const T&) {
    return true;
}

/// Runs `Work` on a worker's thread and posts what it returns back to the loop of the coroutine that waits.
template <class T, class Work>
class WaitedJob final : public Job {
  public:
    WaitedJob(asio::any_io_executor executor, std::shared_ptr<Completion<Result<T>>> completion, Work work)
        : executor_(std::move(executor)),
          loop_(LoopGuard::of(executor_)),
          completion_(std::move(completion)),
          work_(std::move(work)) {}

    bool run(Connection& connection) override {
        if constexpr (std::is_void_v<T>) {
            work_(connection);
            result_.emplace();
            return true;
        } else {
            result_.emplace(work_(connection));
            return keeps(**result_);
        }
    }

    void finish(std::optional<core::Error> failure) override {
        if (failure) result_.emplace(std::unexpected(std::move(*failure)));
        loop_->post(executor_, [completion = std::move(completion_), result = std::move(*result_)]() mutable {
            completion->complete(std::move(result));
        });
    }

    bool abandoned() const override { return completion_->abandoned(); }

  private:
    asio::any_io_executor executor_;
    std::shared_ptr<LoopGuard> loop_;
    std::shared_ptr<Completion<Result<T>>> completion_;
    Work work_;
    std::optional<Result<T>> result_;
};

core::Error overloaded() {
    return {core::ErrorKind::unavailable, "the database has too much to do, or is closing", std::chrono::seconds(1)};
}
core::Error too_slow() {
    return {core::ErrorKind::unavailable, "the database did not answer in time", std::chrono::seconds(1)};
}

enum class Kind { read, write };

}  // namespace

struct SqliteStore::Parts {
    SqliteSettings settings;
    Workers workers;

    explicit Parts(SqliteSettings given)
        : settings(std::move(given)),
          workers(settings.path, settings.readers, settings.queue_limit, settings.busy_timeout) {}

    /// `work` is a value of its own: nothing in it refers to the coroutine, which may have gone when it runs.
    template <class T, class Work>
    Task<Result<T>> run(Kind kind, std::chrono::milliseconds limit, Work work) {
        const auto executor = co_await asio::this_coro::executor;
        auto completion = std::make_shared<Completion<Result<T>>>();
        std::unique_ptr<Job> job = std::make_unique<WaitedJob<T, Work>>(executor, completion, std::move(work));
        const bool taken = kind == Kind::read ? workers.read(job) : workers.write(job);
        if (!taken) co_return std::unexpected(overloaded());
        auto result = co_await Completion<Result<T>>::wait(std::move(completion), limit);
        if (!result) co_return std::unexpected(too_slow());
        co_return std::move(*result);
    }
    template <class T, class Work>
    Task<Result<T>> read(Work work) {
        return run<T>(Kind::read, settings.operation_timeout, std::move(work));
    }
    template <class T, class Work>
    Task<Result<T>> write(Work work) {
        return run<T>(Kind::write, settings.operation_timeout, std::move(work));
    }
};

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(SqliteSettings settings) {
    if (auto prepared = prepare(settings.path, settings.busy_timeout); !prepared) {
        return std::unexpected(std::move(prepared.error()));
    }
    try {
        return std::unique_ptr<SqliteStore>(new SqliteStore(std::make_unique<Parts>(std::move(settings))));
    } catch (const Failure& failure) {
        return std::unexpected(error_of(failure));
    }
}

void SqliteStore::stop() {
    parts_->workers.stop();
}
std::uint64_t SqliteStore::write_transactions() const {
    return parts_->workers.write_transactions();
}

Task<Result<std::optional<Session>>> SqliteStore::find(std::string session_id) {
    return parts_->read<std::optional<Session>>([id = std::move(session_id)](Connection& connection) {
        return sqlite::find(connection, SessionKey::session, id);
    });
}

Task<Result<std::optional<Session>>> SqliteStore::find_by_meeting(std::string meeting_id) {
    return parts_->read<std::optional<Session>>([id = std::move(meeting_id)](Connection& connection) {
        return sqlite::find(connection, SessionKey::meeting, id);
    });
}

Task<Result<std::optional<Session>>> SqliteStore::find_by_appointment(std::string appointment_id) {
    return parts_->read<std::optional<Session>>([id = std::move(appointment_id)](Connection& connection) {
        return sqlite::find(connection, SessionKey::appointment, id);
    });
}

Task<Result<service::SessionPage>> SqliteStore::list(service::SessionQuery query) {
    return parts_->read<service::SessionPage>(
        [query = std::move(query)](Connection& connection) { return sqlite::list(connection, query); });
}

Task<Result<std::vector<consultation::AuditEntry>>> SqliteStore::audit_trail(std::string session_id) {
    return parts_->read<std::vector<consultation::AuditEntry>>(
        [id = std::move(session_id)](Connection& connection) { return sqlite::audit_trail(connection, id); });
}

Task<Result<std::optional<service::IdempotencyRecord>>> SqliteStore::find_idempotency(std::string user_id,
                                                                                      std::string key) {
    return parts_->read<std::optional<service::IdempotencyRecord>>(
        [user = std::move(user_id), key = std::move(key)](Connection& connection) {
            return sqlite::find_idempotency(connection, user, key);
        });
}

Task<Result<service::Committed>> SqliteStore::commit(consultation::Change change,
                                                     std::optional<service::IdempotencyRecord> idempotency) {
    keep_last(change);
    return parts_->write<service::Committed>(
        [change = std::move(change), idempotency = std::move(idempotency)](Connection& connection) {
            return sqlite::commit(connection, change, idempotency);
        });
}

Task<Result<service::Usage>> SqliteStore::usage(service::Time from, service::Time to) {
    return parts_->read<service::Usage>(
        [from, to](Connection& connection) { return sqlite::usage(connection, from, to); });
}

Task<Result<void>> SqliteStore::heartbeat(std::vector<service::Heartbeat> beats) {
    return parts_->write<void>(
        [beats = std::move(beats)](Connection& connection) { sqlite::heartbeat(connection, beats); });
}

Task<Result<std::vector<std::string>>> SqliteStore::due(service::DuePolicy policy, int limit) {
    return parts_->read<std::vector<std::string>>(
        [policy, limit](Connection& connection) { return sqlite::due(connection, policy, limit); });
}

Task<Result<void>> SqliteStore::ping() {
    return parts_->run<void>(Kind::read, std::chrono::seconds(1),
                             [](Connection& connection) { sqlite::ping(connection); });
}

}  // namespace store::sqlite
