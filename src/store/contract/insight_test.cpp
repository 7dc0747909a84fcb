// What the store says of itself and of what it holds; and the traces that messages carry.
#include "service/store_insight.hpp"

#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

constexpr auto kLine = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 rojo=00f067aa0ba902b7";

class Insight : public StoreTest {
  protected:
    service::StoreInsight& insight() { return dynamic_cast<service::StoreInsight&>(*store); }
    service::Vitals::Census census(Time now = at(1h)) { return done(insight().census(at(-24h), now)); }
    Session with_status(int number, consultation::Status status) {
        auto session = plain_session(number);
        session.status = status;
        return created(std::move(session));
    }
};
STORE_TEST_SUITE(Insight);

TEST_P(Insight, OpenSessionsAreCountedByState) {
    using enum consultation::Status;
    EXPECT_TRUE(census().known);
    with_status(1, scheduled);
    with_status(2, scheduled);
    with_status(3, waiting);
    with_status(4, active);
    with_status(5, completed);
    with_status(6, no_show);
    const auto seen = census();
    const auto count = [&](consultation::Status status) { return seen.sessions.at(static_cast<std::size_t>(status)); };
    EXPECT_EQ(count(scheduled), 2);
    EXPECT_EQ(count(waiting), 1);
    EXPECT_EQ(count(active), 1);
    EXPECT_EQ(count(completed), 1);
    EXPECT_EQ(count(no_show), 1);
    EXPECT_EQ(count(cancelled), 0);
    EXPECT_EQ(done(insight().census(at(1h), at(2h))).sessions.at(static_cast<std::size_t>(completed)), 0)
        << "closed before that";
}

TEST_P(Insight, WhoWaitsIsCountedWhileTheSessionIsOpen) {
    auto session = full_session(1);
    session.status = consultation::Status::waiting;
    session.attendees.at(1).lobby = consultation::Lobby::waiting;
    session = created(std::move(session));
    EXPECT_EQ(census().waiting, 1);
    session.status = consultation::Status::cancelled;
    EXPECT_EQ(commit(update(std::move(session))), Committed::applied);
    EXPECT_EQ(census().waiting, 0);
}

TEST_P(Insight, RowsOfTheTrailWithoutAPlaceAreCounted) {
    auto change = creation(plain_session(1));
    change.audit.clear();
    for (int i = 0; i < 2; ++i) {
        consultation::AuditEntry entry;
        entry.event_id = id(100 + i);
        entry.session_id = change.after.session_id;
        entry.event_type = "SESSION_CREATED";
        entry.event_timestamp = at(i * 10min);
        change.audit.push_back(std::move(entry));
    }
    EXPECT_EQ(commit(std::move(change)), Committed::applied);
    const auto seen = census(at(1h));
    EXPECT_EQ(seen.unchained, 2);
    EXPECT_EQ(seen.oldest_unchained_seconds, 3600);
}

TEST_P(Insight, CallsAreMeasured) {
    created(plain_session(1));
    find(id(1));
    const auto vitals = insight().database_vitals();
    EXPECT_GE(vitals.reads.count(), 1U);
    EXPECT_GE(vitals.writes.count(), 1U);
    EXPECT_GT(vitals.writes.seconds, 0);
    EXPECT_GE(vitals.connections, 1);
    EXPECT_EQ(vitals.failed_reads, 0U);
    EXPECT_EQ(vitals.failed_writes, 0U);
    EXPECT_FALSE(vitals.writes_refused);
}

TEST_P(Insight, MessagesCarryTheirTraces) {
    auto change = creation(plain_session(1));
    change.events = {event(1, change.after.session_id), event(2, change.after.session_id)};
    change.events[0].trace = kLine;
    EXPECT_EQ(commit(std::move(change)), Committed::applied);
    auto appended = event(3, id(1));
    appended.trace = kLine;
    done(store->append(std::move(appended)));
    auto recorded = event(4, id(1));
    recorded.trace = kLine;
    std::vector<consultation::Event> events;
    events.push_back(std::move(recorded));
    done(store->record({}, std::move(events)));
    std::vector<std::string> traces;
    for (const auto& message : done(store->unpublished(10))) traces.push_back(message.trace);
    EXPECT_EQ(traces, (std::vector<std::string>{kLine, "", kLine, kLine}));
    EXPECT_EQ(done(store->fan_out({"https://hook"}, at(-1h), 10)), 4);
    EXPECT_EQ(done(store->due_deliveries(at(1h), 1)).at(0).message.trace, kLine);
}

}  // namespace
}  // namespace store::contract
