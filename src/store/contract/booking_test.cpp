// Consents, what is told while it happens, and visits that must not overlap: the same on both engines.
#include <gmock/gmock.h>

#include <deque>

#include "service/booking_store.hpp"
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using service::Consent;

class Booking : public StoreTest {
  protected:
    service::BookingStore& bookings() { return dynamic_cast<service::BookingStore&>(*store); }

    static Session visit(int number, std::chrono::minutes start, std::string doctor, std::string patient) {
        auto session = plain_session(number);
        session.doctor_id = std::move(doctor);
        session.patient_id = std::move(patient);
        session.scheduled_start_time = at(start);
        session.scheduled_end_time = at(start + 30min);
        return session;
    }
    static Change alone(Change change) {
        change.no_overlap = true;
        return change;
    }
    static consultation::AuditEntry entry(int number, const std::string& session_id, std::string type) {
        consultation::AuditEntry made;
        made.event_id = id(number);
        made.session_id = session_id;
        made.event_type = std::move(type);
        made.user_id = "12";
        made.event_timestamp = at(std::chrono::seconds{number});
        return made;
    }
    void happen(const std::string& session_id, std::vector<consultation::AuditEntry> rows) {
        auto change = update(*find(session_id));
        change.audit = std::move(rows);
        ASSERT_EQ(commit(std::move(change)), Committed::applied);
    }
};

TEST_P(Booking, AConsentStaysAsItWasGiven) {
    const Consent first{"34", "1", std::string(64, 'a'), at(1us), id(1), "2001:db8::1", "request-1"};
    EXPECT_EQ(done(bookings().find_consent("34", "1")), std::nullopt);
    EXPECT_EQ(done(bookings().add_consent(first)), std::nullopt);
    auto second = first;
    second.given_at = at(1h);
    second.session_id.reset();
    EXPECT_EQ(done(bookings().add_consent(second)), first);
    EXPECT_EQ(done(bookings().find_consent("34", "1")), first);

    const Consent bare{"34", "2", std::string(64, 'b'), at(), {}, {}, {}};
    EXPECT_EQ(done(bookings().add_consent(bare)), std::nullopt);
    EXPECT_EQ(done(bookings().find_consent("34", "2")), bare);
    EXPECT_EQ(done(bookings().find_consent("35", "1")), std::nullopt);
}

TEST_P(Booking, HappeningsComeInTheOrderOfCommits) {
    created(plain_session(1));
    created(plain_session(2));
    auto removed = entry(13, id(1), "USER_REMOVED");
    removed.subject_id = "34 \"x\"";
    happen(id(1), {entry(11, id(1), "USER_JOINED"), entry(12, id(1), "NOTES_UPDATED")});
    happen(id(2), {entry(21, id(2), "USER_JOINED")});
    happen(id(1), {removed});
    const auto all = done(bookings().happenings(id(1), 0, 10));
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].event_id, id(11));
    EXPECT_EQ(all[0].event_type, "USER_JOINED");
    EXPECT_EQ(all[0].user_id, "12");
    EXPECT_EQ(all[0].subject_id, std::nullopt);
    EXPECT_EQ(all[0].at, at(11s));
    EXPECT_EQ(all[1].event_id, id(13));
    EXPECT_EQ(all[1].subject_id, "34 \"x\"");
    EXPECT_LT(all[0].sequence, all[1].sequence);

    EXPECT_EQ(done(bookings().happenings(id(1), all[0].sequence, 10)).size(), 1u);
    EXPECT_EQ(done(bookings().happenings(id(1), 0, 1)).size(), 1u);
    EXPECT_TRUE(done(bookings().happenings(id(1), all[1].sequence, 10)).empty());
    EXPECT_EQ(done(bookings().find_happening(id(1), std::nullopt)), all[1]);
    EXPECT_EQ(done(bookings().find_happening(id(1), id(11))), all[0]);
    EXPECT_EQ(done(bookings().find_happening(id(1), id(21))), std::nullopt) << "of another session";
    EXPECT_EQ(done(bookings().find_happening(id(1), id(12))), std::nullopt) << "told to nobody";
    EXPECT_EQ(done(bookings().find_happening(id(3), std::nullopt)), std::nullopt);
}

TEST_P(Booking, VersionsOfManySessions) {
    created(plain_session(1));
    created(plain_session(2));
    happen(id(2), {});
    const auto one = find(id(1))->version;
    using Version = std::pair<std::string, std::int64_t>;
    EXPECT_THAT(done(bookings().versions({id(1), id(2), id(3), "\"{}"})),
                testing::UnorderedElementsAre(Version{id(1), one}, Version{id(2), one + 1}));
    EXPECT_TRUE(done(bookings().versions({})).empty());
}

