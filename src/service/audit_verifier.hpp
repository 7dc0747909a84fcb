// Walks the audit trail and says where it is not what was written. Takes any length in bounded memory, and a trail that
// grows meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "service/audit_mac.hpp"
#include "service/task.hpp"

namespace service {

/// What was found. Texts name positions and the rows' own ids, never people or contents.
struct AuditFindings {
    std::int64_t rows = 0;       ///< Walked.
    std::int64_t inherited = 0;  ///< Of these, from before the trail was a chain.
    std::int64_t fresh = 0;      ///< Not chained yet, and that is fine.
    std::int64_t wrong = 0;      ///< Findings, listed or not.
    std::vector<std::string> lines;
    std::int64_t checkpoints = 0;  ///< Proven to be contained.
    AuditHead head;

    void found(std::string line);
};

/// The walk as a machine without a store: takes the rows in the order of their positions. Bounded memory.
class AuditWalk {
  public:
    /// `checkpoints` in any order.
    AuditWalk(const AuditKeys& keys, std::vector<Checkpoint> checkpoints);

    void take(const AuditRow& row);
    /// After the last row. `head` was read before the first row, `newest` after the last; nullopt: it was gone.
    void end(const std::optional<AuditHead>& head, const std::optional<AuditHead>& newest);
    /// A row without a place, at the end of the walk.
    void take_unchained(const AuditRow& row, core::Time now);

    std::int64_t position() const { return position_; }
    AuditFindings& findings() { return findings_; }

  private:
    void check_row(const AuditRow& row);
    void check_link(const AuditRow& row);
    void check_head(const AuditHead& head, const char* which);
    void missing(std::int64_t first, std::int64_t last, const char* what);
    void pass_checkpoints(std::int64_t position, const std::string& chain_mac);

    const AuditKeys& keys_;
    std::vector<Checkpoint> checkpoints_;  ///< By position; those passed are counted by `next_`.
    std::size_t next_ = 0;
    std::int64_t position_ = 0;
    std::string chain_mac_;
    bool linked_ = true;  ///< `chain_mac_` is that of the position right before the next.
    AuditFindings findings_;
};

/// Rows without a place may be so old.
inline constexpr std::chrono::seconds kMostUnchained{60};

Task<core::Result<AuditFindings>> verify_audit(AuditChain& chain, const AuditKeys& keys,
                                               std::vector<Checkpoint> checkpoints, const core::Clock& clock);

}  // namespace service
