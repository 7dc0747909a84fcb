// Chaining and walking, without a store: what a chainer writes is put into rows, and the walk looks at them.
#include <gtest/gtest.h>

#include <algorithm>

#include "service/audit_chainer.hpp"
#include "service/audit_verifier.hpp"

namespace service {
namespace {

using namespace std::chrono_literals;

const AuditKeys kKeys("an audit key of thirty-two bytes");
const core::Time kNow{std::chrono::seconds{1769349600}};

/// A trail in memory.
struct Trail {
    std::vector<AuditRow> rows;  ///< By sequence.
    AuditHead head;

    void write(int count, bool with_mac = true) {
        for (int i = 0; i < count; ++i) {
            AuditRow row;
            row.sequence = static_cast<std::int64_t>(rows.size()) + 1;
            row.entry.event_id = "row-" + std::to_string(row.sequence);
            row.entry.event_type = "SESSION_READ";
            row.entry.event_timestamp = kNow;
            if (with_mac) row.row_mac = kKeys.row_mac(row.entry);
            rows.push_back(std::move(row));
        }
    }

    /// `at_once`: rows a step. Returns the steps.
    int chain(std::size_t at_once) {
        for (int steps = 1;; ++steps) {
            std::vector<AuditRow> next;
            for (const auto& row : rows) {
                if (!row.position && next.size() < at_once) next.push_back(row);
            }
            const bool all = next.size() < at_once;
            auto step = next_step(kKeys, head, next, all);
            for (const auto& link : step.links) {
                auto& row = *std::ranges::find(rows, link.event_id, [](const AuditRow& r) { return r.entry.event_id; });
                row.position = link.position;
                row.chain_mac = link.chain_mac;
                if (link.row_mac) row.row_mac = link.row_mac;
            }
            head = step.after;
            if (all) return steps;
        }
    }

    AuditFindings walk(std::vector<Checkpoint> checkpoints = {}) const {
        AuditWalk walk(kKeys, std::move(checkpoints));
        auto chained = rows;
        std::erase_if(chained, [](const AuditRow& row) { return !row.position; });
        std::ranges::sort(chained, {}, [](const AuditRow& row) { return *row.position; });
        for (const auto& row : chained) walk.take(row);
        walk.end(head, head);
        for (const auto& row : rows) {
            if (!row.position) walk.take_unchained(row, kNow);
        }
        return std::move(walk.findings());
    }

