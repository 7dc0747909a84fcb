#include <algorithm>

#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using consultation::BookingType;
using consultation::Role;
using service::SessionQuery;

/// A query with some conditions set.
template <class Set>
SessionQuery where(Set set) {
    SessionQuery query;
    set(query);
    return query;
}

class List : public StoreTest {
  protected:
    void SetUp() override {
        StoreTest::SetUp();
        // Thirty sessions; each start time belongs to three of them.
        for (int number = 0; number < 30; ++number) {
            auto session = plain_session(number);
            session.doctor_id = "doctor-" + std::to_string(number % 2);
            session.patient_id = "patient-" + std::to_string(number % 5);
            session.status = static_cast<Status>(number % 6);
            session.booking_type = number % 3 == 0 ? BookingType::clinic_based : BookingType::direct_doctor;
            session.scheduled_start_time = at(std::chrono::hours(number / 3));
            session.attendees = {attendee(1000 + number, Role::patient, session.patient_id)};
            all.push_back(created(session));
        }
    }

    service::SessionPage list(const SessionQuery& query) { return *loop.run(store->list(query)); }

    /// What the page should be, worked out by hand.
    template <class Keep>
    void expect(SessionQuery query, Keep keep) {
        std::vector<Session> wanted;
        std::ranges::copy_if(all, std::back_inserter(wanted), keep);
        std::ranges::sort(wanted, [&](const Session& a, const Session& b) {
            const auto left = std::tie(a.scheduled_start_time, a.session_id);
            const auto right = std::tie(b.scheduled_start_time, b.session_id);
            return query.oldest_first ? left < right : right < left;
        });
        for (query.offset = 0; query.offset < 40; query.offset += query.limit) {
            const auto page = list(query);
            EXPECT_EQ(page.total, static_cast<std::int64_t>(wanted.size()));
            const auto first = std::min<std::size_t>(static_cast<std::size_t>(query.offset), wanted.size());
            const auto last = std::min(first + static_cast<std::size_t>(query.limit), wanted.size());
            EXPECT_EQ(page.sessions, std::vector<Session>(wanted.begin() + static_cast<std::ptrdiff_t>(first),
                                                          wanted.begin() + static_cast<std::ptrdiff_t>(last)));
        }
    }

    std::vector<Session> all;
};
STORE_TEST_SUITE(List);
SEALED_STORE_TEST_SUITE(List);

TEST_P(List, PagesThroughAllLatestFirst) {
    expect(where([&](auto& q) { q.limit = 7; }), [](const Session&) { return true; });
}

TEST_P(List, PagesThroughAllOldestFirst) {
    expect(where([&](auto& q) {
               q.oldest_first = true;
               q.limit = 4;
           }),
           [](const Session&) { return true; });
}

TEST_P(List, ByDoctorAndByPatient) {
    expect(where([&](auto& q) { q.doctor_id = "doctor-1"; }),
           [](const Session& s) { return s.doctor_id == "doctor-1"; });
    expect(where([&](auto& q) {
               q.patient_id = "patient-3";
               q.limit = 2;
           }),
           [](const Session& s) { return s.patient_id == "patient-3"; });
    expect(where([&](auto& q) {
               q.doctor_id = "doctor-0";
               q.patient_id = "patient-3";
           }),
           [](const Session& s) { return s.doctor_id == "doctor-0" && s.patient_id == "patient-3"; });
    expect(where([&](auto& q) { q.doctor_id = "nobody"; }), [](const Session&) { return false; });
}

TEST_P(List, ByStatusAndBookingType) {
    for (int status = 0; status < 6; ++status) {
        expect(where([&](auto& q) { q.status = static_cast<Status>(status); }),
               [&](const Session& s) { return s.status == static_cast<Status>(status); });
    }
    expect(where([&](auto& q) { q.booking_type = BookingType::clinic_based; }),
           [](const Session& s) { return s.booking_type == BookingType::clinic_based; });
}

TEST_P(List, ByStartTimeFromInclusiveToExclusive) {
    expect(where([&](auto& q) {
               q.start_from = at(3h);
               q.start_before = at(5h);
               q.limit = 2;
           }),
           [](const Session& s) { return s.scheduled_start_time >= at(3h) && s.scheduled_start_time < at(5h); });
}

TEST_P(List, AllConditionsTogether) {
    const auto query = where([](auto& q) {
        q.doctor_id = "doctor-0";
        q.patient_id = "patient-0";
        q.status = Status::scheduled;
        q.booking_type = BookingType::clinic_based;
        q.start_from = at();
        q.start_before = at(1h);
        q.oldest_first = true;
    });
    expect(query, [](const Session& s) { return s.session_id == id(0); });
}

