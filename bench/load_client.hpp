// A closed-loop HTTP load client: one thread, epoll, a fixed number of keep-alive connections, each with one request
// under way. It does as little as it can, since it shares the machine with what it measures.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// What one connection does: asked for its next request, told the answer.
class Script {
  public:
    virtual ~Script() = default;
    /// The next request, whole and ready to send; empty: this connection has nothing more to do.
    virtual std::string next() = 0;
    /// `body` is valid during the call. False counts the answer as an error.
    virtual bool answered(unsigned status, std::string_view body) = 0;
    /// True when the answer just given completed a unit of work (a whole visit is several requests).
    virtual bool completes() const { return true; }
};

struct Report {
    double seconds = 0;
    std::uint64_t units = 0;
    std::uint64_t errors = 0;
    std::string first_error;
    double p50_ms = 0;  ///< Of a unit of work.
    double p99_ms = 0;
    double rate() const { return seconds > 0 ? static_cast<double>(units) / seconds : 0; }
};

/// Runs until every script is done or `limit` is over (requests under way are finished first). Throws on a lost
/// connection.
Report run(std::uint16_t port, std::vector<Script*> scripts, std::chrono::milliseconds limit);

/// `METHOD target` with a bearer token and, unless empty, a JSON body.
std::string request(std::string_view method, std::string_view target, std::string_view token,
                    std::string_view body = {});

}  // namespace bench
