// The connections of one event loop, and the operations that wait for one. Connects and reconnects in the background.
// Lives as long as its loop (see loop_pools.hpp); the loop's thread only.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "net/loop_guard.hpp"
#include "store/common/call_meter.hpp"
#include "store/postgres/connection.hpp"
#include "store/postgres/connector.hpp"

namespace store::postgres {

/// How a pool is, written on its loop and read on any thread.
struct PoolGauges {
    std::atomic<std::int64_t> connections{0}, busy{0};
    std::atomic<std::int64_t> waiting_reads{0}, waiting_writes{0};
};

struct PoolSettings {
    std::size_t connections = 4;
    std::chrono::milliseconds operation_timeout{5000};
    std::chrono::milliseconds longest_back_off{1000};
    std::size_t queue_limit = 2048;
    std::shared_ptr<CallMeter> meter;  ///< What calls are counted on.
};

class Pool final : public std::enable_shared_from_this<Pool>, public Connection::Owner {
  public:
    Pool(boost::asio::any_io_executor executor, PoolSettings settings, std::shared_ptr<Connector> connector);
    ~Pool() { close(); }

    /// Takes an operation; `operation->done` is completed later, in any case.
    void submit(OperationPtr operation);
    /// Somebody's time was up: a server that has not moved for so long is given up.
    void drop_stuck();
    /// Hangs up and answers everything with `unavailable`, now and from now on.
    void close();

    Statements& statements() { return statements_; }
    const PoolSettings& settings() const { return settings_; }
    /// Outlives the pool for whoever keeps it.
    const std::shared_ptr<PoolGauges>& gauges() const { return gauges_; }

  private:
    void progressed(Connection& connection) override;
    void lost(Connection& connection) override;

    void plan_pump();
    void pump(Kind kind);
    Segment next_segment(std::deque<OperationPtr>& queue, std::size_t idle);
    void remove(Connection& connection);
    void fail_waiting(const core::Error& error);
    void connect();
    bool adopt(Link link);
    void tell() const;
    void connected(core::Result<Link> link);
    std::deque<OperationPtr>& queue(Kind kind) { return kind == Kind::read ? reads_ : writes_; }

    boost::asio::any_io_executor executor_;
    const PoolSettings settings_;
    std::shared_ptr<Connector> connector_;
    std::shared_ptr<PoolGauges> gauges_ = std::make_shared<PoolGauges>();
    std::shared_ptr<net::LoopGuard> loop_;
    boost::asio::steady_timer back_off_;
    Statements statements_;
    std::vector<std::shared_ptr<Connection>> connections_;
    std::deque<OperationPtr> reads_;
    std::deque<OperationPtr> writes_;
    int failures_ = 0;         ///< Attempts to connect in a row that came to nothing.
    bool connecting_ = false;  ///< An attempt, or the pause before one.
    bool pausing_ = false;     ///< It is the pause.
    bool pump_planned_ = false;
    bool closed_ = false;
};

}  // namespace store::postgres