TEST_P(List, AlikeQueriesTakeTurns) {
    for (int round = 0; round < 12; ++round) {
        expect(where([&](auto& q) {
                   q.status = static_cast<Status>(round % 6);
                   q.oldest_first = round % 2 == 0;
                   q.limit = 3;
               }),
               [&](const Session& s) { return s.status == static_cast<Status>(round % 6); });
    }
}

class Read : public StoreTest {
  protected:
    Change usage_of(int number, const std::string& user, int minutes, Time date) {
        auto change = creation(plain_session(number));
        change.after.created_at = date;
        change.usage = {{id(number), user, minutes, date, true}};
        return change;
    }
};
STORE_TEST_SUITE(Read);
SEALED_STORE_TEST_SUITE(Read);

TEST_P(Read, UsageOfAMonth) {
    const Time january = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
    const Time february = std::chrono::sys_days{std::chrono::year{2026} / 2 / 1};
    commit(usage_of(1, "34", 30, january));
    commit(usage_of(2, "34", 7, february - 1us));
    commit(usage_of(3, "34", 1000, february));
    commit(usage_of(4, "34", 2000, january - 1us));
    auto waiting = plain_session(5);
    waiting.status = Status::waiting;
    created(waiting);
    auto active = plain_session(6);
    active.status = Status::active;
    active.created_at = january - 24h;
    created(active);

    const auto usage = *loop.run(store->usage(january, february));
    EXPECT_EQ(usage.embedded.attendee_minutes, 37);
    EXPECT_EQ(usage.sessions, 3);
    EXPECT_EQ(usage.active_sessions, 2);
    const auto none = *loop.run(store->usage(february + 24h, february + 48h));
    EXPECT_EQ(none.embedded.attendee_minutes, 0);
    EXPECT_EQ(none.sessions, 0);
    EXPECT_EQ(none.active_sessions, 2);
}

TEST_P(Read, UsageOfAPersonIsReplacedNotAdded) {
    auto change = usage_of(1, "34", 10, at());
    commit(change);
    auto later = update(change.after);
    later.usage = {{id(1), "34", 12, at(), false}, {id(1), "34", 25, at(), true}, {id(1), "12", 5, at(), true}};
    EXPECT_EQ(commit(later), Committed::applied);
    EXPECT_EQ(loop.run(store->usage(at(-1h), at(1h)))->embedded.attendee_minutes, 30);
}

class Presence : public StoreTest {
  protected:
    /// A session with one person inside, seen at 14:00 and expected to leave a minute later.
    Session inside(int number, Status status = Status::active) {
        auto session = plain_session(number);
        session.status = status;
        auto person = attendee(number + 1000, Role::patient, "34");
        person.joined_at = at();
        person.open_interval_id = id(number + 2000);
        person.opened_at = at();
        person.last_seen_at = at();
        person.present_until = at(1min);
        session.attendees = {person};
        return created(session);
    }
    Attendee person(int number) { return find(id(number))->attendees.at(0); }
    std::vector<std::string> due(Time now, int limit = 10) {
        return *loop.run(store->due({.now = now, .abandoned_after = 15min, .no_show_grace = 20min}, limit));
    }
};
STORE_TEST_SUITE(Presence);
SEALED_STORE_TEST_SUITE(Presence);

TEST_P(Presence, AHeartbeatMovesForwardOnly) {
    inside(1);
    EXPECT_TRUE(loop.run(store->heartbeat({{"chime-1001", at(10s), at(70s)}})));
    EXPECT_EQ(person(1).last_seen_at, at(10s));
    EXPECT_EQ(person(1).present_until, at(70s));
    EXPECT_TRUE(loop.run(store->heartbeat({{"chime-1001", at(5s), at(65s)}})));
    EXPECT_EQ(person(1).last_seen_at, at(10s));
    EXPECT_EQ(person(1).present_until, at(70s));
    EXPECT_EQ(find(id(1))->version, 1);
}

TEST_P(Presence, HeartbeatsOfManyAndOfStrangers) {
    inside(1);
    inside(2);
    EXPECT_TRUE(loop.run(store->heartbeat({})));
    EXPECT_TRUE(loop.run(store->heartbeat({{"chime-1001", at(10s), at(70s)},
                                           {"stranger \"{,}\\", at(10s), at(70s)},
                                           {"chime-1002", at(10s), at(71s)},
                                           {"chime-1002", at(11s), at(70s)}})));
    EXPECT_EQ(person(1).present_until, at(70s));
    EXPECT_EQ(person(2).present_until, at(71s));
    EXPECT_EQ(person(2).last_seen_at, at(11s));
}

TEST_P(Presence, AHeartbeatDoesNotBringBackWhoHasLeft) {
    auto session = plain_session(1);
    session.attendees = {attendee(1001, Role::patient, "34")};
    session.attendees[0].left_at = at();
    created(session);
    EXPECT_TRUE(loop.run(store->heartbeat({{"chime-1001", at(10s), at(70s)}})));
    EXPECT_EQ(find(id(1)), session);
}

