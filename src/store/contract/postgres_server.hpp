// A PostgreSQL server of the tests' own: made in a temporary folder, on a private port, ended by its pid.
// Owned by a test or by the whole program; one thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace store::contract {

class PostgresServer {
  public:
    /// Makes the folder and starts the server; throws std::runtime_error when that fails.
    PostgresServer();
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    /// One for the whole program.
    static PostgresServer& shared();

    /// Returns when it answers.
    void start();
    /// Ends it at once, its clients' connections with it.
    void stop();
    /// Halts all its processes, connections stay; and lets them go on.
    void halt();
    void go_on();

    /// The URL of an empty database, in the form the platform's configuration has. What an earlier call gave is
    /// emptied.
    std::string empty_database();
    std::string url(const std::string& database) const;
    int port() const { return port_; }

    /// Runs SQL as an administrator would; the first column of the first row, if there is one. Throws on failure.
    static std::string run(const std::string& url, const std::string& sql);

  private:
    std::vector<pid_t> processes() const;

    std::string folder_;
    int port_ = 0;
    pid_t pid_ = -1;
    bool has_database_ = false;
};

}  // namespace store::contract
