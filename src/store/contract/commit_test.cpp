#include <boost/asio/co_spawn.hpp>
#include <deque>
#include <future>

#include "net/executors.hpp"
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using consultation::AuditEntry;
using consultation::Role;

class Commit : public StoreTest {};
STORE_TEST_SUITE(Commit);
SEALED_STORE_TEST_SUITE(Commit);

AuditEntry audit(int number, const Session& session, Time time) {
    return {id(number), session.session_id, "USER_JOINED", "DOCTOR joined the session", "12", time};
}

TEST_P(Commit, KeepsEveryField) {
    const auto session = created(full_session(1));
    EXPECT_EQ(find(session.session_id), session);
}

TEST_P(Commit, KeepsWhatIsNull) {
    const auto session = created(plain_session(1));
    EXPECT_EQ(find(session.session_id), session);
}

TEST_P(Commit, KeepsEmptyTextApartFromNull) {
    auto session = plain_session(1);
    session.doctor_id = "";
    session.chief_complaint = "";
    created(session);
    EXPECT_EQ(find(session.session_id), session);
}

TEST_P(Commit, KeepsTimesFarAway) {
    auto session = plain_session(1);
    session.scheduled_start_time = std::chrono::sys_days{std::chrono::year{1} / 1 / 1};
    session.scheduled_end_time = std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} + 24h - 1us;
    session.actual_start_time = std::chrono::sys_days{std::chrono::year{1969} / 12 / 31} + 24h - 1us;
    created(session);
    EXPECT_EQ(find(session.session_id), session);
}

TEST_P(Commit, UnknownIdIsAnEmptyAnswer) {
    EXPECT_EQ(find("no such id, and much longer than any id could ever be, with spaces"), std::nullopt);
    EXPECT_EQ(*loop.run(store->find_by_meeting("none")), std::nullopt);
    EXPECT_EQ(*loop.run(store->find_by_appointment("none")), std::nullopt);
}

TEST_P(Commit, UpdateReplacesEveryField) {
    auto session = created(plain_session(1));
    auto changed = full_session(1);
    changed.version = session.version;
    changed.created_at = session.created_at;
    const auto change = update(changed);
    EXPECT_EQ(commit(change), Committed::applied);
    EXPECT_EQ(find(session.session_id), change.after);

    auto emptied = plain_session(1);
    emptied.version = 2;
    auto back = update(emptied);
    back.after.attendees = changed.attendees;
    EXPECT_EQ(commit(back), Committed::applied);
    EXPECT_EQ(find(session.session_id), back.after);
}

TEST_P(Commit, SecondWriterOfAVersionIsStale) {
    auto session = created(plain_session(1));
    auto first = update(session);
    first.after.session_notes = "first";
    auto second = update(session);
    second.after.session_notes = "second";
    second.audit = {audit(77, session, at())};
    second.events = {{id(78), session.session_id, "video.user.joined", "video.user.joined", at(), {}}};
    EXPECT_EQ(commit(first), Committed::applied);
    EXPECT_EQ(commit(second), Committed::stale);
    EXPECT_EQ(find(session.session_id)->session_notes, "first");
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_events"), "0");
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_outbox"), "0");
}

TEST_P(Commit, UpdateOfNothingIsStale) {
    EXPECT_EQ(commit(update(plain_session(1))), Committed::stale);
}

TEST_P(Commit, CreatingAnExistingIdIsStale) {
    created(plain_session(1));
    EXPECT_EQ(commit(creation(plain_session(1))), Committed::stale);
}

