// What a commit writes about meetings and stays at providers, and finding sessions by it.
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using consultation::Provider;
using consultation::Role;

class History : public StoreTest {
  protected:
    Session with_meeting(int number, Provider provider, const std::string& meeting_id, Status status = Status::active) {
        auto session = plain_session(number);
        session.status = status;
        auto& meeting = session.meeting.emplace();
        meeting.provider = provider;
        meeting.meeting_id = meeting_id;
        return session;
    }
    std::optional<Session> by_meeting(const std::string& meeting_id) {
        return done(store->find_by_meeting(meeting_id));
    }
    std::string meeting(const std::string& what, const std::string& meeting_id) {
        return backend->value("SELECT " + what + " FROM video_consultation_meetings WHERE meeting_id = '" + meeting_id +
                              "'");
    }
    std::string interval(const std::string& what, int number) {
        return backend->value("SELECT " + what + " FROM video_consultation_attendance WHERE interval_id = '" +
                              id(number) + "'");
    }
};
STORE_TEST_SUITE(History);
SEALED_STORE_TEST_SUITE(History);

TEST_P(History, EveryMeetingASessionHadFindsIt) {
    auto session = created(with_meeting(1, Provider::chime, "first"));
    created(with_meeting(2, Provider::chime, "other"));
    auto again = update(session);
    again.after.meeting->meeting_id = "second";
    again.after.meeting->provider = Provider::embedded;
    again.after.meeting->generation = 2;
    again.meetings = {{"first", id(1), Provider::chime, 1, at(1h), at(2h)},
                      {"second", id(1), Provider::embedded, 2, at(2h), {}}};
    EXPECT_EQ(commit(again), Committed::applied);
    EXPECT_EQ(by_meeting("first"), again.after);
    EXPECT_EQ(by_meeting("second"), again.after);
    EXPECT_EQ(by_meeting("other")->session_id, id(2));
    EXPECT_EQ(by_meeting("third"), std::nullopt);
    EXPECT_EQ(meeting("provider", "first"), "chime");
    EXPECT_EQ(meeting("provider", "second"), "embedded");
    EXPECT_EQ(meeting("generation", "second"), "2");
}

TEST_P(History, AMeetingEndsOnceAndKeepsItsBeginning) {
    auto session = created(with_meeting(1, Provider::chime, "first"));
    const auto begun = meeting("created_at", "first");
    EXPECT_EQ(meeting("ended_at IS NULL", "first"), meeting("1 = 1", "first"));
    auto ending = update(session);
    ending.meetings = {{"first", id(1), Provider::chime, 1, at(1h), {}},
                       {"first", id(1), Provider::chime, 1, at(1h), at(2h)}};
    EXPECT_EQ(commit(ending), Committed::applied);
    const auto ended = meeting("ended_at", "first");
    EXPECT_NE(ended, "");
    auto later = update(ending.after);
    later.meetings = {{"first", id(1), Provider::chime, 1, at(3h), {}}};
    EXPECT_EQ(commit(later), Committed::applied);
    EXPECT_EQ(meeting("ended_at", "first"), ended);
    EXPECT_EQ(meeting("created_at", "first"), begun);
}

TEST_P(History, AMeetingNeverMovesToAnotherSession) {
    created(with_meeting(1, Provider::chime, "first"));
    auto thief = update(created(plain_session(2)));
    thief.meetings = {{"first", id(2), Provider::chime, 1, at(), at(1h)}};
    EXPECT_EQ(commit(thief), Committed::applied);
    EXPECT_EQ(by_meeting("first")->session_id, id(1));
    EXPECT_EQ(meeting("ended_at IS NULL", "first"), meeting("1 = 1", "first"));
}

TEST_P(History, AStaleChangeLeavesNoMeetingAndNoJob) {
    auto session = created(plain_session(1));
    EXPECT_EQ(commit(update(session)), Committed::applied);
    auto stale = update(session);
    stale.meetings = {{"first", id(1), Provider::chime, 1, at(), {}}};
    stale.jobs = {{id(9), consultation::Job::Kind::end_meeting, id(1), Provider::chime, "first", "", at(), 0}};
    EXPECT_EQ(commit(stale), Committed::stale);
    EXPECT_EQ(by_meeting("first"), std::nullopt);
    EXPECT_EQ(done(store->job_backlog()).waiting, 0);
}

TEST_P(History, AStayTellsItsProviderMeetingAndIdentity) {
    auto joining = update(created(with_meeting(1, Provider::chime, "first")));
    joining.after.attendees = {attendee(1001, Role::patient, "34")};
    joining.intervals = {{id(50), id(1), "34", Role::patient, at(), {}, Provider::chime, "first"}};
    EXPECT_EQ(commit(joining), Committed::applied);
    EXPECT_EQ(interval("provider", 50), "chime");
    EXPECT_EQ(interval("meeting_id", 50), "first");
    EXPECT_EQ(interval("attendee_id", 50), "chime-1001");

    // It turns out to have begun later; and its owner has another identity by the time it ends.
    auto leaving = update(joining.after);
    leaving.after.attendees[0].chime_attendee_id = "chime-renewed";
    leaving.intervals = {{id(50), id(1), "34", Role::patient, at(1min), at(3min), Provider::chime, "first"}};
    EXPECT_EQ(commit(leaving), Committed::applied);
    EXPECT_EQ(interval("attendee_id", 50), "chime-1001");
    const auto row = done(store->meter_rows(at(), at(1h), "", "", 10)).at(0);
    EXPECT_EQ(row.interval_micros, std::chrono::microseconds(2min).count());
}

TEST_P(History, OpenSessionsOfAProviderComeInPages) {
    for (int number = 1; number <= 5; ++number) {
        created(with_meeting(number, Provider::chime, "chime-meeting-" + std::to_string(number),
                             number % 2 == 0 ? Status::waiting : Status::active));
    }
    created(with_meeting(6, Provider::embedded, "embedded"));
    created(with_meeting(7, Provider::chime, "scheduled", Status::scheduled));
    created(with_meeting(8, Provider::chime, "completed", Status::completed));
    auto without = plain_session(9);
    without.status = Status::waiting;
    created(without);
    EXPECT_EQ(done(store->open_at(Provider::chime, "", 2)), (std::vector{id(1), id(2)}));
    EXPECT_EQ(done(store->open_at(Provider::chime, id(2), 2)), (std::vector{id(3), id(4)}));
    EXPECT_EQ(done(store->open_at(Provider::chime, id(4), 2)), (std::vector{id(5)}));
    EXPECT_EQ(done(store->open_at(Provider::embedded, "", 9)), (std::vector{id(6)}));
}

}  // namespace
}  // namespace store::contract
