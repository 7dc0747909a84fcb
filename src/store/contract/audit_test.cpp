// The audit trail: what is written comes back as it was signed, and is chained row by row.
#include "service/audit_chainer.hpp"
#include "service/audit_verifier.hpp"
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using consultation::AuditEntry;
using service::AuditHead;
using service::AuditKeys;
using Verdict = AuditKeys::Verdict;

class AuditTrail : public StoreTest {
  protected:
    void SetUp() override {
        StoreTest::SetUp();
        chain = &dynamic_cast<service::AuditChain&>(*store);
    }

    AuditEntry access(int number) {
        AuditEntry entry;
        entry.event_id = id(number);
        entry.session_id = id(1);
        entry.event_type = "SESSION_READ";
        entry.event_description = "\"{ÄΩ患者}\\,NULL";
        entry.user_id = "34";
        entry.event_timestamp = core::SystemClock{}.now();
        entry.role = "PATIENT";
        entry.address = "2001:db8::7";
        entry.request_id = "r-" + std::to_string(number);
        entry.kind = AuditEntry::Kind::access;
        return entry;
    }
    void record(int first, int count) {
        std::vector<AuditEntry> entries;
        for (int i = 0; i < count; ++i) entries.push_back(access(first + i));
        done(store->record(std::move(entries), {}));
    }
    int chain_all() { return done(service::AuditChainer(*chain, *audit_keys()).chain_all()); }
    service::AuditFindings verify() {
        return done(service::verify_audit(*chain, *audit_keys(), {}, core::SystemClock{}));
    }

    service::AuditChain* chain = nullptr;
};

TEST_P(AuditTrail, WhatWasWrittenComesBackAndFitsItsMac) {
    auto bare = access(2);
    bare.session_id.clear();
    bare.event_description.reset();
    bare.user_id.reset();
    bare.role.reset();
    bare.address = "";
    bare.request_id.reset();
    std::vector<AuditEntry> entries{access(1), bare};
    done(store->record(entries, {}));
    const auto rows = done(chain->unchained(10));
    ASSERT_EQ(rows.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(rows[i].entry.event_id, entries[i].event_id);
        EXPECT_EQ(rows[i].entry.event_description, entries[i].event_description);
        EXPECT_EQ(rows[i].entry.event_timestamp, entries[i].event_timestamp);
        EXPECT_EQ(rows[i].entry.address, entries[i].address);
        EXPECT_EQ(rows[i].entry.role, entries[i].role);
        EXPECT_EQ(rows[i].entry.kind, AuditEntry::Kind::access);
        EXPECT_EQ(audit_keys()->check_row(rows[i]), Verdict::right);
    }
    EXPECT_LT(rows[0].sequence, rows[1].sequence);
    EXPECT_EQ(done(chain->unchained(1)).size(), 1U);
}

TEST_P(AuditTrail, ChangesBringTheirRowsWithMacsAndReadsStayOutOfTheSessionsLife) {
    auto session = plain_session(1);
    auto change = creation(session);
    auto row = access(1);
    row.kind = AuditEntry::Kind::life;
    change.audit = {row, access(2)};
    ASSERT_EQ(commit(std::move(change)), Committed::applied);
    record(3, 1);
    for (const auto& each : done(chain->unchained(10))) EXPECT_EQ(audit_keys()->check_row(each), Verdict::right);
    const auto life = done(store->audit_trail(session.session_id));
    ASSERT_EQ(life.size(), 1U);
    EXPECT_EQ(life[0].event_id, id(1));
}

TEST_P(AuditTrail, MessagesAreWrittenWithTheRows) {
    done(store->record({access(1)}, {event(5, id(1))}));
    ASSERT_EQ(done(store->unpublished(10)).size(), 1U);
    // All or none: a row that is there already takes the message with it.
    EXPECT_FALSE(loop.run(store->record({access(1)}, {event(6, id(1))})));
    EXPECT_EQ(done(store->unpublished(10)).size(), 1U);
}

TEST_P(AuditTrail, IsChainedInStepsAndVerifies) {
    for (int i = 0; i < 5; ++i) record(i * 500, 500);
    EXPECT_EQ(chain_all(), 2500);
    EXPECT_EQ(chain_all(), 0);
    record(5000, 1);
    EXPECT_EQ(chain_all(), 1);
    const auto found = verify();
    EXPECT_EQ(found.lines, std::vector<std::string>{});
    EXPECT_EQ(found.rows, 2501);
    EXPECT_EQ(done(chain->audit_head())->position, 2501);
    EXPECT_EQ(done(chain->chained(2499, 10)).size(), 2U);
}

TEST_P(AuditTrail, OnlyOneChainerMovesTheHead) {
    record(1, 3);
    const auto before = *done(chain->audit_head());
    const auto step = service::next_step(*audit_keys(), before, done(chain->unchained(10)), true);
    EXPECT_TRUE(done(chain->chain(before, step.links, step.after)));
    EXPECT_FALSE(done(chain->chain(before, step.links, step.after)));
    EXPECT_EQ(verify().lines, std::vector<std::string>{});
}

TEST_P(AuditTrail, ChainersOfSeveralProcessesGetOnWithEachOther) {
    const auto second = backend->open();
    auto& other = dynamic_cast<service::AuditChain&>(*second);
    service::AuditChainer a(*chain, *audit_keys());
    service::AuditChainer b(other, *audit_keys());
    for (int round = 0; round < 5; ++round) {
        record(round * 100, 100);
        auto first = loop.begin(a.chain_all());
        auto also = loop.begin(b.chain_all());
        awaited<int>(first);
        awaited<int>(also);
    }
    chain_all();
    const auto found = verify();
    EXPECT_EQ(found.lines, std::vector<std::string>{});
    EXPECT_EQ(found.rows, 500);
}

TEST_P(AuditTrail, AForeignHeadStopsTheChainer) {
    record(1, 3);
    chain_all();
    backend->value("UPDATE video_consultation_audit_head SET position = 2");
    record(10, 1);
    EXPECT_FALSE(loop.run(service::AuditChainer(*chain, *audit_keys()).chain_all()));
    EXPECT_EQ(verify().lines.front(), "the head was changed");
    backend->value("UPDATE video_consultation_audit_head SET position = 0, chain_mac = '', mac = ''");
    EXPECT_FALSE(loop.run(service::AuditChainer(*chain, *audit_keys()).chain_all()));
    EXPECT_EQ(verify().lines.front(), "the head was set back to the beginning");
}

TEST_P(AuditTrail, OutlivesTheSession) {
    auto change = creation(plain_session(1));
    change.audit = {access(1)};
    ASSERT_EQ(commit(std::move(change)), Committed::applied);
    backend->value("DELETE FROM video_consultation_sessions");
    EXPECT_EQ(chain_all(), 1);
    EXPECT_EQ(verify().lines, std::vector<std::string>{});
}

STORE_TEST_SUITE(AuditTrail);

}  // namespace
}  // namespace store::contract
