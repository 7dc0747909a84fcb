// Finds the pool of a store for the event loop that asks, making it on first use. A pool ends with its loop or its
// store, whichever goes first.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "store/postgres/pool.hpp"

namespace store::postgres {

/// Owned by a store.
class Pools {
  public:
    Pools(PoolSettings settings, std::shared_ptr<Connector> connector);
    ~Pools() { close(); }
    Pools(const Pools&) = delete;
    Pools& operator=(const Pools&) = delete;

    /// The pool of the executor's loop; call it on the loop's thread. Without a lock after the first call.
    std::shared_ptr<Pool> of(const boost::asio::any_io_executor& executor);

    /// Of all loops together. Any thread.
    void add_to(service::Vitals::Database& vitals);

    /// Tells every pool to close, each on its own loop. Any thread; does not wait.
    void close();

  private:
    struct Member {
        std::weak_ptr<Pool> pool;
        std::shared_ptr<net::LoopGuard> loop;
        boost::asio::any_io_executor executor;
        std::shared_ptr<const PoolGauges> gauges;
    };

    std::shared_ptr<Pool> make(const boost::asio::any_io_executor& executor);

    const PoolSettings settings_;
    const std::shared_ptr<Connector> connector_;
    const std::uint64_t id_;  ///< Never used twice in a process, unlike an address.
    std::mutex mutex_;
    std::vector<Member> members_;
    bool closed_ = false;
};

}  // namespace store::postgres
