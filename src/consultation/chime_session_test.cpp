// The life of a session whose meeting is AWS's: what must be told to AWS, what its notifications do, what it bills.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "consultation/life_cycle.hpp"

namespace consultation {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

const Time kNow = core::parse_utc("2026-01-25T14:00:00").value();
const Caller kDoctor{"12", "DOCTOR"};
const Caller kPatient{"34", "PATIENT"};

Meeting meeting(int generation) {
    Meeting m;
    m.provider = Provider::chime;
    m.meeting_id = "chime-" + std::to_string(generation);
    m.external_meeting_id = "pulseone-s";
    m.media_region = "us-east-1";
    m.generation = generation;
    return m;
}

Session booked() {
    Booking b;
    b.appointment_id = "789e1552-abfa-42ab-a7a9-b033e8b745f9";
    b.doctor_id = "12";
    b.patient_id = "34";
    b.scheduled_start_time = kNow;
    return book(b, kPatient, kNow - 24h, "http://host").after;
}

Session joined(const Session& session, Role role, Time at, int generation = 1, std::optional<Time> until = {}) {
    const std::string user = role == Role::doctor ? "doctor-12" : "patient-34";
    const Entry entry{role, user + "-" + std::to_string(generation), user, std::nullopt, std::nullopt, until};
    return join(session, {meeting(generation), {}}, entry, at).value().after;
}

Session running() {
    return joined(joined(booked(), Role::patient, kNow - 2min), Role::doctor, kNow);
}

const Attendee& patient_of(const Session& session) {
    return *find_attendee(session, Role::patient);
}

TEST(ChimeSession, TheTrailNamesTheMeetingAndWhyItIsElsewhere) {
    const Entry entry{Role::doctor, "a", "doctor-12", {}, {}, {}};
    EXPECT_EQ(join(booked(), {meeting(1), {}}, entry, kNow)->audit.front().event_description,
              "AWS Chime meeting created: chime-1");
    auto own = meeting(1);
    own.provider = Provider::embedded;
    EXPECT_EQ(join(booked(), {own, "AWS Chime throttles"}, entry, kNow)->audit.front().event_description,
              "Meeting created: chime-1 (AWS Chime throttles)");
}

TEST(ChimeSession, D23ItsEndIsAJobThatOutlivesTheProcess) {
    const auto ended = end(running(), kDoctor, {}, kNow + 10min).value();
    ASSERT_THAT(ended.jobs, SizeIs(1));
    EXPECT_EQ(ended.jobs[0].kind, Job::Kind::end_meeting);
    EXPECT_EQ(ended.jobs[0].meeting_id, "chime-1");
    ASSERT_THAT(ended.meetings, SizeIs(1));
    EXPECT_EQ(ended.meetings[0].ended_at, kNow + 10min);
    EXPECT_THAT(cancel(joined(booked(), Role::patient, kNow), kPatient, "Changed my mind", kNow)->jobs, SizeIs(1));
    EXPECT_THAT(end(booked(), kDoctor, {}, kNow)->jobs, IsEmpty()) << "there was no meeting";
}

TEST(ChimeSession, D25ALeaveByCallTakesTheAttendeeOutOneThatWasSeenDoesNot) {
    const auto by_call = leave(running(), "34", Departure::by_call, kNow + 1min, kNow + 1min).value();
    ASSERT_THAT(by_call.jobs, SizeIs(1));
    EXPECT_EQ(by_call.jobs[0].kind, Job::Kind::remove_attendee);
    EXPECT_EQ(by_call.jobs[0].attendee_id, "patient-34-1");
    EXPECT_THAT(leave(running(), "34", Departure::seen, kNow + 1min, kNow + 1min)->jobs, IsEmpty());
}

TEST(ChimeSession, D5ANewMeetingEndsTheStaysInTheOldAndForgetsItsIdentities) {
    auto session = running();
    session.attendees[0].last_seen_at = kNow + 4min;
    const auto again = joined(session, Role::patient, kNow + 20min, 2);
    EXPECT_EQ(again.meeting->meeting_id, "chime-2");
    EXPECT_EQ(again.doctor_left_at, kNow + 4min);
    EXPECT_EQ(find_attendee(again, Role::doctor)->chime_attendee_id, "");
    EXPECT_EQ(patient_of(again).chime_attendee_id, "patient-34-2");
    EXPECT_EQ(patient_of(again).opened_at, kNow + 20min);
    EXPECT_EQ(find_attendee(again, Role::doctor)->billed_tenths, 40);
}

TEST(ChimeSession, AWSBillsEachStayInTenthsOfAMinuteRoundedUp) {
    EXPECT_EQ(billed_tenths(0us), 0);
    EXPECT_EQ(billed_tenths(1us), 1);
    EXPECT_EQ(billed_tenths(6s), 1);
    EXPECT_EQ(billed_tenths(6s + 1us), 2);
    EXPECT_EQ(billed_tenths(30min), 300);
    auto session = leave(running(), "34", Departure::seen, kNow + 1s, kNow + 1s)->after;
    session = joined(session, Role::patient, kNow + 1min);
    const auto change = end(session, kDoctor, {}, kNow + 1min + 1s).value();
    ASSERT_THAT(change.usage, SizeIs(2));
    EXPECT_EQ(change.usage[0].billed_tenths, 11);
    EXPECT_EQ(change.usage[1].billed_tenths, 21 + 1) << "two stays, each rounded up";
    EXPECT_EQ(change.usage[1].attendee_minutes, 2) << "whole minutes of both together";
    EXPECT_EQ(change.usage[1].provider, Provider::chime);
}

TEST(ChimeSession, TheMinutesOfTwoProvidersAreKeptApart) {
    auto session = leave(running(), "34", Departure::seen, kNow + 3min, kNow + 3min)->after;
    auto own = meeting(2);
    own.provider = Provider::embedded;
    const Entry entry{Role::patient, "p-own", "patient-34", {}, {}, {}};
    session = join(session, {own, "AWS Chime does not answer"}, entry, kNow + 10min)->after;
    const auto change = end(session, kDoctor, {}, kNow + 12min).value();
    EXPECT_THAT(change.jobs, IsEmpty());
    const auto& patient = patient_of(change.after);
    EXPECT_EQ(patient.attended, 2min);
    EXPECT_EQ(patient.attended_chime, 5min);
    EXPECT_EQ(attendee_minutes(patient), 7);
    EXPECT_THAT(change.usage, SizeIs(2)) << "nobody saw the doctor in the first meeting after it began";
}

TEST(ChimeSession, NewsOfAConnectionMovesTheStaysBeginningAndMakesItOpenEnded) {
    const auto waiting = joined(booked(), Role::patient, kNow, 1, kNow + 2min);
    const auto change = connected(waiting, waiting.patient_id, kNow + 5s, kNow + 6s).value();
    EXPECT_EQ(patient_of(change.after).opened_at, kNow + 5s);
    EXPECT_FALSE(patient_of(change.after).present_until);
    ASSERT_THAT(change.intervals, SizeIs(1));
    EXPECT_EQ(change.intervals[0].joined_at, kNow + 5s);
    EXPECT_EQ(change.intervals[0].interval_id, waiting.attendees[0].open_interval_id);
    EXPECT_FALSE(connected(change.after, change.after.patient_id, kNow + 5s, kNow + 7s)) << "told twice";
}

TEST(ChimeSession, LateNewsOfAnEndedStayChangesNothingAReturnOpensANewOne) {
    const auto gone = leave(running(), "34", Departure::seen, kNow + 5min, kNow + 6min)->after;
    EXPECT_FALSE(connected(gone, gone.patient_id, kNow + 1min, kNow + 7min));
    const auto back = connected(gone, gone.patient_id, kNow + 7min, kNow + 7min).value();
    EXPECT_EQ(patient_of(back.after).opened_at, kNow + 7min);
    EXPECT_EQ(back.events.front().event_type, "video.user.joined");
}

TEST(ChimeSession, AMeetingThatIsOverEndsAllStays) {
    const auto told = meeting_over(running(), kNow + 9min, 0s, kNow + 10min).value();
    EXPECT_EQ(told.after.doctor_left_at, kNow + 9min);
    EXPECT_EQ(told.after.status, Status::active) << "they may come back";
    EXPECT_FALSE(meeting_over(told.after, kNow + 9min, 0s, kNow + 10min));

    auto found_gone = running();
    for (auto& attendee : found_gone.attendees) attendee.last_seen_at = kNow + 20min;
    const auto estimated = meeting_over(found_gone, std::nullopt, 5min, kNow + 21min).value();
    EXPECT_EQ(estimated.after.patient_left_at, kNow + 15min);
}

TEST(RequestedByMessage, StartIsNotedOnceAndAnswered) {
    EXPECT_EQ(note_start(booked(), "99", kNow).error().kind, core::ErrorKind::forbidden);
    const auto change = note_start(booked(), "12", kNow).value().value();
    EXPECT_EQ(change.after.status, Status::scheduled) << "a meeting is made when somebody comes";
    EXPECT_EQ(change.events.front().event_type, "video.session.started");
    EXPECT_FALSE(note_start(change.after, "12", kNow + 1s).value());
    const auto ended = end(booked(), kDoctor, {}, kNow)->after;
    EXPECT_EQ(note_start(ended, "12", kNow).error().kind, core::ErrorKind::invalid);
}

TEST(RequestedByMessage, EndTellsTheCompletionAndItsOwnAnswerOnce) {
    const auto change = end_on_request(running(), kPatient, kNow + 5min).value().value();
    EXPECT_EQ(change.after.status, Status::completed);
    ASSERT_THAT(change.events, SizeIs(3));
    EXPECT_EQ(change.events[1].event_type, "video.consultation.completed");
    EXPECT_EQ(change.events[2].event_type, "video.session.completed");
    EXPECT_EQ(change.events[2].routing_key, "video.consultation.completed");
    EXPECT_FALSE(end_on_request(change.after, kPatient, kNow + 6min).value());
}

}  // namespace
}  // namespace consultation
