#include "service/access_trail.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

namespace service {
namespace {

using consultation::AuditEntry;
using consultation::Session;
using core::ErrorKind;

const core::Time kNow{std::chrono::seconds{1769349600}};

class FixedClock final : public core::Clock {
  public:
    core::Time now() const override { return kNow; }
};

/// Keeps what it is given, or refuses.
class Log final : public AuditLog {
  public:
    Task<core::Result<void>> record(std::vector<AuditEntry> entries, std::vector<consultation::Event> events) override {
        if (full) co_return core::fail(ErrorKind::internal, "disk full");
        for (auto& entry : entries) rows.push_back(std::move(entry));
        for (auto& event : events) messages.push_back(std::move(event));
        co_return core::Result<void>{};
    }
    bool full = false;
    std::vector<AuditEntry> rows;
    std::vector<consultation::Event> messages;
};

template <class T>
T run(Task<T> task) {
    boost::asio::io_context context;
    auto result = boost::asio::co_spawn(context, std::move(task), boost::asio::use_future);
    context.run();
    return result.get();
}

Caller caller(std::string role, std::string user = "7") {
    Caller made;
    made.user_id = std::move(user);
    made.role = std::move(role);
    made.address = "192.0.2.1";
    made.request_id = "r-1";
    return made;
}

Session session() {
    Session made;
    made.session_id = "s-1";
    made.doctor_id = "12";
    made.patient_id = "34";
    made.chief_complaint = "pain";
    made.session_notes = "rest";
    made.cancellation_reason = "better already";
    return made;
}

class Trail : public testing::Test {
  protected:
    FixedClock clock;
    Log log;
    AccessTrail open{log, clock, AdminAccess::open};
    AccessTrail glass{log, clock, AdminAccess::break_glass};
};

TEST_F(Trail, ReadsAreWrittenWithEverythingThatIsKnown) {
    ASSERT_TRUE(run(open.show(caller("PATIENT", "34"), session(), "SESSION_READ", {})));
    ASSERT_EQ(log.rows.size(), 1U);
    const auto& row = log.rows[0];
    EXPECT_EQ(row.session_id, "s-1");
    EXPECT_EQ(row.event_type, "SESSION_READ");
    EXPECT_EQ(row.user_id, "34");
    EXPECT_EQ(row.role, "PATIENT");
    EXPECT_EQ(row.address, "192.0.2.1");
    EXPECT_EQ(row.request_id, "r-1");
    EXPECT_EQ(row.event_timestamp, kNow);
    EXPECT_EQ(row.kind, AuditEntry::Kind::access);
}

TEST_F(Trail, WhatCannotBeWrittenIsNotShown) {
    log.full = true;
    for (auto* trail : {&open, &glass}) {
        EXPECT_EQ(run(trail->show(caller("DOCTOR", "12"), session(), "SESSION_READ", {})).error().kind,
                  ErrorKind::unavailable);
        EXPECT_EQ(run(trail->list(caller("DOCTOR", "12"), {{session()}, 1}, "own")).error().kind,
                  ErrorKind::unavailable);
    }
    const core::Error why{ErrorKind::forbidden, "no", {}};
    EXPECT_EQ(run(open.refused(caller("DOCTOR"), "s-1", "JOIN", why)).kind, ErrorKind::unavailable);
}

TEST_F(Trail, OnlyRefusalsOfAccessAreWritten) {
    const core::Error gone{ErrorKind::not_found, "not there", {}};
    EXPECT_EQ(run(open.refused(caller("DOCTOR"), "s-1", "JOIN", gone)).kind, ErrorKind::not_found);
    EXPECT_TRUE(log.rows.empty());
    const core::Error no{ErrorKind::forbidden, "no", {}};
    EXPECT_EQ(run(open.refused(caller("DOCTOR"), "s-1", "JOIN", no)).detail, "no");
    EXPECT_EQ(log.rows.at(0).event_type, "ACCESS_DENIED");
    EXPECT_EQ(log.rows.at(0).event_description, "JOIN");
}

TEST_F(Trail, AListIsOneRowThatNamesItsSessions) {
    auto second = session();
    second.session_id = "s-2";
    ASSERT_TRUE(run(open.list(caller("DOCTOR", "12"), {{session(), second}, 40}, "own, from 20")));
    ASSERT_EQ(log.rows.size(), 1U);
    EXPECT_EQ(log.rows[0].session_id, "");
    EXPECT_EQ(log.rows[0].event_description, "own, from 20: 2 of 40: s-1, s-2");
}

TEST_F(Trail, AdministratorsBreakTheGlassWithAReason) {
    auto admin = caller("CLINIC_ADMIN");
    EXPECT_EQ(run(glass.show(admin, session(), "SESSION_READ", {})).error().kind, ErrorKind::forbidden);
    EXPECT_EQ(log.rows.at(0).event_type, "ACCESS_DENIED");
    EXPECT_EQ(glass.broken(), 0U);
    admin.break_glass_reason = "The patient has collapsed";
    ASSERT_TRUE(run(glass.show(admin, session(), "SESSION_READ", {})));
    EXPECT_EQ(log.rows.at(1).event_type, "BREAK_GLASS");
    EXPECT_EQ(log.rows.at(1).event_description, "SESSION_READ: The patient has collapsed");
    EXPECT_EQ(glass.broken(), 1U);
    ASSERT_EQ(log.messages.size(), 1U);
    EXPECT_EQ(log.messages[0].routing_key, "video.access.break_glass");
    for (const auto& [key, value] : log.messages[0].data) {
        const auto* text = std::get_if<std::string>(&value);
        EXPECT_TRUE(!text || text->find("collapsed") == std::string::npos) << key;
    }
}

TEST_F(Trail, ListsAndAnswersToAdministratorsComeWithoutTexts) {
    auto admin = caller("ADMIN");
    const auto veiled = run(glass.list(admin, {{session()}, 1}, "all"));
    ASSERT_TRUE(veiled);
    EXPECT_FALSE(veiled->sessions[0].chief_complaint || veiled->sessions[0].session_notes ||
                 veiled->sessions[0].cancellation_reason);
    EXPECT_EQ(veiled->sessions[0].patient_id, "34");
    admin.break_glass_reason = "The patient has collapsed";
    const auto whole = run(glass.list(admin, {{session()}, 1}, "all"));
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->sessions[0], session());
    for (const auto* role : {"DOCTOR", "PATIENT"}) {
        auto own = session();
        glass.veil(caller(role, role == std::string{"DOCTOR"} ? "12" : "34"), own);
        EXPECT_EQ(own, session());
    }
    auto all = session();
    open.veil(caller("ADMIN"), all);
    EXPECT_EQ(all, session());
}

TEST(Sign, OnlyTheCallersOwnDoingGetsTheirRoleAndAddress) {
    consultation::Change change;
    change.after = session();
    AuditEntry own;
    own.user_id = "34";
    AuditEntry other;
    other.user_id = "12";
    change.audit = {own, other, AuditEntry{}};
    sign(change, caller("PATIENT", "34"), kNow);
    ASSERT_EQ(change.audit.size(), 3U);
    EXPECT_EQ(change.audit[0].role, "PATIENT");
    EXPECT_EQ(change.audit[0].address, "192.0.2.1");
    for (const auto& row : change.audit) EXPECT_EQ(row.request_id, "r-1");
    EXPECT_FALSE(change.audit[1].role || change.audit[1].address || change.audit[2].role);

    change.audit.clear();
    sign(change, caller("PATIENT", "34"), kNow);
    ASSERT_EQ(change.audit.size(), 1U);
    EXPECT_EQ(change.audit[0].event_type, "SESSION_CHANGED");
    EXPECT_EQ(change.audit[0].kind, AuditEntry::Kind::access);

    change.audit.clear();
    sign(change, Caller{{}, "SERVICE"}, kNow);
    EXPECT_TRUE(change.audit.empty());
}

}  // namespace
}  // namespace service
