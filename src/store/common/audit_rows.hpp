// Rows of the audit trail, read and written column by column, the same for every engine. Row and Out as in tables.hpp.
#pragma once

#include <array>

#include "service/audit_mac.hpp"
#include "store/common/tables.hpp"

namespace store {

inline constexpr std::array<std::string_view, 15> kAuditColumns{
    "event_id",   "session_id", "event_type", "event_description", "user_id",  "event_timestamp", "role",     "address",
    "request_id", "kind",       "row_mac",    "event_metadata",    "sequence", "position",        "chain_mac"};
/// So many of them are there from the beginning.
inline constexpr int kWrittenAuditColumns = 12;

/// What `event_metadata` says of an entry: JSON, or nothing.
std::optional<std::string> metadata_of(const consultation::AuditEntry& entry);
/// The other way round; nothing where the text says no such thing.
std::optional<std::string> subject_in(std::string_view metadata);

/// What is written with an entry beside its own fields. Without `keys` there is no MAC.
struct AuditSeal {
    AuditSeal(const consultation::AuditEntry& entry, const service::AuditKeys* keys) : metadata(metadata_of(entry)) {
        if (keys != nullptr) row_mac = keys->row_mac(entry, metadata);
    }
    std::optional<std::string> metadata, row_mac;
};

/// The first kWrittenAuditColumns columns. Not every Out copies texts: `entry` and `seal` must outlive it.
template <class Out>
void write_audit(Out& out, const consultation::AuditEntry& entry, const AuditSeal& seal) {
    out.text(entry.event_id);
    detail::write_or_null(out, entry.session_id);
    out.text(entry.event_type);
    detail::write_optional(out, entry.event_description);
    detail::write_optional(out, entry.user_id);
    out.time(entry.event_timestamp);
    detail::write_optional(out, entry.role);
    detail::write_optional(out, entry.address);
    detail::write_optional(out, entry.request_id);
    out.text(to_text(entry.kind));
    detail::write_optional(out, seal.row_mac);
    detail::write_optional(out, seal.metadata);
}

/// All kAuditColumns.
template <class Row>
service::AuditRow read_audit_row(const Row& row) {
    detail::Columns<Row> in{row};
    service::AuditRow read;
    auto& entry = read.entry;
    entry.event_id = in.text();
    entry.session_id = in.text();
    entry.event_type = in.text();
    entry.event_description = in.optional_text();
    entry.user_id = in.optional_text();
    entry.event_timestamp = in.time();
    entry.role = in.optional_text();
    entry.address = in.optional_text();
    entry.request_id = in.optional_text();
    const std::string_view kind = in.word();
    const auto known = consultation::audit_kind_from(kind);
    entry.kind = known.value_or(consultation::AuditEntry::Kind::life);
    read.row_mac = in.optional_text();
    read.metadata = in.optional_text();
    if (read.metadata) entry.subject_id = subject_in(*read.metadata);
    // Not a row of ours any more: its MAC shall not fit.
    if (!known) read.metadata = "kind " + std::string{kind};
    read.sequence = in.number();
    read.position = in.template optional_number<std::int64_t>();
    read.chain_mac = in.optional_text();
    return read;
}

}  // namespace store
