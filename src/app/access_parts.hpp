// Who gets in, and how often: made from the configuration. Owned by ServiceProcess; main thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <vector>

#include "api/cors.hpp"
#include "api/rate_exchange.hpp"
#include "api/rate_limits.hpp"
#include "app/config.hpp"
#include "net/task_group.hpp"
#include "service/rate_ledger.hpp"
#include "service/vitals.hpp"

namespace app {

api::CorsSettings cors_settings(const AccessConfig& access);

class AccessParts {
  public:
    /// `secret`: what keys are hashed with. `ledger` may be null: there are no others; else it must outlive this.
    AccessParts(const AccessConfig& access, const std::string& secret, service::RateLedger* ledger,
                const boost::asio::any_io_executor& executor);

    /// Null: nobody is limited.
    api::RateLimits* limits() { return limits_.get(); }
    /// By limit, for /metrics. Any thread.
    std::vector<service::Vitals::Count> refusals() const;
    /// Tells the others from now on; the group is that of the executor.
    void start(net::TaskGroup& tasks);

  private:
    std::unique_ptr<api::RateLimits> limits_;
    std::unique_ptr<api::RateExchange> exchange_;
};

}  // namespace app
