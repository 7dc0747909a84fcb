#include "events/publisher.hpp"

#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "core/log.hpp"
#include "events/backoff.hpp"
#include "events/send_window.hpp"
#include "net/completion.hpp"
#include "net/loop_guard.hpp"

namespace events {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstRetry{100};
constexpr milliseconds kLastRetry{10'000};
/// A connection that held so long was a good one: the next attempt need not wait long.
constexpr std::chrono::seconds kLasting{5};
/// Of the second in which the thread must have stopped.
constexpr milliseconds kLastConfirms{300};
constexpr milliseconds kLeaveTaking{250};
constexpr milliseconds kStopPatience{700};
/// How much later than `until` the answer may come.
constexpr milliseconds kGrace{500};
/// The broker's answers are looked at after so many messages.
constexpr int kStride = 32;

core::Error refusal() {
    return {core::ErrorKind::unavailable, "there is no connection to the broker", {}};
}

}  // namespace

struct Publisher::Job {
    using Outcome = core::Result<std::vector<bool>>;

    Job(std::vector<Outgoing> messages, steady_clock::time_point end, asio::any_io_executor on)
        : batch(std::move(messages)),
          until(end),
          executor(std::move(on)),
          loop(net::LoopGuard::of(executor)),
          done(std::make_shared<net::Completion<Outcome>>()) {}

    void finish(Outcome outcome) const {
        loop->post(executor,
                   [done = done, outcome = std::move(outcome)]() mutable { done->complete(std::move(outcome)); });
    }

    const std::vector<Outgoing> batch;
    const steady_clock::time_point until;
    const asio::any_io_executor executor;
    const std::shared_ptr<net::LoopGuard> loop;
    const std::shared_ptr<net::Completion<Outcome>> done;
};

Publisher::Publisher(BrokerSettings settings)
    : waker_(std::make_shared<Waker>()),
      turn_(settings.heartbeat / 3),
      link_(std::move(settings), "video-consultation events", waker_) {}

Publisher::~Publisher() {
    stop();
}

void Publisher::start() {
    has_ended_ = false;
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "amqp-publish");
        run();
        {
            const std::scoped_lock lock(mutex_);
            has_ended_ = true;
        }
        ended_.notify_all();
    });
}

void Publisher::stop() {
    stopping_.store(true);
    waker_->wake();
    {
        std::unique_lock lock(mutex_);
        ended_.wait_for(lock, kStopPatience, [this] { return has_ended_; });
    }
    link_.end();
    if (thread_.joinable()) thread_.join();
    refuse_jobs();
}

std::string Publisher::last_error() const {
    const std::scoped_lock lock(mutex_);
    return last_error_;
}

service::Task<core::Result<std::vector<bool>>> Publisher::publish(std::vector<Outgoing> batch,
                                                                  steady_clock::time_point until) {
    const auto job = std::make_shared<Job>(std::move(batch), until, co_await asio::this_coro::executor);
    {
        const std::scoped_lock lock(mutex_);
        if (!ready() || stopping() || jobs_.size() >= kMostBatches) co_return std::unexpected(refusal());
        jobs_.push_back(job);
    }
    waker_->wake();
    auto outcome = co_await net::Completion<Job::Outcome>::wait(job->done, until + kGrace - steady_clock::now());
    if (outcome) co_return std::move(*outcome);
    // The thread hangs inside the library: what it sends into does not take anything.
    link_.drop();
    co_return core::fail(core::ErrorKind::timeout, "the broker does not answer");
}

void Publisher::run() {
    Backoff backoff(kFirstRetry, kLastRetry);
    while (!stopping()) {
        auto opened = link_.open_for_publishing();
        if (opened) {
            core::log::info("connected to the broker", {{"for", "events"}});
            logged_error_.clear();
            const auto since = steady_clock::now();
            opened = serve();
            ready_.store(false);
            if (steady_clock::now() - since >= kLasting) backoff.reset();
        }
        refuse_jobs();
        if (stopping()) break;
        if (!opened) note(opened.error());
        rest(backoff.next());
    }
    refuse_jobs();
    link_.close(kLeaveTaking);
}

/// Until the connection breaks, or `stop`.
core::Result<void> Publisher::serve() {
    while (!stopping()) {
        ready_.store(!link_.blocked());
        if (const auto job = next_job()) {
            if (auto sent = transmit(*job); !sent) return sent;
        } else if (auto waited = link_.wait(turn_); !waited) {
            return waited;
        }
    }
    return {};
}

core::Result<void> Publisher::transmit(Job& job) {
    if (job.done->abandoned()) return {};
    SendWindow window(job.batch, kWindow);
    core::Result<void> working;
    auto until = job.until;
    while (working) {
        // What is under way when the service stops gets a moment, so that it need not be sent again.
        if (stopping()) until = std::min(until, steady_clock::now() + kLastConfirms);
        for (int sent = 0; working && sent < kStride && !stopping() && !link_.blocked(); ++sent) {
            const auto next = window.next();
            if (!next || steady_clock::now() >= until) break;
            const auto& message = job.batch[next->message];
            const auto tag = link_.publish(message, message.routes[next->route]);
            if (tag) {
                window.sent(*tag);
            } else {
                working = std::unexpected(tag.error());
            }
        }
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        const bool more = window.next().has_value() && !stopping() && !link_.blocked() && left.count() > 0;
        if (working && window.under_way() == 0 && !more) break;
        if (working && left.count() <= 0) {
            // Whether these arrive can no longer be told; on a new connection nothing old can come in between.
            link_.drop();
            working = core::fail(core::ErrorKind::unavailable, "the broker confirms nothing");
        }
        if (working) working = link_.wait(more ? milliseconds{0} : std::min(left, turn_));
        for (const auto& settled : link_.take_settled()) window.settle(settled.tag, settled.confirmed);
    }
    job.finish(window.confirmed());
    return working;
}

Publisher::JobPtr Publisher::next_job() {
    const std::scoped_lock lock(mutex_);
    if (jobs_.empty()) return nullptr;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
}

void Publisher::refuse_jobs() {
    while (const auto job = next_job()) job->finish(std::unexpected(refusal()));
}

void Publisher::rest(milliseconds duration) {
    const auto end = steady_clock::now() + duration;
    while (!stopping()) {
        const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
        if (left.count() <= 0) return;
        pollfd polled{waker_->fd(), POLLIN, 0};
        ::poll(&polled, 1, static_cast<int>(left.count()));
        waker_->drain();
        refuse_jobs();
    }
}

void Publisher::note(const core::Error& error) {
    {
        const std::scoped_lock lock(mutex_);
        last_error_ = error.detail;
    }
    if (std::exchange(logged_error_, error.detail) != error.detail) {
        core::log::warning("no connection to the broker", {{"for", "events"}, {"why", error.detail}});
    }
}

}  // namespace events
