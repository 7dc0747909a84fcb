// The audit trail within the process: its keys, and the chainer, which one of all processes on a database is at a time.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "core/result.hpp"
#include "events/lease.hpp"
#include "service/audit_chainer.hpp"
#include "service/audit_mac.hpp"
#include "service/outbox.hpp"
#include "service/vitals.hpp"

namespace app {

/// `AUDIT_KEY`, or what is derived from the service's secret; with the former ones behind it.
std::shared_ptr<const service::AuditKeys> audit_keys(const AuditConfig& config, const std::string& secret);

/// `chain` runs on one loop; `add_to` on any thread. The references must outlive it.
class AuditParts {
  public:
    AuditParts(std::shared_ptr<const service::AuditKeys> keys, service::AuditChain& chain, service::Outbox& leases);

    /// Chains what waits, if no other process does. Call every second or so.
    service::Task<core::Result<void>> chain();
    /// The last time, after the last request; any thread but that of `executor`, after `chain` has ended.
    void finish(const boost::asio::any_io_executor& executor, std::chrono::milliseconds limit);

    void add_to(service::Vitals& vitals) const;

  private:
    service::Task<core::Result<void>> chain_and_leave();

    std::shared_ptr<const service::AuditKeys> keys_;
    service::AuditChainer chainer_;
    events::Lease lease_;
    std::atomic<std::uint64_t> chained_{0};
    std::atomic<bool> works_{true};
};

}  // namespace app
