// A way back to an event loop from another thread that stays safe when the loop has been destroyed in the meantime.
// Shared by those who post; the loop itself says when it is gone.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <utility>

namespace net {

class LoopGuard {
  public:
    /// The guard of the context that this executor belongs to. Cheap after the first call of a thread.
    static std::shared_ptr<LoopGuard> of(const boost::asio::any_io_executor& executor);

    /// Runs `work` on `executor`, which must belong to the guarded loop; drops it when the loop is gone. Any thread.
    template <class Work>
    void post(const boost::asio::any_io_executor& executor, Work&& work) {
        const std::scoped_lock lock(mutex_);
        if (alive_) boost::asio::post(executor, std::forward<Work>(work));
    }

    bool alive() const {
        const std::scoped_lock lock(mutex_);
        return alive_;
    }

  private:
    friend class LoopGuardService;
    mutable std::mutex mutex_;
    bool alive_ = true;
};

/// The context an executor belongs to.
boost::asio::execution_context& context_of(const boost::asio::any_io_executor& executor);

/// Changes whenever an event loop has been destroyed: then a remembered address may mean another loop.
unsigned loops_destroyed();

}  // namespace net