TEST_P(Booking, TheGenerationOfAGivenUpMeetingIsKept) {
    auto session = created(full_session(1));
    const int generation = session.meeting->generation;
    session.meeting.reset();
    session.last_generation = generation;
    ASSERT_EQ(commit(update(session)), Committed::applied);
    EXPECT_EQ(find(id(1))->meeting, std::nullopt);
    EXPECT_EQ(find(id(1))->last_generation, generation);
}

TEST_P(Booking, NobodyIsBookedTwiceAtATime) {
    EXPECT_EQ(commit(alone(creation(visit(1, 0min, "12", "34")))), Committed::applied);
    EXPECT_EQ(commit(alone(creation(visit(2, 29min, "12", "35")))), Committed::overlap);
    EXPECT_EQ(commit(alone(creation(visit(2, -29min, "13", "34")))), Committed::overlap);
    EXPECT_EQ(commit(alone(creation(visit(2, 0min, "34", "12")))), Committed::applied) << "in other parts";
    EXPECT_EQ(commit(alone(creation(visit(3, 30min, "12", "35")))), Committed::applied);
    EXPECT_EQ(commit(alone(creation(visit(4, -30min, "13", "34")))), Committed::applied);
    EXPECT_EQ(find(id(5)), std::nullopt);
    EXPECT_EQ(commit(creation(visit(5, 0min, "12", "34"))), Committed::applied) << "where nobody asks";
}

TEST_P(Booking, ClosedVisitsAreInNobodysWay) {
    int number = 0;
    for (const auto status : {Status::completed, Status::cancelled, Status::no_show}) {
        auto closed = visit(++number, 0min, "12", "34");
        closed.status = status;
        created(closed);
    }
    EXPECT_EQ(commit(alone(creation(visit(10, 0min, "12", "34")))), Committed::applied);
    for (const auto status : {Status::waiting, Status::active}) {
        auto session = *find(id(10));
        session.status = status;
        ASSERT_EQ(commit(update(session)), Committed::applied);
        EXPECT_EQ(commit(alone(creation(visit(11, 0min, "12", "35")))), Committed::overlap);
    }
}

TEST_P(Booking, AVisitIsNotInItsOwnWay) {
    auto first = created(visit(1, 0min, "12", "34"));
    created(visit(2, 60min, "12", "35"));
    first.scheduled_start_time = at(15min);
    first.scheduled_end_time = at(45min);
    EXPECT_EQ(commit(alone(update(first))), Committed::applied);
    first = *find(id(1));
    const auto stale = first.version - 1;
    first.scheduled_start_time = at(45min);
    first.scheduled_end_time = at(75min);
    EXPECT_EQ(commit(alone(update(first))), Committed::overlap);
    EXPECT_EQ(find(id(1))->scheduled_start_time, at(15min));
    first.scheduled_start_time = at(30min);
    first.scheduled_end_time = at(60min);
    auto late = alone(update(first));
    late.expected_version = stale;
    EXPECT_EQ(commit(std::move(late)), Committed::stale);
    EXPECT_EQ(commit(alone(update(first))), Committed::applied);
}

TEST_P(Booking, AKnownAppointmentOrKeyComesFirst) {
    auto session = visit(1, 0min, "12", "34");
    session.appointment_id = "appointment";
    const service::IdempotencyRecord record{"34", "key", "hash", id(1)};
    EXPECT_EQ(commit(alone(creation(session)), record), Committed::applied);
    session.session_id = id(2);
    EXPECT_EQ(commit(alone(creation(session))), Committed::duplicate_appointment);
    session.appointment_id.reset();
    EXPECT_EQ(commit(alone(creation(session)), record), Committed::duplicate_key);
    EXPECT_EQ(commit(alone(creation(session))), Committed::overlap);
}

TEST_P(Booking, OfManyAtOnceInTwoProcessesOneGetsThePlace) {
    const auto other = backend->open();
    for (int round = 0; round < 10; ++round) {
        std::deque<std::shared_ptr<std::optional<core::Result<Committed>>>> answers;
        for (int i = 0; i < 16; ++i) {
            const auto number = round * 100 + i;
            const auto doctor = i % 4 < 2 ? "doctor" : "doctor-" + std::to_string(number);
            const auto patient = i % 4 < 2 ? "patient-" + std::to_string(number) : "patient";
            auto session = visit(number, std::chrono::minutes{round * 60 + i}, doctor, patient);
            answers.push_back(loop.begin((i % 2 ? *other : *store).commit(alone(creation(session)))));
        }
        int applied = 0;
        for (const auto& answer : answers) {
            const auto committed = awaited(answer);
            EXPECT_TRUE(committed == Committed::applied || committed == Committed::overlap);
            applied += committed == Committed::applied ? 1 : 0;
        }
        EXPECT_EQ(applied, 2) << "one for the doctor, one for the patient";
    }
}

STORE_TEST_SUITE(Booking);

}  // namespace
}  // namespace store::contract
