#include "net/loop_guard.hpp"

#include <atomic>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

namespace net {
namespace {

std::atomic<unsigned> destroyed{0};

}  // namespace

/// Told by the context when it goes.
class LoopGuardService final : public boost::asio::execution_context::service {
  public:
    using key_type = LoopGuardService;
    static inline boost::asio::execution_context::id id;

    explicit LoopGuardService(boost::asio::execution_context& context) : service(context) {}
    const std::shared_ptr<LoopGuard>& guard() const { return guard_; }

  private:
    void shutdown() noexcept override {
        const std::scoped_lock lock(guard_->mutex_);
        guard_->alive_ = false;
        ++destroyed;
    }

    std::shared_ptr<LoopGuard> guard_ = std::make_shared<LoopGuard>();
};

boost::asio::execution_context& context_of(const boost::asio::any_io_executor& executor) {
    return boost::asio::query(executor, boost::asio::execution::context);
}

unsigned loops_destroyed() {
    return destroyed.load(std::memory_order_acquire);
}

std::shared_ptr<LoopGuard> LoopGuard::of(const boost::asio::any_io_executor& executor) {
    struct Last {
        const boost::asio::execution_context* context = nullptr;
        unsigned epoch = 0;
        std::shared_ptr<LoopGuard> guard;
    };
    thread_local Last last;
    auto& context = context_of(executor);
    const unsigned epoch = loops_destroyed();
    if (last.context != &context || last.epoch != epoch) {
        last = {&context, epoch, boost::asio::use_service<LoopGuardService>(context).guard()};
    }
    return last.guard;
}

}  // namespace net
