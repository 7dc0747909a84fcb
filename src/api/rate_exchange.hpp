// Tells the other processes what was spent here, and takes into account what they spent: every half second what there
// is to tell, and at once when a bucket loses much. So N processes let through what one would, and at most an eighth of
// a bucket each until they have heard of one another; without the ledger each goes by its own count.
//
// Owned by the wiring; `run` on one event loop, `wake` from any thread.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "api/rate_limits.hpp"
#include "service/rate_ledger.hpp"

namespace api {

class RateExchange {
  public:
    /// Both must outlive this. Asks `limits` to be woken by it.
    RateExchange(RateLimits& limits, service::RateLedger& ledger, boost::asio::any_io_executor executor);
    ~RateExchange();
    RateExchange(const RateExchange&) = delete;
    RateExchange& operator=(const RateExchange&) = delete;

    /// Goes on until cancelled; on the executor given.
    service::Task<void> run();
    /// One exchange.
    service::Task<core::Result<void>> exchange();

  private:
    struct Bell;

    service::Task<void> wait();
    service::Task<core::Result<void>> tidy();

    RateLimits& limits_;
    service::RateLedger& ledger_;
    std::shared_ptr<Bell> bell_;
    std::chrono::steady_clock::time_point tidied_;
};

}  // namespace api
