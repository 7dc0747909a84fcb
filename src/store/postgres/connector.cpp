#include "store/postgres/connector.hpp"

#include <pthread.h>

namespace store::postgres {
namespace {

/// More than one, so that a slow name server does not hold up the pools one after another.
constexpr int kThreads = 2;

std::unexpected<core::Error> stopping() {
    return core::fail(core::ErrorKind::unavailable, "the database is closing");
}

}  // namespace

Connector::Connector(Parameters parameters, std::chrono::milliseconds statement_timeout,
                     std::chrono::milliseconds connect_timeout)
    : parameters_(std::move(parameters)), statement_timeout_(statement_timeout), connect_timeout_(connect_timeout) {
    for (int i = 0; i < kThreads; ++i) {
        threads_.emplace_back([this] {
            pthread_setname_np(pthread_self(), "pg-connect");
            work();
        });
    }
}

core::Result<Link> Connector::connect_now(Deadline deadline) {
    return connect(parameters_, statement_timeout_, deadline, stop_);
}

void Connector::request(Callback callback) {
    {
        const std::scoped_lock lock(mutex_);
        if (!stopped_) {
            waiting_.push_back(std::move(callback));
            filled_.notify_one();
            return;
        }
    }
    callback(stopping());
}

void Connector::work() {
    for (;;) {
        Callback callback;
        {
            std::unique_lock lock(mutex_);
            filled_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            callback = std::move(waiting_.front());
            waiting_.pop_front();
            if (stopped_) {
                lock.unlock();
                callback(stopping());
                continue;
            }
        }
        callback(connect_now(std::chrono::steady_clock::now() + connect_timeout_));
    }
}

void Connector::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
    }
    stop_.raise();
    filled_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

}  // namespace store::postgres