TEST_P(Commit, OneOfFiftyWritersOfAVersionWins) {
    net::Executors loops(2);
    loops.start();
    auto session = created(plain_session(1));
    for (int round = 0; round < 3; ++round) {
        std::deque<std::future<core::Result<Committed>>> answers;
        for (int writer = 0; writer < 50; ++writer) {
            auto change = update(session);
            change.after.session_notes = std::to_string(writer);
            change.audit = {audit(round * 100 + writer, session, at())};
            answers.push_back(boost::asio::co_spawn(loops.executor(static_cast<std::size_t>(writer) % 2),
                                                    store->commit(std::move(change)), boost::asio::use_future));
        }
        int applied = 0;
        for (std::size_t writer = 0; writer < answers.size(); ++writer) {
            const auto answer = answers[writer].get();
            ASSERT_TRUE(answer.has_value()) << answer.error().detail;
            if (*answer != Committed::applied) {
                EXPECT_EQ(*answer, Committed::stale);
                continue;
            }
            ++applied;
            EXPECT_EQ(find(session.session_id)->session_notes, std::to_string(writer));
        }
        EXPECT_EQ(applied, 1);
        session = *find(session.session_id);
        EXPECT_EQ(session.version, round + 2);
        EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_events"), std::to_string(round + 1));
    }
    store.reset();
}

TEST_P(Commit, ManySessionsAtOnce) {
    net::Executors loops(2);
    loops.start();
    std::deque<std::future<core::Result<Committed>>> answers;
    for (int number = 0; number < 200; ++number) {
        answers.push_back(boost::asio::co_spawn(loops.executor(static_cast<std::size_t>(number) % 2),
                                                store->commit(creation(full_session(number))),
                                                boost::asio::use_future));
    }
    for (auto& answer : answers) EXPECT_EQ(answer.get().value(), Committed::applied);
    for (int number = 0; number < 200; ++number) EXPECT_EQ(find(id(number)), full_session(number));
    store.reset();
}

TEST_P(Commit, AnAppointmentHasOneSession) {
    auto first = plain_session(1);
    first.appointment_id = "appointment";
    auto second = plain_session(2);
    second.appointment_id = "appointment";
    created(first);
    EXPECT_EQ(commit(creation(second)), Committed::duplicate_appointment);
    EXPECT_EQ(find(second.session_id), std::nullopt);
    EXPECT_EQ(loop.run(store->find_by_appointment("appointment"))->value().session_id, first.session_id);
}

TEST_P(Commit, ACancelledSessionFreesItsAppointment) {
    auto first = plain_session(1);
    first.appointment_id = "appointment";
    auto second = plain_session(2);
    second.appointment_id = "appointment";
    auto cancelled = update(created(first));
    cancelled.after.status = Status::cancelled;
    EXPECT_EQ(commit(cancelled), Committed::applied);
    EXPECT_EQ(*loop.run(store->find_by_appointment("appointment")), std::nullopt);
    EXPECT_EQ(commit(creation(second)), Committed::applied);
    EXPECT_EQ(loop.run(store->find_by_appointment("appointment"))->value().session_id, second.session_id);
    EXPECT_EQ(find(first.session_id)->appointment_id, "appointment");
}

TEST_P(Commit, ACompletedSessionKeepsItsAppointment) {
    auto first = plain_session(1);
    first.appointment_id = "appointment";
    auto completed = update(created(first));
    completed.after.status = Status::completed;
    EXPECT_EQ(commit(completed), Committed::applied);
    auto second = plain_session(2);
    second.appointment_id = "appointment";
    EXPECT_EQ(commit(creation(second)), Committed::duplicate_appointment);
}

TEST_P(Commit, OfTwentyBookingsOfAnAppointmentOneIsMade) {
    std::deque<std::shared_ptr<std::optional<core::Result<Committed>>>> answers;
    for (int number = 0; number < 20; ++number) {
        auto session = plain_session(number);
        session.appointment_id = "appointment";
        answers.push_back(loop.begin(store->commit(creation(session))));
    }
    int applied = 0;
    for (const auto& answer : answers) {
        loop.turn_until([&] { return answer->has_value(); });
        ASSERT_TRUE((*answer)->has_value()) << (*answer)->error().detail;
        if (***answer == Committed::applied) {
            ++applied;
        } else {
            EXPECT_EQ(***answer, Committed::duplicate_appointment);
        }
    }
    EXPECT_EQ(applied, 1);
}

