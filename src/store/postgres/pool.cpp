#include "store/postgres/pool.hpp"

#include <algorithm>

#include "core/bytes.hpp"
#include "core/log.hpp"

namespace store::postgres {
namespace {

/// So many operations share one transaction at most, and so many transactions wait on one connection.
constexpr std::size_t kLargestSegment = 32;
constexpr std::size_t kSegments = 1;

constexpr std::chrono::milliseconds kFirstBackOff{50};
/// When some connections stand and only more are wanted.
constexpr std::chrono::seconds kUnhurried{30};

core::Error unavailable(const char* why) {
    return {core::ErrorKind::unavailable, why, std::chrono::seconds(1)};
}

}  // namespace

Pool::Pool(boost::asio::any_io_executor executor, PoolSettings settings, std::shared_ptr<Connector> connector)
    : executor_(std::move(executor)),
      settings_(settings),
      connector_(std::move(connector)),
      loop_(net::LoopGuard::of(executor_)),
      back_off_(executor_) {}

void Pool::submit(OperationPtr operation) {
    auto& waiting = queue(operation->kind);
    if (closed_) return operation->done.complete(std::unexpected(unavailable("the database is closing")));
    if (connections_.empty() && failures_ > 0) {
        return operation->done.complete(std::unexpected(unavailable("no connection to PostgreSQL")));
    }
    if (reads_.size() + writes_.size() >= settings_.queue_limit) {
        return operation->done.complete(std::unexpected(unavailable("the database has too much to do")));
    }
    waiting.push_back(std::move(operation));
    if (connections_.size() < settings_.connections) connect();
    plan_pump();
    tell();
}

void Pool::tell() const {
    const auto busy = std::ranges::count_if(
        connections_, [](const auto& connection) { return connection->pipeline().segments() > 0; });
    gauges_->connections.store(static_cast<std::int64_t>(connections_.size()), std::memory_order_relaxed);
    gauges_->busy.store(busy, std::memory_order_relaxed);
    gauges_->waiting_reads.store(static_cast<std::int64_t>(reads_.size()), std::memory_order_relaxed);
    gauges_->waiting_writes.store(static_cast<std::int64_t>(writes_.size()), std::memory_order_relaxed);
}

/// Not at once: what else the loop has ready at this moment travels along.
void Pool::plan_pump() {
    if (connections_.empty() || std::exchange(pump_planned_, true)) return;
    boost::asio::post(executor_, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->pump_planned_ = false;
        self->pump(Kind::read);
        self->pump(Kind::write);
        self->tell();
    });
}

void Pool::pump(Kind kind) {
    auto& waiting = queue(kind);
    std::erase_if(waiting, [](const auto& operation) { return operation->done.abandoned(); });
    if (waiting.empty()) return;
    const bool has_role =
        std::ranges::any_of(connections_, [&](const auto& connection) { return connection->role() == kind; });
    std::vector<std::shared_ptr<Connection>> idle;
    for (const auto& connection : connections_) {
        if (has_role && connection->role() != kind) continue;
        if (connection->pipeline().segments() < kSegments && !connection->pipeline().worn_out()) {
            idle.push_back(connection);
        }
    }
    for (std::size_t left = idle.size(); left > 0 && !waiting.empty(); --left) {
        idle[left - 1]->send(next_segment(waiting, left));
    }
}

/// A fair share of what waits. Who spoilt a transaction, or might have, travels alone; so does who takes locks, which
/// then wait for nobody.
Segment Pool::next_segment(std::deque<OperationPtr>& waiting, std::size_t idle) {
    const auto share = std::min((waiting.size() + idle - 1) / idle, kLargestSegment);
    Segment segment;
    while (!waiting.empty() && segment.size() < share) {
        const bool alone = waiting.front()->attempts > 0 || waiting.front()->locks;
        if (alone && !segment.empty()) break;
        segment.push_back(std::move(waiting.front()));
        waiting.pop_front();
        if (alone) break;
    }
    std::ranges::sort(segment, {}, &Operation::order);
    return segment;
}

