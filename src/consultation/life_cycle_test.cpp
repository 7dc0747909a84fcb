#include "consultation/life_cycle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace consultation {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const Time kNow = core::parse_utc("2026-01-25T14:00:00").value();
const Caller kDoctor{"12", "DOCTOR"};
const Caller kPatient{"34", "PATIENT"};
const Meeting kMeeting{
    Provider::embedded, "m-1", "pulseone-s", "local", "host", "fallback", "ws://host/control/m-1", "", 1};
const Patience kPatience{15min, 15min};

Booking booking() {
    Booking b;
    b.booking_type = BookingType::clinic_based;
    b.appointment_id = "789e1552-abfa-42ab-a7a9-b033e8b745f9";
    b.doctor_id = "12";
    b.patient_id = "34";
    b.scheduled_start_time = kNow;
    return b;
}

Session booked() {
    return book(booking(), kPatient, kNow - 24h, "http://host").after;
}

Entry entry(Role role, std::optional<Time> present_until = {}) {
    const std::string user = role == Role::doctor ? "doctor-12" : "patient-34";
    return {role, "attendee-" + user, user, "web", std::nullopt, present_until};
}

Session joined(const Session& session, Role role, Time at, std::optional<Time> until = {}) {
    return join(session, {kMeeting, {}}, entry(role, until), at).value().after;
}

Session left(const Session& session, Role role, Time at) {
    return leave(session, find_attendee(session, role)->user_id, Departure::by_call, at, at).value().after;
}

/// Both in: the patient at 13:58, the doctor at 14:00.
Session running() {
    return joined(joined(booked(), Role::patient, kNow - 2min), Role::doctor, kNow);
}

std::vector<std::string> types(const Change& change) {
    std::vector<std::string> all;
    all.reserve(change.events.size());
    for (const auto& event : change.events) all.push_back(event.event_type);
    return all;
}
std::vector<std::string> audited(const Change& change) {
    std::vector<std::string> all;
    all.reserve(change.audit.size());
    for (const auto& entry : change.audit) all.push_back(entry.event_type);
    return all;
}
Event::Value field(const Event& event, std::string_view name) {
    for (const auto& [key, value] : event.data) {
        if (key == name) return value;
    }
    ADD_FAILURE() << "no field " << name;
    return nullptr;
}

TEST(Book, MakesAScheduledSessionAndAnnouncesItWithItsLink) {
    const auto change = book(booking(), kPatient, kNow, "http://host");
    EXPECT_EQ(change.expected_version, -1);
    EXPECT_EQ(change.after.version, 0);
    EXPECT_EQ(change.after.status, Status::scheduled);
    EXPECT_EQ(change.after.scheduled_end_time, kNow + 30min);
    EXPECT_THAT(audited(change), ElementsAre("SESSION_CREATED"));
    EXPECT_EQ(change.audit[0].user_id, "34");
    ASSERT_THAT(types(change), ElementsAre("video.session.created"));
    const auto& id = change.after.session_id;
    EXPECT_EQ(field(change.events[0], "room_id"), Event::Value{id});
    EXPECT_EQ(field(change.events[0], "meeting_url"), Event::Value{"http://host/api/video/sessions/" + id + "/join"});
}

TEST(Join, FirstPersonMakesItWaitSecondMakesItActive) {
    const auto first = join(booked(), {kMeeting, {}}, entry(Role::patient), kNow).value();
    EXPECT_EQ(first.after.status, Status::waiting);
    EXPECT_EQ(first.after.actual_start_time, kNow);
    EXPECT_EQ(first.after.patient_joined_at, kNow);
    EXPECT_THAT(audited(first), ElementsAre("MEETING_CREATED", "USER_JOINED"));
    EXPECT_THAT(types(first), ElementsAre("video.session.started", "video.user.joined"));

    const auto second = join(first.after, {kMeeting, {}}, entry(Role::doctor), kNow + 1min).value();
    EXPECT_EQ(second.after.status, Status::active);
    EXPECT_EQ(second.after.actual_start_time, kNow);
    EXPECT_THAT(types(second), ElementsAre("video.user.joined"));
    EXPECT_EQ(second.after.attendees.front().role, Role::doctor);
}

TEST(Join, D6AMeetingMadeBeforehandStillStartsTheClock) {
    const auto prepared = prepare_meeting(booked(), {kMeeting, {}}, {"1", "ADMIN"}, kNow - 1h).value();
    EXPECT_EQ(prepared.after.status, Status::scheduled);
    EXPECT_FALSE(prepared.after.actual_start_time);
    const auto change = join(prepared.after, {kMeeting, {}}, entry(Role::doctor), kNow).value();
    EXPECT_EQ(change.after.status, Status::waiting);
    EXPECT_EQ(change.after.actual_start_time, kNow);
}

