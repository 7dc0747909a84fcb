// Ports: the audit trail. Its rows are written once, by `SessionStore::commit` (what changed a session) or by
// `AuditLog::record` (who looked at one), each with a MAC over what is stored; a chainer gives them their places later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/task.hpp"

namespace service {

/// Calls as in SessionStore.
class AuditLog {
  public:
    virtual ~AuditLog() = default;

    /// Rows that come with no change of a session, and messages about them: all, or none. When it returns they survive
    /// kill -9 and power loss. Rows that come while others are being written travel together.
    virtual Task<core::Result<void>> record(std::vector<consultation::AuditEntry> entries,
                                            std::vector<consultation::Event> events) = 0;
};

/// A row as it lies in the table.
struct AuditRow {
    std::int64_t sequence = 0;  ///< Grows with writing; transactions that overlap may be seen in another order.
    consultation::AuditEntry entry;
    std::optional<std::string> metadata;   ///< Only rows of earlier services have it.
    std::optional<std::string> row_mac;    ///< None: not written by a process that knows the key.
    std::optional<std::int64_t> position;  ///< In the chain, from 1; none: not chained yet.
    std::optional<std::string> chain_mac;
};

/// The chain's newest link.
struct AuditHead {
    std::int64_t position = 0;  ///< 0: there is no link yet.
    std::string chain_mac;      ///< Empty for position 0.
    /// Rows up to this sequence may come without a MAC: they were there before the trail was a chain. 0: no more.
    std::int64_t inherit_to = 0;
    std::string mac;  ///< Over all this; empty: as the migration made it.

    bool operator==(const AuditHead&) const = default;
};

/// A row takes its place.
struct AuditLink {
    std::string event_id;
    std::optional<std::string> row_mac;  ///< Set: the row had none and gets this one.
    std::int64_t position = 0;
    std::string chain_mac;
};

/// Calls as in SessionStore.
class AuditChain {
  public:
    virtual ~AuditChain() = default;

    /// Nullopt: its row is gone.
    virtual Task<core::Result<std::optional<AuditHead>>> audit_head() = 0;
    /// Rows without a place, lowest sequence first.
    virtual Task<core::Result<std::vector<AuditRow>>> unchained(int limit) = 0;
    /// Rows with a place behind `position`, in their order.
    virtual Task<core::Result<std::vector<AuditRow>>> chained(std::int64_t position, int limit) = 0;
    /// Moves the head on and writes the links, in one transaction. False: the head is not `before` (any more), nothing
    /// is written. Links whose row is gone or has a place are left out; the gap shows that.
    virtual Task<core::Result<bool>> chain(AuditHead before, std::vector<AuditLink> links, AuditHead after) = 0;
};

}  // namespace service
