#include "store/postgres/loop_pools.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <map>

namespace store::postgres {
namespace {

std::atomic<std::uint64_t> last_id{0};

/// Holds the pools of a loop and ends them with it, while its sockets can still be closed.
class LoopPools final : public boost::asio::execution_context::service {
  public:
    using key_type = LoopPools;
    static inline boost::asio::execution_context::id id;

    explicit LoopPools(boost::asio::execution_context& context) : service(context) {}

    std::map<std::uint64_t, std::shared_ptr<Pool>> pools;

  private:
    void shutdown() noexcept override {
        for (const auto& [store, pool] : pools) pool->close();
        pools.clear();
    }
};

}  // namespace

Pools::Pools(PoolSettings settings, std::shared_ptr<Connector> connector)
    : settings_(settings), connector_(std::move(connector)), id_(++last_id) {}

std::shared_ptr<Pool> Pools::of(const boost::asio::any_io_executor& executor) {
    struct Last {
        std::uint64_t store = 0;
        const boost::asio::execution_context* context = nullptr;
        unsigned epoch = 0;
        std::weak_ptr<Pool> pool;
    };
    thread_local Last last;
    auto& context = net::context_of(executor);
    const unsigned epoch = net::loops_destroyed();
    if (last.store == id_ && last.context == &context && last.epoch == epoch) {
        if (auto pool = last.pool.lock()) return pool;
    }
    auto& pools = boost::asio::use_service<LoopPools>(context).pools;
    auto& pool = pools[id_];
    if (!pool) pool = make(executor);
    last = {id_, &context, epoch, pool};
    return pool;
}

std::shared_ptr<Pool> Pools::make(const boost::asio::any_io_executor& executor) {
    auto pool = std::make_shared<Pool>(executor, settings_, connector_);
    const std::scoped_lock lock(mutex_);
    if (closed_) pool->close();
    std::erase_if(members_, [](const Member& member) { return member.pool.expired(); });
    members_.push_back({pool, net::LoopGuard::of(executor), executor, pool->gauges()});
    return pool;
}

void Pools::add_to(service::Vitals::Database& vitals) {
    const std::scoped_lock lock(mutex_);
    for (const auto& member : members_) {
        const auto& gauges = *member.gauges;
        vitals.connections += gauges.connections.load(std::memory_order_relaxed);
        vitals.busy += gauges.busy.load(std::memory_order_relaxed);
        vitals.waiting_reads += gauges.waiting_reads.load(std::memory_order_relaxed);
        vitals.waiting_writes += gauges.waiting_writes.load(std::memory_order_relaxed);
    }
}

void Pools::close() {
    std::vector<Member> members;
    {
        const std::scoped_lock lock(mutex_);
        closed_ = true;
        members.swap(members_);
    }
    for (const auto& member : members) {
        member.loop->post(member.executor, [weak = member.pool, executor = member.executor, id = id_] {
            if (const auto pool = weak.lock()) pool->close();
            boost::asio::use_service<LoopPools>(net::context_of(executor)).pools.erase(id);
        });
    }
}

}  // namespace store::postgres