TEST(Join, AgainWhileInChangesNothingButTheDevice) {
    const auto session = running();
    EXPECT_FALSE(join(session, {kMeeting, {}}, entry(Role::doctor), kNow + 5min));
    auto other_device = entry(Role::doctor);
    other_device.browser_info = "Firefox";
    const auto change = join(session, {kMeeting, {}}, other_device, kNow + 5min).value();
    EXPECT_THAT(change.events, IsEmpty());
    EXPECT_THAT(change.intervals, IsEmpty());
    EXPECT_EQ(find_attendee(change.after, Role::doctor)->browser_info, "Firefox");
}

TEST(Join, D8ARejoinOpensANewIntervalAndKeepsTheFirstStamp) {
    const auto session = left(running(), Role::patient, kNow + 10min);
    EXPECT_EQ(session.patient_left_at, kNow + 10min);
    const auto back = joined(session, Role::patient, kNow + 20min);
    EXPECT_EQ(back.patient_joined_at, kNow - 2min);
    EXPECT_FALSE(back.patient_left_at);
    const auto gone = left(back, Role::patient, kNow + 25min);
    EXPECT_EQ(find_attendee(gone, Role::patient)->attended, 17min);
    EXPECT_EQ(attendee_minutes(*find_attendee(gone, Role::patient)), 17);
}

TEST(Join, IsRefusedOnceClosed) {
    auto session = booked();
    session.status = Status::completed;
    EXPECT_EQ(can_join(session).error().detail, "This session has already been completed");
    session.status = Status::cancelled;
    EXPECT_EQ(can_join(session).error().detail, "This session has been cancelled");
    session.status = Status::no_show;
    EXPECT_FALSE(can_join(session));
}

TEST(Start, D4OnlyAScheduledSessionStarts) {
    auto session = booked();
    EXPECT_TRUE(can_start(session));
    for (const auto status : {Status::waiting, Status::active, Status::completed, Status::cancelled, Status::no_show}) {
        session.status = status;
        EXPECT_FALSE(can_start(session)) << to_text(status);
    }
}

TEST(Leave, D8ASecondLeaveCountsNothing) {
    const auto session = left(running(), Role::patient, kNow + 10min);
    EXPECT_FALSE(leave(session, session.patient_id, Departure::by_call, kNow + 20min, kNow + 20min));
}

TEST(Leave, NeverCountsBackwards) {
    const auto change = leave(running(), "12", Departure::seen, kNow - 1h, kNow + 1min).value();
    EXPECT_EQ(find_attendee(change.after, Role::doctor)->attended, 0us);
    EXPECT_EQ(change.after.doctor_left_at, kNow);
}

TEST(End, D7CountsEverybodyStillInside) {
    const auto change = end(running(), kDoctor, {"Recovering well.", 5}, kNow + 31min + 11s).value();
    const auto& s = change.after;
    EXPECT_EQ(s.status, Status::completed);
    EXPECT_EQ(duration_minutes(s), 33);
    EXPECT_EQ(attendee_minutes(s), 33 + 31);
    EXPECT_EQ(s.doctor_left_at, kNow + 31min + 11s);
    EXPECT_THAT(types(change), ElementsAre("video.session.ended", "video.consultation.completed"));
    EXPECT_EQ(change.events[1].routing_key, "appointment.consultation.completed");
    EXPECT_EQ(field(change.events[0], "duration_minutes"), Event::Value{std::int64_t{33}});
    ASSERT_EQ(change.usage.size(), 2u);
    EXPECT_EQ(change.usage[0].attendee_minutes + change.usage[1].attendee_minutes, attendee_minutes(s));
}

TEST(End, D9WithoutNotesKeepsThoseSavedBefore) {
    const auto noted = update_notes(running(), kDoctor, "Saved before", kNow).after;
    const auto change = end(noted, kDoctor, {}, kNow + 1min).value();
    EXPECT_EQ(change.after.session_notes, "Saved before");
}

TEST(End, IsRefusedTwice) {
    const auto ended = end(running(), kDoctor, {}, kNow).value().after;
    EXPECT_EQ(end(ended, kDoctor, {}, kNow).error().detail, "Session already completed");
    const auto cancelled = cancel(booked(), kPatient, "Not needed any more", kNow).value().after;
    EXPECT_EQ(end(cancelled, kDoctor, {}, kNow).error().detail, "Session already cancelled");
}

TEST(End, PutsAWronglyMissedVisitRight) {
    auto missed = advance(booked(), kPatience, kNow + 1h).value().after;
    ASSERT_EQ(missed.status, Status::no_show);
    EXPECT_EQ(end(missed, kDoctor, {}, kNow + 2h).value().after.status, Status::completed);
}

