#include "service/audit_mac.hpp"

#include <gtest/gtest.h>

#include <set>

namespace service {
namespace {

using consultation::AuditEntry;
using Verdict = AuditKeys::Verdict;

const std::string kKey = "an audit key of thirty-two bytes";
const AuditKeys kKeys(kKey);

AuditRow row() {
    AuditRow made;
    auto& entry = made.entry;
    entry.event_id = "0d2a4a4e-7c31-4f6a-9a62-8d6f6a5a1c11";
    entry.session_id = "54a780e9-cdea-473a-ad93-801d19d54ff4";
    entry.event_type = "SESSION_READ";
    entry.event_description = "JOIN";
    entry.user_id = "34";
    entry.event_timestamp = core::Time{std::chrono::microseconds{1769349600000001}};
    entry.role = "PATIENT";
    entry.address = "192.0.2.7";
    entry.request_id = "r-1";
    entry.kind = AuditEntry::Kind::access;
    made.row_mac = kKeys.row_mac(entry);
    return made;
}

TEST(AuditMac, CoversEveryField) {
    EXPECT_EQ(kKeys.check_row(row()), Verdict::right);
    const std::vector<void (*)(AuditRow&)> changes{
        [](AuditRow& r) { r.entry.event_id.back() = '2'; },
        [](AuditRow& r) { r.entry.session_id.clear(); },
        [](AuditRow& r) { r.entry.event_type = "SESSION_REA"; },
        [](AuditRow& r) { r.entry.event_description.reset(); },
        [](AuditRow& r) { r.entry.event_description = ""; },
        [](AuditRow& r) { r.entry.user_id = "35"; },
        [](AuditRow& r) { r.entry.event_timestamp += std::chrono::microseconds{1}; },
        [](AuditRow& r) { r.entry.role.reset(); },
        [](AuditRow& r) { r.entry.address = "192.0.2.8"; },
        [](AuditRow& r) { r.entry.request_id = "r-2"; },
        [](AuditRow& r) { r.entry.kind = AuditEntry::Kind::life; },
        [](AuditRow& r) { r.metadata = ""; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto changed = row();
        changes[i](changed);
        EXPECT_EQ(kKeys.check_row(changed), Verdict::wrong) << i;
    }
    auto bare = row();
    bare.row_mac.reset();
    EXPECT_EQ(kKeys.check_row(bare), Verdict::missing);
}

TEST(AuditMac, TextsThatLieSideBySideAreNotConfused) {
    auto a = row();
    auto b = row();
    a.entry.role = "ab";
    a.entry.address = "c";
    b.entry.role = "a";
    b.entry.address = "bc";
    auto c = row();
    c.entry.role = std::string("ab\1\1\0\0\0\0\0\0\0c", 12);
    c.entry.address.reset();
    const std::set<std::string> encodings{encode_row("row", a.entry, {}), encode_row("row", b.entry, {}),
                                          encode_row("row", c.entry, {}), encode_row("ro", a.entry, {})};
    EXPECT_EQ(encodings.size(), 4U);
}

TEST(AuditMac, InheritedRowsAreToldApart) {
    auto old = row();
    old.row_mac = kKeys.inherited_mac(old);
    EXPECT_EQ(kKeys.check_row(old), Verdict::inherited);
    old.entry.user_id = "35";
    EXPECT_EQ(kKeys.check_row(old), Verdict::wrong);
}

TEST(AuditMac, ALinkHoldsItsPredecessorItsPlaceAndItsRow) {
    auto r = row();
    r.position = 7;
    r.chain_mac = kKeys.chain_mac("before", 7, r.row_mac);
    EXPECT_EQ(kKeys.check_link("before", r), Verdict::right);
    EXPECT_EQ(kKeys.check_link("other", r), Verdict::wrong);
    r.position = 8;
    EXPECT_EQ(kKeys.check_link("before", r), Verdict::wrong);
    r.position = 7;
    r.row_mac = kKeys.inherited_mac(r);
    EXPECT_EQ(kKeys.check_link("before", r), Verdict::wrong);
}

TEST(AuditMac, OldKeysCheckButDoNotWrite) {
    const auto written = row();
    const AuditKeys rotated("another key, also of some length!", {kKey});
    const AuditKeys foreign("another key, also of some length!");
    EXPECT_EQ(rotated.check_row(written), Verdict::right);
    EXPECT_EQ(foreign.check_row(written), Verdict::unknown_key);
    auto fresh = written;
    fresh.row_mac = rotated.row_mac(fresh.entry);
    EXPECT_EQ(foreign.check_row(fresh), Verdict::right);
    EXPECT_EQ(kKeys.check_row(fresh), Verdict::unknown_key);
    EXPECT_EQ(fresh.row_mac->find(kKey), std::string::npos);
}

TEST(AuditMac, ACheckpointComesBackAndCannotBeBent) {
    const Checkpoint checkpoint{41, "01234567:abc", core::Time{std::chrono::seconds{1769349600}}};
    const auto line = kKeys.checkpoint_line(checkpoint);
    EXPECT_EQ(kKeys.read_checkpoint(line), checkpoint);
    const Checkpoint first{0, "", core::Time{std::chrono::seconds{1769349600}}};
    EXPECT_EQ(kKeys.read_checkpoint(kKeys.checkpoint_line(first)), first);
    for (std::size_t i = 0; i < line.size(); ++i) {
        auto bent = line;
        bent[i] = bent[i] == '1' ? '2' : '1';
        EXPECT_FALSE(kKeys.read_checkpoint(bent)) << i;
        EXPECT_FALSE(kKeys.read_checkpoint(line.substr(0, i))) << i;
    }
    EXPECT_EQ(AuditKeys("another key, also of some length!").read_checkpoint(line).error().detail,
              "the checkpoint was made under another key; name it in AUDIT_KEY_OLD");
}

}  // namespace
}  // namespace service
