#include "events/consumer.hpp"

#include <poll.h>
#include <pthread.h>

#include <utility>

#include "core/log.hpp"
#include "events/amqp_values.hpp"
#include "events/backoff.hpp"

namespace events {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstRetry{100};
constexpr milliseconds kLastRetry{10'000};
constexpr std::chrono::seconds kLasting{5};
constexpr milliseconds kLeaveTaking{250};

/// What the message is a part of; where it names nothing, a trace begins here if somebody collects them.
core::trace::Context trace_of(const MessageProperties& properties) {
    return core::trace::incoming(properties.text_header("traceparent"), properties.text_header("tracestate"));
}

}  // namespace

Consumer::Consumer(BrokerSettings settings, RequestHandler& handler, net::TaskGroup& tasks, const core::Clock& clock,
                   boost::asio::any_io_executor executor)
    : waker_(std::make_shared<Waker>()),
      turn_(settings.heartbeat / 3),
      link_(std::move(settings), "video-consultation requests", waker_),
      handler_(handler),
      tasks_(tasks),
      clock_(clock),
      executor_(std::move(executor)),
      loop_(net::LoopGuard::of(executor_)) {}

Consumer::~Consumer() {
    stop(milliseconds{0});
}

void Consumer::start() {
    has_ended_ = false;
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "amqp-consume");
        run();
        {
            const std::scoped_lock lock(mutex_);
            has_ended_ = true;
        }
        ended_.notify_all();
    });
}

void Consumer::stop(milliseconds limit) {
    stopping_.store(true);
    waker_->wake();
    {
        std::unique_lock lock(mutex_);
        ended_.wait_for(lock, limit, [this] { return has_ended_; });
    }
    link_.end();
    if (thread_.joinable()) thread_.join();
}

service::Vitals::Consumer Consumer::vitals() const {
    service::Vitals::Consumer vitals;
    vitals.link = connected_.load() ? service::Vitals::Link::healthy : service::Vitals::Link::disconnected;
    vitals.handled = handled_.load();
    vitals.retried = handler_.retried();
    vitals.parked = parked_.load();
    return vitals;
}

void Consumer::run() {
    Backoff backoff(kFirstRetry, kLastRetry);
    while (!stopping()) {
        auto opened = link_.open_for_requests();
        if (opened) {
            core::log::info("connected to the broker", {{"for", "requests"}});
            logged_error_.clear();
            connected_.store(true);
            const auto since = steady_clock::now();
            opened = serve();
            connected_.store(false);
            if (steady_clock::now() - since >= kLasting) backoff.reset();
        }
        if (stopping()) break;
        if (!opened) note(opened.error());
        rest(backoff.next());
    }
    link_.close(kLeaveTaking);
}

/// Until the connection breaks, or the last request is settled after `stop`.
core::Result<void> Consumer::serve() {
    core::Result<void> working;
    while (working && (current_ || !stopping())) {
        working = link_.wait(turn_);
        if (working) working = advance();
    }
    if (current_) {
        // The broker will hand it over again, but not while we are still at it.
        current_->handling->abandon();
        orphan_ = std::move(current_->handling);
        current_.reset();
    }
    return working;
}

core::Result<void> Consumer::advance() {
    if (orphan_ && orphan_->outcome()) orphan_.reset();
    if (!current_) {
        if (orphan_ || stopping()) return {};
        if (auto delivery = link_.take_delivery()) begin(std::move(*delivery));
        return {};
    }
    if (current_->parking_tag != 0) return settle();
    if (const auto outcome = current_->handling->outcome()) return conclude(*outcome);
    return {};
}

void Consumer::begin(Delivery delivery) {
    auto handling = std::make_shared<Handling>(delivery.body, waker_, trace_of(*delivery.properties));
    current_.emplace(handling, std::move(delivery));
    loop_->post(executor_,
                [&handler = handler_, &tasks = tasks_, handling] { tasks.spawn("request", handler.handle(handling)); });
}

core::Result<void> Consumer::conclude(const Outcome& outcome) {
    switch (outcome.kind) {
        case Outcome::Kind::done: {
            ++handled_;
            const auto tag = std::exchange(current_, std::nullopt)->delivery.tag;
            if (auto sent = link_.acknowledge(tag); !sent) return sent;
            // The next one may be here already.
            waker_->wake();
            return {};
        }
        case Outcome::Kind::park: {
            const auto tag = link_.park(current_->delivery, outcome.reason, clock_.now());
            if (!tag) return std::unexpected(tag.error());
            current_->parking_tag = *tag;
            return {};
        }
        case Outcome::Kind::abandoned:
            // Without an acknowledgement the broker keeps it, and hands it over again on the next connection.
            current_.reset();
            return core::fail(core::ErrorKind::unavailable, "a request was broken off");
    }
    return {};
}

/// Whether the parked message has arrived; only then the original may go.
core::Result<void> Consumer::settle() {
    for (const auto& settled : link_.take_settled()) {
        if (settled.tag != current_->parking_tag) continue;
        if (!settled.confirmed) {
            return core::fail(core::ErrorKind::unavailable, "the broker did not take a message to be parked");
        }
        ++parked_;
        const auto tag = std::exchange(current_, std::nullopt)->delivery.tag;
        waker_->wake();
        return link_.acknowledge(tag);
    }
    return {};
}

void Consumer::rest(milliseconds duration) {
    const auto end = steady_clock::now() + duration;
    while (!stopping()) {
        const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
        if (left.count() <= 0) return;
        pollfd polled{waker_->fd(), POLLIN, 0};
        ::poll(&polled, 1, static_cast<int>(left.count()));
        waker_->drain();
    }
}

void Consumer::note(const core::Error& error) {
    if (std::exchange(logged_error_, error.detail) != error.detail) {
        core::log::warning("no connection to the broker", {{"for", "requests"}, {"why", error.detail}});
    }
}

}  // namespace events