TEST_P(Commit, AnIdempotencyKeyIsTakenOnce) {
    const service::IdempotencyRecord record{"34", "a key, \"quoted\"", std::string(64, 'a'), id(1)};
    EXPECT_EQ(*loop.run(store->find_idempotency("34", record.key)), std::nullopt);
    EXPECT_EQ(commit(creation(plain_session(1)), record), Committed::applied);
    EXPECT_EQ(commit(creation(plain_session(2)), record), Committed::duplicate_key);
    EXPECT_EQ(find(id(2)), std::nullopt);

    auto other = record;
    other.user_id = "35";
    other.session_id = id(3);
    EXPECT_EQ(commit(creation(plain_session(3)), other), Committed::applied);

    const auto kept = loop.run(store->find_idempotency("34", record.key))->value();
    EXPECT_EQ(kept.body_hash, record.body_hash);
    EXPECT_EQ(kept.session_id, id(1));
    EXPECT_EQ(loop.run(store->find_idempotency("35", record.key))->value().session_id, id(3));
}

TEST_P(Commit, OfTwentyRequestsWithAKeyOneIsDone) {
    std::deque<std::shared_ptr<std::optional<core::Result<Committed>>>> answers;
    for (int number = 0; number < 20; ++number) {
        answers.push_back(loop.begin(store->commit(creation(plain_session(number)),
                                                   service::IdempotencyRecord{"34", "key", "hash", id(number)})));
    }
    int applied = 0;
    for (const auto& answer : answers) {
        loop.turn_until([&] { return answer->has_value(); });
        ASSERT_TRUE((*answer)->has_value()) << (*answer)->error().detail;
        if (***answer == Committed::applied) {
            ++applied;
        } else {
            EXPECT_EQ(***answer, Committed::duplicate_key);
        }
    }
    EXPECT_EQ(applied, 1);
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_sessions"), "1");
}

TEST_P(Commit, AuditTrailIsInTheOrderOfWriting) {
    const auto session = created(plain_session(1));
    auto first = update(session);
    first.audit = {audit(9, session, at(2s)), audit(3, session, at(2s)), audit(8, session, at(1s))};
    EXPECT_EQ(commit(first), Committed::applied);
    auto second = update(first.after);
    second.audit = {audit(1, session, at(2s))};
    second.audit[0].event_description.reset();
    second.audit[0].user_id.reset();
    EXPECT_EQ(commit(second), Committed::applied);

    const auto trail = *loop.run(store->audit_trail(session.session_id));
    ASSERT_EQ(trail.size(), 4U);
    EXPECT_EQ(trail[0].event_id, id(8));
    EXPECT_EQ(trail[1].event_id, id(9));
    EXPECT_EQ(trail[2].event_id, id(3));
    EXPECT_EQ(trail[3].event_id, id(1));
    EXPECT_EQ(trail[1].session_id, session.session_id);
    EXPECT_EQ(trail[1].event_type, "USER_JOINED");
    EXPECT_EQ(trail[1].event_description, "DOCTOR joined the session");
    EXPECT_EQ(trail[1].user_id, "12");
    EXPECT_EQ(trail[1].event_timestamp, at(2s));
    EXPECT_EQ(trail[3].event_description, std::nullopt);
    EXPECT_EQ(trail[3].user_id, std::nullopt);
    EXPECT_TRUE(loop.run(store->audit_trail("unknown"))->empty());
}

TEST_P(Commit, D12EventsGoToTheOutboxWithTheChangeAndInOrder) {
    auto change = creation(plain_session(1));
    for (int number = 0; number < 3; ++number) {
        change.events.push_back({id(30 - number),
                                 id(1),
                                 "video.session.created",
                                 "video.session.made",
                                 at(1us),
                                 {{"zeta", std::string("ü\"")}, {"alpha", nullptr}, {"minutes", std::int64_t{32}}}});
    }
    EXPECT_EQ(commit(change), Committed::applied);
    const std::string row = " FROM video_consultation_outbox WHERE event_id = '" + id(29) + "'";
    EXPECT_EQ(done(store->unpublished(3)).at(1).payload, R"({"zeta":"ü\"","alpha":null,"minutes":32})");
    EXPECT_EQ(backend->value("SELECT routing_key" + row), "video.session.created");
    EXPECT_EQ(backend->value("SELECT event_type" + row), "video.session.made");
    EXPECT_EQ(backend->value("SELECT session_id" + row), id(1));
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_outbox a JOIN video_consultation_outbox b"
                             " ON a.sequence < b.sequence AND a.event_id > b.event_id"),
              "3");
}

