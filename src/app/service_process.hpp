// The running service: every part made in order, connected, and stopped in order.
// Owned by main, used by the main thread only.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "core/result.hpp"

namespace app {

/// The configured secret, or the one kept in the data folder (which must be open).
core::Result<std::string> token_secret(const Config& config);

class ServiceProcess {
  public:
    /// Makes and starts everything; requests are answered when it returns. Fails with one line for the operator.
    static core::Result<std::unique_ptr<ServiceProcess>> start(const Config& config);
    /// Stops if nobody has.
    ~ServiceProcess();

    /// Links to a demo consultation, as text for the terminal.
    core::Result<std::string> demo();

    /// Takes no new meetings, and returns when those that run are over, after `limit`, or when `hurry` is set.
    void drain(std::chrono::seconds limit, const std::atomic<bool>& hurry);

    /// Turns new requests away, sends callers to reconnect, lets running requests finish and events go out, all by
    /// `deadline`.
    void stop(std::chrono::steady_clock::time_point deadline);

  private:
    struct Parts;
    explicit ServiceProcess(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace app
