// This process as a node of the installation: made from the configuration, made known to the others at the start, and
// taken leave of at the stop. Owned by ServiceProcess; main thread.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "core/result.hpp"
#include "service/node_store.hpp"
#include "service/nodes.hpp"

namespace app {

class NodeParts {
  public:
    /// `secret`: what meetings' tokens are derived from. The store must outlive this.
    NodeParts(const Config& config, const std::string& secret, service::NodeStore& store);

    service::Nodes& nodes() { return nodes_; }
    const service::Nodes& nodes() const { return nodes_; }

    /// Blocks until the others can know. Fails with one line for the operator. `executor` must be running.
    core::Result<> enroll(const boost::asio::any_io_executor& executor);
    /// Takes no new meetings, and blocks until those that run are over, for at most `limit` or until `hurry`.
    void drain(std::chrono::seconds limit, const std::atomic<bool>& hurry);
    /// Gives away what is here. Blocks for a second at most.
    void leave(const boost::asio::any_io_executor& executor);

  private:
    service::Nodes nodes_;
};

}  // namespace app