TEST_P(Commit, IntervalsOpenAndClose) {
    auto opening = update(created(plain_session(1)));
    opening.intervals = {{id(50), id(1), "34", Role::patient, at(), std::nullopt, {}, ""}};
    EXPECT_EQ(commit(opening), Committed::applied);
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_attendance WHERE left_at IS NULL"), "1");
    auto closing = update(opening.after);
    closing.intervals = {{id(50), id(1), "34", Role::patient, at(), at(5min), {}, ""},
                         {id(51), id(1), "12", Role::doctor, at(), std::nullopt, {}, ""},
                         {id(51), id(1), "12", Role::doctor, at(), at(1min), {}, ""}};
    EXPECT_EQ(commit(closing), Committed::applied);
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_attendance WHERE left_at > joined_at"), "2");
}

TEST_P(Commit, ManyRowsAtOnce) {
    auto change = update(created(plain_session(1)));
    for (int number = 0; number < 60; ++number) {
        change.audit.push_back(audit(number, change.after, at()));
        change.after.attendees.push_back(attendee(number, Role::patient, "user-" + std::to_string(number)));
    }
    EXPECT_EQ(commit(change), Committed::applied);
    EXPECT_EQ(find(id(1)), change.after);
    EXPECT_EQ(loop.run(store->audit_trail(id(1)))->back().event_id, id(59));
}

TEST_P(Commit, SurvivesClosingAndOpening) {
    const auto session = created(full_session(1));
    store.reset();
    store = backend->open();
    EXPECT_EQ(find(session.session_id), session);
}

TEST_P(Commit, FindsByMeetingAndAppointment) {
    const auto session = created(full_session(1));
    created(full_session(2));
    EXPECT_EQ(loop.run(store->find_by_meeting("meeting-1"))->value(), session);
    EXPECT_EQ(loop.run(store->find_by_appointment(*session.appointment_id))->value(), session);
}

TEST_P(Commit, RefusesWhatTheTablesForbidAndGoesOn) {
    auto bad = plain_session(1);
    bad.connection_quality_rating = 6;
    const auto answer = loop.run(store->commit(creation(bad)));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, core::ErrorKind::internal);
    EXPECT_EQ(commit(creation(plain_session(2))), Committed::applied);
}

TEST_P(Commit, OneBadChangeTakesNobodyAlong) {
    std::deque<std::shared_ptr<std::optional<core::Result<Committed>>>> answers;
    for (int number = 0; number < 40; ++number) {
        auto session = plain_session(number);
        if (number % 10 == 3) session.connection_quality_rating = 6;
        answers.push_back(loop.begin(store->commit(creation(session))));
    }
    for (std::size_t number = 0; number < answers.size(); ++number) {
        loop.turn_until([&] { return answers[number]->has_value(); });
        EXPECT_EQ((*answers[number])->has_value(), number % 10 != 3);
    }
    EXPECT_EQ(backend->value("SELECT count(*) FROM video_consultation_sessions"), "36");
}

TEST_P(Commit, ACancelledCallerLeavesTheStoreInOrder) {
    created(plain_session(1));
    // The emission itself is posted, so the signals have to stay.
    std::vector<boost::asio::cancellation_signal> signals(20);
    for (std::size_t round = 0; round < signals.size(); ++round) {
        auto& signal = signals[round];
        bool ended = false;
        boost::asio::co_spawn(
            loop.context, store->find(id(1)),
            boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr, const auto&) { ended = true; }));
        const auto other = loop.begin(store->find(id(1)));
        for (std::size_t turn = 0; turn < round; ++turn) loop.context.poll_one();
        signal.emit(boost::asio::cancellation_type::terminal);
        loop.turn_until([&] { return ended && other->has_value(); });
        EXPECT_EQ((*other)->value(), plain_session(1));
    }
    EXPECT_EQ(find(id(1)), plain_session(1));
}

}  // namespace
}  // namespace store::contract
