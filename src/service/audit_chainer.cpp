#include "service/audit_chainer.hpp"

#include <utility>

namespace service {
namespace {

using core::ErrorKind;
using core::fail;

constexpr int kRowsAStep = 1000;
constexpr int kStepsACall = 50;

/// The head as the migration made it: nothing is chained, and nobody knew a key then.
bool is_new(const AuditHead& head) {
    return head.position == 0 && head.chain_mac.empty() && head.mac.empty();
}

}  // namespace

AuditStep next_step(const AuditKeys& keys, const AuditHead& before, const std::vector<AuditRow>& rows, bool all) {
    AuditStep step;
    auto& head = step.after;
    head = before;
    for (const auto& row : rows) {
        auto mac = row.row_mac;
        // Once a newer row is there, all that there was before the chain has been seen.
        if (row.sequence > before.inherit_to) head.inherit_to = 0;
        if (!mac && head.inherit_to != 0) mac = keys.inherited_mac(row);
        ++head.position;
        head.chain_mac = keys.chain_mac(head.chain_mac, head.position, mac);
        step.links.push_back({row.entry.event_id, row.row_mac ? std::nullopt : mac, head.position, head.chain_mac});
    }
    if (all) head.inherit_to = 0;
    head.mac = keys.head_mac(head);
    return step;
}

Task<core::Result<int>> AuditChainer::chain_all() {
    int chained = 0;
    for (int round = 0; round < kStepsACall; ++round) {
        auto head = co_await chain_.audit_head();
        if (!head) co_return std::unexpected(head.error());
        if (!*head) co_return fail(ErrorKind::internal, "the head of the audit trail is gone, run `audit verify`");
        const auto& before = **head;
        if (!is_new(before) && keys_.check_head(before) != AuditKeys::Verdict::right) {
            co_return fail(ErrorKind::internal, "the head of the audit trail is not ours, run `audit verify`");
        }
        if (is_new(before)) {
            // Whoever sets the head back shall not get a new one from us.
            const auto first = co_await chain_.chained(0, 1);
            if (!first) co_return std::unexpected(first.error());
            if (!first->empty()) {
                co_return fail(ErrorKind::internal, "the head of the audit trail was set back, run `audit verify`");
            }
        }
        const auto rows = co_await chain_.unchained(kRowsAStep);
        if (!rows) co_return std::unexpected(rows.error());
        const bool all = std::cmp_less(rows->size(), kRowsAStep);
        if (rows->empty() && !is_new(before) && before.inherit_to == 0) co_return chained;
        auto step = next_step(keys_, before, *rows, all);
        const auto written = co_await chain_.chain(before, std::move(step.links), std::move(step.after));
        if (!written) co_return std::unexpected(written.error());
        // Another process is at it.
        if (!*written) co_return chained;
        chained += static_cast<int>(rows->size());
        if (all) co_return chained;
    }
    co_return chained;
}

}  // namespace service
