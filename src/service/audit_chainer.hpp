// Gives the rows of the audit trail their places in the chain. One process at a time should do it; if two do, the head
// decides: whoever comes second writes nothing. Rows are chained in the order in which they are seen, so one whose
// transaction ends late comes behind rows with a higher sequence, and none is left out.
#pragma once

#include <vector>

#include "core/result.hpp"
#include "service/audit_mac.hpp"
#include "service/task.hpp"

namespace service {

/// What a chainer writes for rows that it has seen. Pure.
struct AuditStep {
    std::vector<AuditLink> links;
    AuditHead after;
};

/// `rows` are the next without a place, in the order of their sequence; `all`: there were no more of them.
AuditStep next_step(const AuditKeys& keys, const AuditHead& before, const std::vector<AuditRow>& rows, bool all);

/// The references must outlive it. One coroutine at a time.
class AuditChainer {
  public:
    AuditChainer(AuditChain& chain, const AuditKeys& keys) : chain_(chain), keys_(keys) {}

    /// Chains what is there, in steps, but not for ever: the next call goes on. Returns how many rows. Fails when the
    /// head is not one that a process with a known key wrote: then somebody has to look (`audit verify`).
    Task<core::Result<int>> chain_all();

  private:
    AuditChain& chain_;
    const AuditKeys& keys_;
};

}  // namespace service
