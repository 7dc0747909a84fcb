#include "service/audit_verifier.hpp"

#include <algorithm>
#include <utility>

namespace service {
namespace {

using Verdict = AuditKeys::Verdict;

constexpr std::size_t kMostLines = 100;
constexpr int kRowsAPage = 2000;

std::string at(std::int64_t position) {
    return "position " + std::to_string(position);
}

/// The row's id as far as it is one: whoever wrote into the table may have put anything there.
std::string named(const AuditRow& row) {
    std::string id;
    for (const char c : row.entry.event_id.substr(0, 36)) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
        id += plain ? c : '?';
    }
    return "row " + id;
}

std::string reason(Verdict verdict, const char* wrong) {
    switch (verdict) {
        case Verdict::missing:
            return "has no MAC: not written by this service";
        case Verdict::unknown_key:
            return "has a MAC of an unknown key: forged, or AUDIT_KEY_OLD is missing";
        default:
            return wrong;
    }
}

}  // namespace

void AuditFindings::found(std::string line) {
    if (++wrong <= static_cast<std::int64_t>(kMostLines)) lines.push_back(std::move(line));
}

AuditWalk::AuditWalk(const AuditKeys& keys, std::vector<Checkpoint> checkpoints)
    : keys_(keys), checkpoints_(std::move(checkpoints)) {
    std::ranges::sort(checkpoints_, {}, &Checkpoint::position);
    pass_checkpoints(0, {});
}

void AuditWalk::missing(std::int64_t first, std::int64_t last, const char* what) {
    findings_.found((first == last ? at(first) + " is "
                                   : "positions " + std::to_string(first) + " to " + std::to_string(last) + " are ") +
                    what);
}

void AuditWalk::check_row(const AuditRow& row) {
    const auto verdict = keys_.check_row(row);
    if (verdict == Verdict::inherited) ++findings_.inherited;
    if (verdict == Verdict::right || verdict == Verdict::inherited) return;
    findings_.found(at(row.position.value_or(0)) + ": " + named(row) + " " + reason(verdict, "was changed"));
}

void AuditWalk::check_link(const AuditRow& row) {
    // Behind a gap there is nothing to compare with; the gap itself has been told.
    if (!linked_ && row.chain_mac) return;
    const auto verdict = keys_.check_link(chain_mac_, row);
    if (verdict == Verdict::right) return;
    findings_.found(at(row.position.value_or(0)) + ": the link of " + named(row) + " " +
                    reason(verdict, "does not fit: rows were exchanged, inserted or replaced here"));
}

void AuditWalk::pass_checkpoints(std::int64_t position, const std::string& chain_mac) {
    for (; next_ < checkpoints_.size() && checkpoints_[next_].position <= position; ++next_) {
        const auto& checkpoint = checkpoints_[next_];
        const auto when = " of " + core::format_rfc3339(checkpoint.time);
        if (checkpoint.position < position) {
            findings_.found(at(checkpoint.position) + ": the checkpoint" + when + " has no row any more");
        } else if (checkpoint.chain_mac != chain_mac) {
            findings_.found(at(checkpoint.position) + ": the checkpoint" + when +
                            " is not in the chain: the trail was rewritten, or the database was put back");
        } else {
            ++findings_.checkpoints;
        }
    }
}

void AuditWalk::take(const AuditRow& row) {
    const auto position = row.position.value_or(0);
    ++findings_.rows;
    if (position <= position_) {
        findings_.found(at(position) + " is there twice");
        linked_ = false;
    } else if (position != position_ + 1) {
        missing(position_ + 1, position - 1, "missing: removed");
        linked_ = false;
    }
    check_row(row);
    check_link(row);
    position_ = position;
    chain_mac_ = row.chain_mac.value_or(std::string{});
    linked_ = true;
    pass_checkpoints(position_, chain_mac_);
}

void AuditWalk::check_head(const AuditHead& head, const char* which) {
    const bool untouched = head.position == 0 && head.chain_mac.empty() && head.mac.empty();
    if (untouched) {
        if (findings_.rows > 0) findings_.found(std::string{"the head"} + which + " was set back to the beginning");
        return;
    }
    const auto verdict = keys_.check_head(head);
    if (verdict != Verdict::right) {
        findings_.found(std::string{"the head"} + which + " " + reason(verdict, "was changed"));
    }
}

void AuditWalk::end(const std::optional<AuditHead>& head, const std::optional<AuditHead>& newest) {
    if (!head || !newest) {
        findings_.found("the head is missing: removed");
    } else {
        check_head(*newest, "");
        if (newest->position < head->position) findings_.found("the head went back while it was read");
        if (newest->position > position_) {
            missing(position_ + 1, newest->position, "missing: the end was cut off");
        } else if (newest->position < position_) {
            findings_.found("the head stands at " + at(newest->position) + ", the chain goes on to " + at(position_) +
                            ": the head was set back, or rows were added");
        } else if (newest->chain_mac != chain_mac_) {
            findings_.found("the head does not fit the last link, at " + at(position_));
        }
        findings_.head = *newest;
    }
    for (; next_ < checkpoints_.size(); ++next_) {
        findings_.found(at(checkpoints_[next_].position) + ": the checkpoint of " +
                        core::format_rfc3339(checkpoints_[next_].time) +
                        " lies behind the end: the end was cut off, or the database was put back");
    }
}

void AuditWalk::take_unchained(const AuditRow& row, core::Time now) {
    const auto verdict = keys_.check_row(row);
    // Rows from before the chain get their MACs when they are chained.
    const bool waits = verdict == Verdict::missing && row.sequence <= findings_.head.inherit_to;
    if (verdict != Verdict::right && !waits) {
        findings_.found("not chained: " + named(row) + " " + reason(verdict, "was changed"));
    } else if (!waits && now - row.entry.event_timestamp > kMostUnchained) {
        findings_.found("not chained: " + named(row) + " is older than a minute");
    } else {
        ++findings_.fresh;
    }
}

Task<core::Result<AuditFindings>> verify_audit(AuditChain& chain, const AuditKeys& keys,
                                               std::vector<Checkpoint> checkpoints, const core::Clock& clock) {
    AuditWalk walk(keys, std::move(checkpoints));
    const auto head = co_await chain.audit_head();
    if (!head) co_return std::unexpected(head.error());
    // The head that is compared is read after an empty page, and rows chained in between are walked as well: of a trail
    // that grows, a moment is seen at which both belong together.
    std::optional<AuditHead> newest = *head;
    for (;;) {
        const auto before = walk.position();
        for (;;) {
            const auto rows = co_await chain.chained(walk.position(), kRowsAPage);
            if (!rows) co_return std::unexpected(rows.error());
            for (const auto& row : *rows) walk.take(row);
            if (std::cmp_less(rows->size(), kRowsAPage)) break;
        }
        const auto read = co_await chain.audit_head();
        if (!read) co_return std::unexpected(read.error());
        const bool moved = *read != newest;
        newest = *read;
        if (!newest || newest->position == walk.position()) break;
        if (!moved && before == walk.position()) break;
    }
    walk.end(*head, newest);

    // One page of what waits is enough: more than that at a time is a chainer that does not run.
    const auto waiting = co_await chain.unchained(kRowsAPage);
    if (!waiting) co_return std::unexpected(waiting.error());
    const auto now = clock.now();
    for (const auto& row : *waiting) walk.take_unchained(row, now);
    co_return std::move(walk.findings());
}

}  // namespace service
