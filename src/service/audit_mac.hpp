// The MACs of the audit trail: HMAC-SHA256 (RFC 2104) under a key that is not in the database. A MAC is kept as text,
// `<mark>:<base64url>`; the mark says which key made it without telling anything of the key. Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "service/audit_log.hpp"

namespace service {

/// A chain's state at a moment, to be kept outside of the database.
struct Checkpoint {
    std::int64_t position = 0;
    std::string chain_mac;
    core::Time time;

    bool operator==(const Checkpoint&) const = default;
};

class AuditKeys {
  public:
    /// `old`: keys whose MACs are still accepted, but no new ones made with.
    explicit AuditKeys(std::string key, std::vector<std::string> old = {});

    std::string row_mac(const consultation::AuditEntry& entry, const std::optional<std::string>& metadata = {}) const;
    /// Of a row from before the chain: says that it was found so, not that this service wrote it.
    std::string inherited_mac(const AuditRow& row) const;
    /// Of a row that follows on the one with `previous`; empty for the first.
    std::string chain_mac(std::string_view previous, std::int64_t position,
                          const std::optional<std::string>& row_mac) const;
    std::string head_mac(const AuditHead& head) const;

    enum class Verdict { right, inherited, wrong, unknown_key, missing };
    Verdict check_row(const AuditRow& row) const;
    Verdict check_link(std::string_view previous, const AuditRow& row) const;
    Verdict check_head(const AuditHead& head) const;

    /// One line without its end: `vc-audit-1 <position> <chain MAC> <time> <MAC>`.
    std::string checkpoint_line(const Checkpoint& checkpoint) const;
    /// Fails with what is wrong with the line.
    core::Result<Checkpoint> read_checkpoint(std::string_view line) const;

  private:
    struct Key {
        std::string bytes;
        std::string mark;  ///< Eight hexadecimal digits.
    };
    static Key key_of(std::string bytes);
    static std::string mac_by(const Key& key, std::string_view message);
    Verdict check(std::string_view mac, std::string_view message) const;

    std::vector<Key> keys_;  ///< The first makes new MACs.
};

/// What the MAC of a row covers: every field, each with its length before it, so that no two rows have one encoding.
std::string encode_row(std::string_view purpose, const consultation::AuditEntry& entry,
                       const std::optional<std::string>& metadata);

}  // namespace service
