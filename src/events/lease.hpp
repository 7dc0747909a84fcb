// The right to do what only one process at a time may do, for a while. Taken from the outbox, by the database's clock;
// the time for which it may be relied on is measured by our own, from before we asked, so it is never too long.
// Belongs to one coroutine.
#pragma once

#include <chrono>
#include <string>

#include "core/result.hpp"
#include "service/outbox.hpp"
#include "service/task.hpp"

namespace events {

class Lease {
  public:
    Lease(service::Outbox& outbox, std::string name, std::chrono::milliseconds life);

    /// Takes it, or prolongs it when a third of its life is over. False: another process holds it.
    service::Task<core::Result<bool>> hold();
    /// Gives it back if we hold it, so that another process need not wait for its end. Failure does not matter.
    service::Task<void> release();

    /// Nobody else has it before; in the past when we do not hold it.
    std::chrono::steady_clock::time_point held_until() const { return held_until_; }

  private:
    service::Outbox& outbox_;
    const std::string name_;
    const std::string holder_;
    const std::chrono::milliseconds life_;
    std::chrono::steady_clock::time_point held_until_{};
};

}  // namespace events