void Pool::progressed(Connection& connection) {
    auto undone = connection.pipeline().take_undone();
    for (auto operation = undone.rbegin(); operation != undone.rend(); ++operation) {
        queue((*operation)->kind).push_front(std::move(*operation));
    }
    if (connection.pipeline().worn_out() && connection.pipeline().segments() == 0) {
        remove(connection);
        connect();
    }
    if (!reads_.empty() || !writes_.empty()) plan_pump();
    tell();
}

void Pool::lost(Connection& connection) {
    core::log::warning("connection to PostgreSQL lost");
    auto unanswered = connection.pipeline().take_unanswered();
    remove(connection);
    for (auto& operation : unanswered) {
        operation->done.complete(std::unexpected(unavailable("the connection to PostgreSQL was lost")));
    }
    connect();
}

void Pool::remove(Connection& connection) {
    connection.close();
    std::erase_if(connections_, [&](const auto& held) { return held.get() == &connection; });
    tell();
    // The last one gone: what was a wish for more is now a need.
    if (connections_.empty() && pausing_) back_off_.cancel();
}

void Pool::drop_stuck() {
    // The server itself ends a statement a little earlier; one that has not is out of reach.
    const auto limit = Pipeline::Clock::now() - settings_.operation_timeout * 95 / 100;
    const auto held = connections_;
    for (const auto& connection : held) {
        auto& pipeline = connection->pipeline();
        if (pipeline.segments() > 0 && pipeline.waiting_since() < limit) lost(*connection);
    }
}

void Pool::fail_waiting(const core::Error& error) {
    for (auto* waiting : {&reads_, &writes_}) {
        for (auto& operation : *waiting) operation->done.complete(std::unexpected(error));
        waiting->clear();
    }
    tell();
}

void Pool::close() {
    if (std::exchange(closed_, true)) return;
    back_off_.cancel();
    const auto error = unavailable("the database is closing");
    for (const auto& connection : std::exchange(connections_, {})) {
        for (auto& operation : connection->pipeline().take_unanswered()) {
            operation->done.complete(std::unexpected(error));
        }
        connection->close();
    }
    fail_waiting(error);
}

void Pool::connect() {
    if (closed_ || connecting_) return;
    connecting_ = true;
    connector_->request([weak = weak_from_this(), loop = loop_, executor = executor_](core::Result<Link> made) mutable {
        loop->post(executor, [weak, made = std::move(made)]() mutable {
            if (const auto self = weak.lock()) self->connected(std::move(made));
        });
    });
}

/// False: it cannot be used after all.
bool Pool::adopt(Link link) {
    const auto writers = std::ranges::count(connections_, Kind::write, &Connection::role);
    const auto role = static_cast<std::size_t>(writers) * 2 < connections_.size() ? Kind::write : Kind::read;
    try {
        connections_.push_back(std::make_shared<Connection>(executor_, std::move(link), role, *this));
    } catch (const std::exception&) {
        return false;
    }
    connections_.back()->start();
    tell();
    return true;
}

void Pool::connected(core::Result<Link> link) {
    connecting_ = false;
    if (closed_) return;
    if (link && adopt(std::move(*link))) {
        if (failures_ > 0 && connections_.size() == 1) core::log::info("connected to PostgreSQL again");
        failures_ = 0;
        plan_pump();
        if (connections_.size() < settings_.connections) connect();
        return;
    }
    if (failures_++ == 0) {
        core::log::warning("no connection to PostgreSQL", {{"why", link ? "unusable" : link.error().detail}});
    }
    std::chrono::milliseconds pause = kUnhurried;
    if (connections_.empty()) {
        fail_waiting(unavailable("no connection to PostgreSQL"));
        pause = std::min(settings_.longest_back_off, kFirstBackOff * (1 << std::min(failures_, 10)));
        // Spread, so that many processes do not come back at the same instant.
        pause = pause / 2 + pause * (core::random_u32() % 1000) / 2000;
    }
    connecting_ = pausing_ = true;
    back_off_.expires_after(pause);
    back_off_.async_wait([weak = weak_from_this()](boost::system::error_code) {
        const auto self = weak.lock();
        if (!self) return;
        self->connecting_ = self->pausing_ = false;
        self->connect();
    });
}

}  // namespace store::postgres
