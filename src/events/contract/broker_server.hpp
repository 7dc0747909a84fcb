// A RabbitMQ of the tests' own: Debian's programs, a temporary folder, private ports, a port mapper (epmd) of its own.
// Owned by a test or by the whole program; one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "events/broker_settings.hpp"

namespace events::contract {

class BrokerServer {
  public:
    /// Makes the folder and starts the broker; throws std::runtime_error when that fails.
    BrokerServer();
    ~BrokerServer();
    BrokerServer(const BrokerServer&) = delete;
    BrokerServer& operator=(const BrokerServer&) = delete;

    /// One for the whole program.
    static BrokerServer& shared();

    /// Returns when it takes connections; on the data that is there.
    void start();
    /// Ends it the hard way, its clients' connections with it; the data stays.
    void kill();
    /// A broker that holds its connections but does nothing; and lets it go on.
    void halt();
    void go_on();

    BrokerSettings settings() const;
    std::uint16_t port() const { return port_; }

  private:
    void prepare();
    void start_port_mapper();
    pid_t spawn(const std::vector<std::string>& arguments) const;
    std::string inside(const std::string& name) const { return folder_ + "/" + name; }

    std::string folder_;
    std::uint16_t port_ = 0, mapper_port_ = 0, distribution_port_ = 0;
    std::vector<std::string> environment_;
    pid_t broker_ = -1;
    pid_t mapper_ = -1;
};

/// A port of the loopback address that nobody listens on.
std::uint16_t free_port();

}  // namespace events::contract
