// A libpq connection and the blocking things done with one: connecting, and running scripts. For threads that may wait.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "store/postgres/url.hpp"

namespace store::postgres {

struct CloseLink {
    void operator()(PGconn* link) const { PQfinish(link); }
};
using Link = std::unique_ptr<PGconn, CloseLink>;

struct ClearAnswer {
    void operator()(PGresult* answer) const { PQclear(answer); }
};
using Answer = std::unique_ptr<PGresult, ClearAnswer>;

using Deadline = std::chrono::steady_clock::time_point;

/// A descriptor that becomes readable when whoever waits has to give up.
class StopSignal {
  public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;
    void raise();
    int descriptor() const { return descriptor_; }

  private:
    int descriptor_;
};

/// Connects. Name resolution may block beyond the deadline. Errors (`unavailable`) carry the server's own words, which
/// hold no password.
core::Result<Link> connect(const Parameters& parameters, std::chrono::milliseconds statement_timeout, Deadline deadline,
                           const StopSignal& stop);

/// Runs one script, in which statements are separated by `;`; the last one's answer.
core::Result<Answer> run_script(PGconn* link, const std::string& sql, Deadline deadline);

}  // namespace store::postgres
