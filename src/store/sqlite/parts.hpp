// How the ports of the store are answered: a piece of work goes to a thread that owns a connection, and its result
// comes back to the loop of the coroutine that waits. Inside this room only.
#pragma once

#include <boost/asio/this_coro.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "net/completion.hpp"
#include "net/loop_guard.hpp"
#include "store/common/call_meter.hpp"
#include "store/sqlite/node_book.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/workers.hpp"

namespace store::sqlite {

/// Whether what the work wrote is kept.
inline bool keeps(const service::Committed& result) {
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
    WaitedJob(boost::asio::any_io_executor executor, std::shared_ptr<net::Completion<core::Result<T>>> completion,
              Work work)
        : executor_(std::move(executor)),
          loop_(net::LoopGuard::of(executor_)),
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
    boost::asio::any_io_executor executor_;
    std::shared_ptr<net::LoopGuard> loop_;
    std::shared_ptr<net::Completion<core::Result<T>>> completion_;
    Work work_;
    std::optional<core::Result<T>> result_;
};

struct SqliteStore::Parts {
    enum class Kind { read, write };

    SqliteSettings settings;
    Workers workers;
    NodeBook nodes;
    CallMeter meter;

    explicit Parts(SqliteSettings given)
        : settings(std::move(given)),
          workers(settings.path, settings.readers, settings.queue_limit, settings.busy_timeout) {}

    /// `work` is a value of its own: nothing in it refers to the coroutine, which may have gone when it runs.
    template <class T, class Work>
    service::Task<core::Result<T>> run(Kind kind, std::chrono::milliseconds limit, Work work) {
        const auto begun = std::chrono::steady_clock::now();
        const auto executor = co_await boost::asio::this_coro::executor;
        auto completion = std::make_shared<net::Completion<core::Result<T>>>();
        std::unique_ptr<Job> job = std::make_unique<WaitedJob<T, Work>>(executor, completion, std::move(work));
        const bool taken = kind == Kind::read ? workers.read(job) : workers.write(job);
        core::Result<T> result = refused("the database has too much to do, or is closing");
        if (taken) {
            auto answer = co_await net::Completion<core::Result<T>>::wait(std::move(completion), limit);
            if (answer) {
                result = std::move(*answer);
            } else {
                result = refused("the database did not answer in time");
            }
        }
        meter.over(kind == Kind::write, begun, result ? nullptr : &result.error());
        co_return result;
    }
    template <class T, class Work>
    service::Task<core::Result<T>> read(Work work) {
        return run<T>(Kind::read, settings.operation_timeout, std::move(work));
    }
    template <class T, class Work>
    service::Task<core::Result<T>> write(Work work) {
        return run<T>(Kind::write, settings.operation_timeout, std::move(work));
    }

  private:
    static std::unexpected<core::Error> refused(const char* why) {
        return std::unexpected(core::Error{core::ErrorKind::unavailable, why, std::chrono::seconds(1)});
    }
};

}  // namespace store::sqlite