    Checkpoint checkpoint() const { return {head.position, head.chain_mac, kNow}; }
};

std::vector<std::string> lines(const Trail& trail, std::vector<Checkpoint> checkpoints = {}) {
    return trail.walk(std::move(checkpoints)).lines;
}

using Lines = std::vector<std::string>;

TEST(AuditChain, IsWholeHoweverItIsCutIntoSteps) {
    for (const std::size_t at_once : {1U, 3U, 10U, 11U, 1000U}) {
        Trail trail;
        trail.write(10);
        trail.chain(at_once);
        const auto found = trail.walk({trail.checkpoint()});
        EXPECT_EQ(found.lines, Lines{}) << at_once;
        EXPECT_EQ(found.rows, 10);
        EXPECT_EQ(found.checkpoints, 1);
    }
}

TEST(AuditChain, ARowThatComesLateComesBehind) {
    Trail trail;
    trail.write(5);
    auto late = trail.rows[2];
    trail.rows.erase(trail.rows.begin() + 2);
    trail.chain(100);
    trail.rows.insert(trail.rows.begin() + 2, late);
    trail.chain(100);
    EXPECT_EQ(trail.rows[2].position, 5);
    EXPECT_EQ(lines(trail), Lines{});
}

TEST(AuditChain, RowsFromBeforeAreInheritedOnceAndThenNoMore) {
    Trail trail;
    trail.write(7, false);
    trail.head.inherit_to = 7;
    trail.write(2);
    EXPECT_GT(trail.chain(3), 2);
    EXPECT_EQ(trail.head.inherit_to, 0);
    auto found = trail.walk();
    EXPECT_EQ(found.lines, Lines{});
    EXPECT_EQ(found.inherited, 7);
    trail.rows[3].entry.user_id = "somebody";
    EXPECT_EQ(lines(trail), Lines{"position 4: row row-4 was changed"});

    // A row without a MAC that comes now is chained, so that it cannot vanish, but not made ours.
    trail.rows[3].entry.user_id.reset();
    AuditRow forged;
    forged.sequence = 3;
    forged.entry.event_id = "forged";
    trail.rows.push_back(forged);
    trail.chain(10);
    EXPECT_EQ(lines(trail), Lines{"position 10: row forged has no MAC: not written by this service"});
}

TEST(AuditChain, TellsWhichRowWasChanged) {
    Trail trail;
    trail.write(10);
    trail.chain(4);
    trail.rows[4].entry.request_id = "other";
    EXPECT_EQ(lines(trail), Lines{"position 5: row row-5 was changed"});
}

TEST(AuditChain, TellsWhatIsMissing) {
    Trail trail;
    trail.write(10);
    trail.chain(4);
    const auto checkpoint = trail.checkpoint();
    auto cut = trail;
    cut.rows.erase(cut.rows.begin() + 3, cut.rows.begin() + 5);
    EXPECT_EQ(lines(cut), Lines{"positions 4 to 5 are missing: removed"});
    cut = trail;
    cut.rows.pop_back();
    EXPECT_EQ(lines(cut), Lines{"position 10 is missing: the end was cut off"});
    cut = trail;
    cut.rows.erase(cut.rows.begin());
    EXPECT_EQ(lines(cut), Lines{"position 1 is missing: removed"});

    // The head cut off with the rows: only a checkpoint knows.
    Trail back;
    back.write(8);
    back.chain(4);
    EXPECT_EQ(lines(back), Lines{});
    EXPECT_EQ(lines(back, {checkpoint}).size(), 1U);
    back.write(4);
    back.rows[9].entry.user_id = "another history";
    back.rows[9].row_mac = kKeys.row_mac(back.rows[9].entry);
    back.chain(4);
    EXPECT_EQ(lines(back), Lines{});
    EXPECT_EQ(lines(back, {checkpoint}).size(), 1U);
}

TEST(AuditChain, TellsExchangedRows) {
    Trail trail;
    trail.write(6);
    trail.chain(10);
    std::swap(trail.rows[2].position, trail.rows[3].position);
    EXPECT_EQ(lines(trail).size(), 3U);
    std::swap(trail.rows[2].chain_mac, trail.rows[3].chain_mac);
    const auto found = lines(trail);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_TRUE(found[0].starts_with("position 3: the link of row row-4 does not fit")) << found[0];
}

TEST(AuditChain, TellsAHeadThatIsNotOurs) {
    Trail trail;
    trail.write(6);
    trail.chain(10);
    auto changed = trail;
    changed.head.position = 5;
    EXPECT_EQ(lines(changed).front(), "the head was changed");
    auto early = trail;
    early.head = {};
    EXPECT_EQ(lines(early).front(), "the head was set back to the beginning");
    // An earlier head of our own.
    Trail short_one;
    short_one.write(4);
    short_one.chain(10);
    early.head = short_one.head;
    EXPECT_EQ(lines(early).front(),
              "the head stands at position 4, the chain goes on to position 6: the head was set back, or rows were "
              "added");
}

TEST(AuditChain, RowsWithoutAPlaceMayBeYoungButNotOld) {
    Trail trail;
    trail.write(3);
    EXPECT_EQ(trail.walk().fresh, 3);
    trail.rows[1].entry.event_timestamp -= 2min;
    trail.rows[1].row_mac = kKeys.row_mac(trail.rows[1].entry);
    trail.rows[2].entry.user_id = "somebody";
    EXPECT_EQ(lines(trail),
              (Lines{"not chained: row row-2 is older than a minute", "not chained: row row-3 was changed"}));
}

TEST(AuditChain, FindingsAreCountedBeyondTheLinesThatAreKept) {
    Trail trail;
    trail.write(500);
    trail.chain(100);
    for (auto& row : trail.rows) row.entry.user_id = "somebody";
    const auto found = trail.walk();
    EXPECT_EQ(found.wrong, 500);
    EXPECT_EQ(found.lines.size(), 100U);
}

}  // namespace
}  // namespace service
