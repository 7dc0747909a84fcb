#include "consultation/waiting_room.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "consultation/invitation.hpp"
#include "consultation/life_cycle.hpp"

namespace consultation {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Time kNow = core::parse_utc("2026-01-25T14:00:00").value();
const Caller kDoctor{"12", "DOCTOR"};

Session booked(bool waiting_room = true) {
    Booking b;
    b.doctor_id = "12";
    b.patient_id = "34";
    b.scheduled_start_time = kNow;
    b.waiting_room = waiting_room;
    return book(b, kDoctor, kNow - 24h, "http://host").after;
}

Session waiting() {
    return wait(booked(), {Role::patient, "34"}, kNow).value().after;
}

Session with(Lobby lobby) {
    auto session = waiting();
    session.attendees.at(0).lobby = lobby;
    return session;
}

Session in_call(const Session& session, Role role, std::string user, Provider provider = Provider::embedded) {
    const Meeting meeting{provider, "m-1", "e-1", "local", "", "", "ws://host/control/m-1", "", 1};
    const Entry entry{.role = role,
                      .chime_attendee_id = "a-" + user,
                      .external_user_id = user,
                      .device_type = {},
                      .browser_info = {},
                      .present_until = {},
                      .user_id = user};
    return join(session, {meeting, {}}, entry, kNow).value().after;
}

std::vector<std::string> audited(const Change& change) {
    std::vector<std::string> all;
    all.reserve(change.audit.size());
    for (const auto& entry : change.audit) all.push_back(entry.event_type);
    return all;
}

TEST(WaitingRoom, WhoWaitsIsNotInTheSession) {
    const auto change = wait(booked(), {Role::patient, "34", "web"}, kNow).value();
    const auto& s = change.after;
    EXPECT_EQ(s.status, Status::scheduled);
    EXPECT_EQ(s.actual_start_time, std::nullopt);
    EXPECT_EQ(s.patient_joined_at, std::nullopt);
    EXPECT_EQ(attendee_minutes(s), 0);
    EXPECT_THAT(change.intervals, IsEmpty());
    EXPECT_THAT(change.usage, IsEmpty());
    EXPECT_THAT(change.events, IsEmpty());
    EXPECT_THAT(audited(change), ElementsAre("USER_WAITING"));
    EXPECT_EQ(change.audit[0].user_id, "34");
    EXPECT_EQ(place_in_queue(s, "34", kNow), 1);
    EXPECT_FALSE(may_be_in(s, s.attendees.at(0)));
}

TEST(WaitingRoom, EachStateHasItsDoor) {
    struct Row {
        bool waiting_room;
        Lobby lobby;
        std::optional<Door> door;  ///< Nullopt: forbidden.
    };
    const Row rows[] = {
        {true, Lobby::none, Door::waiting_room}, {true, Lobby::waiting, Door::waiting_room},
        {true, Lobby::admitted, Door::open},     {true, Lobby::denied, std::nullopt},
        {true, Lobby::removed, std::nullopt},    {false, Lobby::none, Door::open},
        {false, Lobby::waiting, Door::open},     {false, Lobby::admitted, Door::open},
        {false, Lobby::denied, std::nullopt},    {false, Lobby::removed, std::nullopt},
    };
    for (const auto& row : rows) {
        auto session = with(row.lobby);
        session.waiting_room = row.waiting_room;
        const auto led = door(session, Role::patient, "34");
        EXPECT_EQ(led.has_value(), row.door.has_value()) << to_text(row.lobby);
        if (led && row.door) EXPECT_EQ(*led, *row.door) << to_text(row.lobby);
        if (!led) EXPECT_EQ(led.error().kind, ErrorKind::forbidden);
        EXPECT_EQ(may_be_in(session, session.attendees.at(0)), row.door == Door::open);
        EXPECT_EQ(door(session, Role::doctor, "12").value(), Door::open);
    }
}

TEST(WaitingRoom, APollKeepsThePlaceAndIsSeldomWritten) {
    const auto session = waiting();
    EXPECT_FALSE(wait(session, {Role::patient, "34"}, kNow + kQueueBeat - 1s));
    const auto later = wait(session, {Role::patient, "34"}, kNow + kQueueBeat).value();
    EXPECT_THAT(later.audit, IsEmpty());
    EXPECT_EQ(later.after.attendees.at(0).waiting_since, kNow);
    EXPECT_EQ(later.after.attendees.at(0).waiting_seen_at, kNow + kQueueBeat);
}

TEST(WaitingRoom, WhoFallsSilentLosesThePlace) {
    auto session = booked();
    session = wait(session, {Role::patient, "34"}, kNow).value().after;
    session = wait(session, {Role::guest, "guest-1"}, kNow + 10s).value().after;
    EXPECT_EQ(place_in_queue(session, "34", kNow + 10s), 1);
    EXPECT_EQ(place_in_queue(session, "guest-1", kNow + 10s), 2);
    EXPECT_EQ(place_in_queue(session, "34", kNow + kQueuePatience + 1s), 0);
    EXPECT_EQ(place_in_queue(session, "guest-1", kNow + kQueuePatience + 1s), 1);
    const auto back = wait(session, {Role::patient, "34"}, kNow + kQueuePatience + 2s).value();
    EXPECT_THAT(audited(back), ElementsAre("USER_WAITING"));
    EXPECT_EQ(place_in_queue(back.after, "34", kNow + kQueuePatience + 2s), 2);
}

TEST(WaitingRoom, ALeaveEndsTheWait) {
    const auto change = stop_waiting(waiting(), "34", kNow + 5s).value();
    EXPECT_THAT(audited(change), ElementsAre("USER_STOPPED_WAITING"));
    EXPECT_THAT(queue(change.after, kNow + 5s), IsEmpty());
    EXPECT_FALSE(stop_waiting(change.after, "34", kNow + 6s));
}

TEST(WaitingRoom, TheDoctorsDecisions) {
    using Decision = core::Result<std::optional<Change>> (*)(const Session&, const Caller&, std::string_view, Time);
    struct Row {
        Decision decision;
        Lobby before;
        std::optional<Lobby> after;  ///< Nullopt: nothing changes.
        const char* event;
    };
    const Row rows[] = {
        {admit, Lobby::waiting, Lobby::admitted, "USER_ADMITTED"},
        {admit, Lobby::none, Lobby::admitted, "USER_ADMITTED"},
        {admit, Lobby::denied, Lobby::admitted, "USER_ADMITTED"},
        {admit, Lobby::removed, Lobby::admitted, "USER_ADMITTED"},
        {admit, Lobby::admitted, std::nullopt, ""},
        {deny, Lobby::waiting, Lobby::denied, "USER_DENIED"},
        {deny, Lobby::admitted, Lobby::denied, "USER_DENIED"},
        {deny, Lobby::denied, std::nullopt, ""},
        {deny, Lobby::removed, std::nullopt, ""},
        {remove, Lobby::waiting, Lobby::removed, "USER_REMOVED"},
        {remove, Lobby::admitted, Lobby::removed, "USER_REMOVED"},
        {remove, Lobby::denied, Lobby::removed, "USER_REMOVED"},
        {remove, Lobby::removed, std::nullopt, ""},
    };
    for (const auto& row : rows) {
        const auto decided = row.decision(with(row.before), kDoctor, "34", kNow + 1s);
        ASSERT_TRUE(decided);
        ASSERT_EQ(decided->has_value(), row.after.has_value()) << row.event << to_text(row.before);
        if (!row.after) continue;
        EXPECT_EQ((*decided)->after.attendees.at(0).lobby, *row.after);
        EXPECT_THAT(audited(**decided), ElementsAre(row.event));
        EXPECT_EQ((*decided)->audit[0].user_id, "12");
        EXPECT_EQ((*decided)->audit[0].subject_id, "34");
    }
}

TEST(WaitingRoom, WhomADecisionCannotBeAbout) {
    const auto session = in_call(with(Lobby::admitted), Role::doctor, "12");
    EXPECT_EQ(admit(session, kDoctor, "35", kNow).error().kind, ErrorKind::not_found);
    EXPECT_EQ(admit(session, kDoctor, "", kNow).error().kind, ErrorKind::not_found);
    EXPECT_EQ(remove(session, kDoctor, "12", kNow).error().kind, ErrorKind::conflict);
    EXPECT_EQ(deny(in_call(session, Role::patient, "34"), kDoctor, "34", kNow).error().kind, ErrorKind::conflict);
    auto closed = session;
    closed.status = Status::completed;
    EXPECT_EQ(admit(closed, kDoctor, "34", kNow).error().kind, ErrorKind::invalid);
}

TEST(WaitingRoom, RemovalEndsTheStayAndTellsAws) {
    const auto session = in_call(with(Lobby::admitted), Role::patient, "34", Provider::chime);
    const auto change = **remove(session, kDoctor, "a-34", kNow + 3min);
    EXPECT_THAT(audited(change), ElementsAre("USER_REMOVED", "USER_LEFT"));
    const auto* patient = find_attendee(change.after, "34");
    EXPECT_FALSE(patient->present());
    EXPECT_EQ(patient->attended_chime, 3min);
    EXPECT_EQ(change.after.patient_left_at, kNow + 3min);
    ASSERT_THAT(change.jobs, SizeIs(1));
    EXPECT_EQ(change.jobs[0].kind, Job::Kind::remove_attendee);
    EXPECT_EQ(change.jobs[0].attendee_id, "a-34");
    EXPECT_FALSE(connected(change.after, "34", kNow + 4min, kNow + 4min)) << "news from before the removal";
}

TEST(WaitingRoom, AdmissionOutlivesALeave) {
    auto session = in_call(with(Lobby::admitted), Role::patient, "34");
    session = leave(session, "34", Departure::by_call, kNow + 1min, kNow + 1min).value().after;
    EXPECT_EQ(door(session, Role::patient, "34").value(), Door::open);
}

TEST(WaitingRoom, NobodyWaitsInFrontOfAClosedSession) {
    const auto session = waiting();
    const auto change = cancel(session, kDoctor, "The doctor is ill.", kNow + 1min).value();
    EXPECT_EQ(change.after.attendees.at(0).lobby, Lobby::none);
    EXPECT_EQ(change.after.attendees.at(0).waiting_since, kNow);
    EXPECT_THAT(queue(change.after, kNow + 1min), IsEmpty());
}

TEST(WaitingRoom, AMissedVisitTellsThatThePatientWaited) {
    const auto change = advance(waiting(), {15min, 15min}, kNow + 46min).value();
    EXPECT_EQ(change.after.status, Status::no_show);
    EXPECT_EQ(change.audit[0].event_description, "The doctor did not join the session; the patient waited for them");
    const auto& data = change.events.at(0).data;
    const auto waited = std::ranges::find(data, "patient_waited", [](const auto& pair) { return pair.first; });
    ASSERT_NE(waited, data.end());
    EXPECT_EQ(std::get<std::string>(waited->second), "true");
}

TEST(WaitingRoom, AGuestAloneDoesNotKeepAVisitGoing) {
    auto session = booked(false);
    session = in_call(session, Role::patient, "34");
    session = in_call(session, Role::doctor, "12");
    session = in_call(session, Role::guest, "guest-1");
    EXPECT_EQ(session.status, Status::active);
    session = leave(session, "34", Departure::by_call, kNow + 5min, kNow + 5min).value().after;
    session = leave(session, "12", Departure::by_call, kNow + 6min, kNow + 6min).value().after;
    EXPECT_FALSE(advance(session, {15min, 15min}, kNow + 20min));
    const auto change = advance(session, {15min, 15min}, kNow + 22min).value();
    EXPECT_EQ(change.after.status, Status::completed);
    EXPECT_EQ(change.after.actual_end_time, kNow + 6min);
    EXPECT_FALSE(find_attendee(change.after, "guest-1")->present());
    EXPECT_EQ(attendee_minutes(*find_attendee(change.after, "guest-1")), 22);
    EXPECT_EQ(change.after.patient_left_at, kNow + 5min) << "a guest's stay is not the patient's";
}

}  // namespace
}  // namespace consultation