TEST(Cancel, IsForBeforeTheStart) {
    EXPECT_EQ(cancel(running(), kPatient, "Changed my mind", kNow).error().detail,
              "Cannot cancel session with status: ACTIVE");
    const auto waiting = joined(booked(), Role::patient, kNow);
    const auto change = cancel(waiting, kPatient, "Changed my mind", kNow + 3min).value();
    EXPECT_EQ(change.after.status, Status::cancelled);
    EXPECT_EQ(attendee_minutes(change.after), 3);
    EXPECT_EQ(change.after.cancelled_by, "34");
    EXPECT_THAT(types(change), ElementsAre("video.session.cancelled"));
}

TEST(Notes, D26AreAuditedWithoutTheirText) {
    const auto change = update_notes(running(), kDoctor, "Private", kNow);
    ASSERT_THAT(audited(change), ElementsAre("NOTES_UPDATED"));
    EXPECT_EQ(change.audit[0].event_description->find("Private"), std::string::npos);
}

TEST(Advance, D25EverybodyGoneCompletesAtTheLastLeave) {
    const auto alone = left(running(), Role::patient, kNow + 10min);
    EXPECT_FALSE(advance(alone, kPatience, kNow + 10h));
    const auto empty = left(alone, Role::doctor, kNow + 12min);
    EXPECT_FALSE(advance(empty, kPatience, kNow + 27min));
    const auto change = advance(empty, kPatience, kNow + 27min + 1us).value();
    EXPECT_EQ(change.after.status, Status::completed);
    EXPECT_EQ(change.after.actual_end_time, kNow + 12min);
    EXPECT_FALSE(change.audit[0].user_id);
}

TEST(Advance, D25NobodyCameIsANoShowAndOnePersonNamesTheOther) {
    EXPECT_FALSE(advance(booked(), kPatience, kNow + 45min));
    const auto nobody = advance(booked(), kPatience, kNow + 45min + 1us).value();
    EXPECT_EQ(nobody.after.status, Status::no_show);
    EXPECT_EQ(nobody.audit[0].event_description, "Nobody joined the session");

    const auto waiting = joined(booked(), Role::patient, kNow);
    EXPECT_FALSE(advance(waiting, kPatience, kNow + 10h)) << "a patient who still waits is not sent away";
    const auto change = advance(left(waiting, Role::patient, kNow + 40min), kPatience, kNow + 46min).value();
    EXPECT_EQ(change.after.status, Status::no_show);
    EXPECT_EQ(change.audit[0].event_description, "The doctor did not join the session");
    EXPECT_EQ(attendee_minutes(change.after), 40);
}

TEST(Advance, AVisitBookedInThePastIsNotMissedBeforeTheGraceSinceItsBooking) {
    const auto late = book(booking(), kDoctor, kNow + 5h, "http://host").after;
    EXPECT_FALSE(advance(late, kPatience, kNow + 5h + 15min));
    EXPECT_TRUE(advance(late, kPatience, kNow + 5h + 15min + 1us));
}

TEST(Advance, PresenceThatRunsOutEndsWhenItWasLastSeen) {
    auto session = joined(booked(), Role::patient, kNow, kNow + 2min);
    EXPECT_FALSE(advance(session, kPatience, kNow + 2min - 1us));
    const auto never_connected = advance(session, kPatience, kNow + 2min).value();
    EXPECT_EQ(attendee_minutes(never_connected.after), 0);
    EXPECT_THAT(types(never_connected), ElementsAre("video.user.left"));

    session.attendees[0].last_seen_at = kNow + 10min;
    session.attendees[0].present_until = kNow + 11min;
    const auto lost = advance(session, kPatience, kNow + 20min).value();
    EXPECT_EQ(lost.after.patient_left_at, kNow + 10min);
    EXPECT_EQ(attendee_minutes(lost.after), 10);
}

TEST(AttendeeMinutes, AnybodyWhoWasThereCountsAtLeastOne) {
    Attendee attendee;
    EXPECT_EQ(attendee_minutes(attendee), 0);
    attendee.attended = 1us;
    EXPECT_EQ(attendee_minutes(attendee), 1);
    attendee.attended = 119s;
    EXPECT_EQ(attendee_minutes(attendee), 1);
    attendee.attended = 2min;
    EXPECT_EQ(attendee_minutes(attendee), 2);
}

TEST(AsBooked, IsTheFirstAnswerWhateverHappenedSince) {
    const auto first = booked();
    auto later = end(joined(first, Role::doctor, kNow), kDoctor, {"n", 1}, kNow).value().after;
    auto again = as_booked(later);
    again.version = first.version;
    EXPECT_EQ(again, first);
}

}  // namespace
}  // namespace consultation
