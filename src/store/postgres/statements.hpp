// The SQL of the store: each operation is one statement, which a connection prepares under its name when it first needs
// it. Here is what concerns sessions; texts that depend on the request are made once for each event loop.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "service/session_store.hpp"
#include "store/common/list_query.hpp"

namespace store::postgres {

struct Statement {
    std::string name;  ///< Empty: used too rarely to be worth preparing under a name.
    std::string sql;
};

/// What a commit writes besides the session: how many rows of each kind. Same shape, same text.
struct CommitShape {
    bool is_new = false;
    bool idempotency = false;
    std::uint16_t attendees = 0, audit = 0, events = 0, intervals = 0, usage = 0, meetings = 0, jobs = 0;
    bool no_overlap = false;
    auto operator<=>(const CommitShape&) const = default;
};
CommitShape commit_shape(const consultation::Change& change, bool idempotency);

/// The text, whose parameters are: session columns, expected version (or, when new, the appointment key), then row by
/// row audit, events, attendees, intervals, usage, meetings, jobs, idempotency. It returns one row for an applied
/// change, else none; with `no_overlap` always one: the session's id where it was applied, and what speaks against it
/// (a session of its appointment, a record of its key, another visit at that time).
std::string commit_text(const CommitShape& shape);

/// Owned by an event loop; its thread only.
class Statements {
  public:
    Statements();
    Statements(const Statements&) = delete;
    Statements& operator=(const Statements&) = delete;

    Statement find, find_by_meeting, find_by_appointment;  ///< Session columns, then the attendees.
    Statement audit_trail, find_idempotency, heartbeat, due, open_at, ping;

    /// Rows of: total, session columns, attendees. Without sessions: one row with nulls.
    const Statement& list(const service::SessionQuery& query);
    /// Null when it has too many rows to be kept; make it with `commit_text` then.
    const Statement* commit(const CommitShape& shape);

  private:
    std::array<std::unique_ptr<Statement>, kListShapes> lists_;
    std::map<CommitShape, Statement> commits_;
};

}  // namespace store::postgres