TEST_P(Presence, WhoLeavesOnlyByLeavingGetsNoTimeLimit) {
    auto session = plain_session(1);
    session.attendees = {attendee(1001, Role::patient, "34")};
    session.attendees[0].open_interval_id = id(5);
    session.attendees[0].opened_at = at();
    created(session);
    EXPECT_TRUE(loop.run(store->heartbeat({{"chime-1001", at(10s), at(70s)}})));
    EXPECT_EQ(person(1).last_seen_at, at(10s));
    EXPECT_EQ(person(1).present_until, std::nullopt);
}

TEST_P(Presence, AChangeDecidedBeforeAHeartbeatKeepsIt) {
    const auto before = inside(1);
    EXPECT_TRUE(loop.run(store->heartbeat({{"chime-1001", at(10s), at(70s)}})));
    EXPECT_EQ(commit(update(before)), Committed::applied);
    EXPECT_EQ(person(1).last_seen_at, at(10s));
    EXPECT_EQ(person(1).present_until, at(70s));
    // A newer sighting may shorten the time that is left.
    auto newer = update(*find(id(1)));
    newer.after.attendees[0].last_seen_at = at(11s);
    newer.after.attendees[0].present_until = at(20s);
    EXPECT_EQ(commit(newer), Committed::applied);
    EXPECT_EQ(find(id(1)), newer.after);
    // Leaving ends it in any case.
    auto left = update(newer.after);
    left.after.attendees[0] = attendee(1001, Role::patient, "34");
    EXPECT_EQ(commit(left), Committed::applied);
    EXPECT_EQ(find(id(1)), left.after);
}

TEST_P(Presence, DueWhenNewsStayOut) {
    inside(1, Status::active);
    inside(2, Status::completed);
    EXPECT_TRUE(due(at(1min) - 1us).empty());
    EXPECT_EQ(due(at(1min)), (std::vector{id(1), id(2)}));
}

TEST_P(Presence, DueWhenNobodyCame) {
    auto session = plain_session(1);  // ends at 14:30
    created(session);
    session = plain_session(2);
    session.status = Status::waiting;
    session.scheduled_end_time = at(29min);
    created(session);
    for (const auto status : {Status::active, Status::completed, Status::cancelled, Status::no_show}) {
        session = plain_session(10 + static_cast<int>(status));
        session.status = status;
        created(session);
    }
    EXPECT_TRUE(due(at(49min)).empty());
    EXPECT_EQ(due(at(50min)), (std::vector{id(2)}));
    EXPECT_EQ(due(at(50min + 1us)), (std::vector{id(2), id(1)}));
    EXPECT_EQ(due(at(24h), 1), (std::vector{id(2)}));
}

TEST_P(Presence, NotDueWhileSomebodyWaits) {
    auto session = plain_session(1);
    session.status = Status::waiting;
    session.attendees = {attendee(1001, Role::patient, "34")};
    session.attendees[0].open_interval_id = id(5);
    session.attendees[0].opened_at = at();
    created(session);
    EXPECT_TRUE(due(at(24h)).empty());
}

TEST_P(Presence, DueWhenEverybodyHasGone) {
    auto session = plain_session(1);
    session.status = Status::active;
    session.attendees = {attendee(1001, Role::doctor, "12"), attendee(1002, Role::patient, "34")};
    session.attendees[0].left_at = at(5min);
    session.attendees[1].left_at = at(10min);
    created(session);
    auto half = plain_session(2);
    half.status = Status::active;
    half.attendees = {attendee(1003, Role::doctor, "12"), attendee(1004, Role::patient, "34")};
    half.attendees[0].left_at = at(5min);
    half.attendees[1].open_interval_id = id(5);
    half.attendees[1].opened_at = at();
    created(half);
    EXPECT_TRUE(due(at(25min)).empty());
    EXPECT_EQ(due(at(25min + 1us)), (std::vector{id(1)}));
}

TEST_P(Presence, MostOverdueFirstAndEachOnce) {
    inside(3);                    // since 14:01
    created(plain_session(1));    // since 14:50
    auto two = plain_session(2);  // two people out of reach, since 13:00
    two.status = Status::active;
    two.attendees = {attendee(1011, Role::doctor, "12"), attendee(1012, Role::patient, "34")};
    for (auto& lost : two.attendees) {
        lost.open_interval_id = "interval-" + lost.user_id;
        lost.present_until = at(-1h);
    }
    created(two);
    EXPECT_EQ(due(at(24h)), (std::vector{id(2), id(3), id(1)}));
    EXPECT_EQ(due(at(24h), 2), (std::vector{id(2), id(3)}));
}

}  // namespace
}  // namespace store::contract
