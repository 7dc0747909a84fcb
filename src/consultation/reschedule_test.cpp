#include "consultation/reschedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "consultation/invitation.hpp"
#include "consultation/life_cycle.hpp"
#include "consultation/waiting_room.hpp"

namespace consultation {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;

const Time kNow = core::parse_utc("2026-01-25T14:00:00").value();
const Caller kDoctor{"12", "DOCTOR"};
const Caller kPatient{"34", "PATIENT"};

Session booked(Provider provider = Provider::embedded, bool with_meeting = true) {
    Booking booking;
    booking.doctor_id = "12";
    booking.patient_id = "34";
    booking.scheduled_start_time = kNow + 24h;
    booking.waiting_room = true;
    auto session = book(booking, kPatient, kNow - 24h, "http://host").after;
    if (!with_meeting) return session;
    const Meeting meeting{provider, "m-3", "pulseone-s", "local", "host", "fallback", "ws://host", "", 3};
    return prepare_meeting(session, {meeting, {}}, kDoctor, kNow - 1h).value().after;
}

std::vector<std::string> audited(const Change& change) {
    std::vector<std::string> all;
    all.reserve(change.audit.size());
    for (const auto& entry : change.audit) all.push_back(entry.event_type);
    return all;
}

TEST(Reschedule, MovesStartAndEnd) {
    const auto session = booked();
    const auto change = reschedule(session, kDoctor, {kNow + 48h, 45}, kNow).value().value();
    EXPECT_EQ(change.expected_version, session.version);
    EXPECT_EQ(change.after.scheduled_start_time, kNow + 48h);
    EXPECT_EQ(change.after.scheduled_end_time, kNow + 48h + 45min);
    EXPECT_EQ(change.after.consultation_duration_minutes, 45);
    EXPECT_EQ(change.after.status, Status::scheduled);
    EXPECT_THAT(audited(change), ElementsAre("SESSION_RESCHEDULED"));
    EXPECT_EQ(change.audit[0].event_description,
              "Session moved from 2026-01-26T14:00:00Z (30 minutes) to 2026-01-27T14:00:00Z (45 minutes)");

    const auto longer = reschedule(session, kDoctor, {{}, 60}, kNow).value().value();
    EXPECT_EQ(longer.after.scheduled_start_time, session.scheduled_start_time);
    EXPECT_EQ(longer.after.scheduled_end_time, session.scheduled_start_time + 60min);
}

TEST(Reschedule, TellsThePlatformOldAndNewTimes) {
    const auto change = reschedule(booked(), kPatient, {kNow + 48h, {}}, kNow).value().value();
    ASSERT_EQ(change.events.size(), 1u);
    const auto& event = change.events[0];
    EXPECT_EQ(event.routing_key, "video.session.rescheduled");
    EXPECT_EQ(event.event_type, "video.session.rescheduled");
    using Field = std::pair<std::string, Event::Value>;
    EXPECT_THAT(event.data, Contains(Field{"previous_start_time", "2026-01-26T14:00:00"}));
    EXPECT_THAT(event.data, Contains(Field{"previous_end_time", "2026-01-26T14:30:00"}));
    EXPECT_THAT(event.data, Contains(Field{"scheduled_start_time", "2026-01-27T14:00:00"}));
    EXPECT_THAT(event.data, Contains(Field{"scheduled_end_time", "2026-01-27T14:30:00"}));
    EXPECT_THAT(event.data, Contains(Field{"rescheduled_by", "34"}));
}

TEST(Reschedule, ToTheSameTimeChangesNothing) {
    const auto session = booked();
    EXPECT_FALSE(reschedule(session, kDoctor, {session.scheduled_start_time, 30}, kNow).value());
    EXPECT_FALSE(reschedule(session, kDoctor, {}, kNow).value());
}

TEST(Reschedule, OnlyWhileScheduled) {
    for (const auto status : {Status::waiting, Status::active, Status::completed, Status::cancelled, Status::no_show}) {
        auto session = booked();
        session.status = status;
        const auto refused = reschedule(session, kDoctor, {kNow + 48h, {}}, kNow);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, core::ErrorKind::conflict);
    }
}

TEST(Reschedule, ByDoctorPatientAndAdministrators) {
    const auto session = booked();
    EXPECT_TRUE(may_reschedule(session, kDoctor));
    EXPECT_TRUE(may_reschedule(session, kPatient));
    EXPECT_TRUE(may_reschedule(session, {"1", "CLINIC_ADMIN"}));
    EXPECT_FALSE(may_reschedule(session, {"12", "PATIENT"}));
    EXPECT_FALSE(may_reschedule(session, {"34", "DOCTOR"}));
    EXPECT_FALSE(may_reschedule(session, {"34", "PHARMACIST"}));
}

TEST(Reschedule, TheMeetingIsGivenUpAndItsGenerationRemembered) {
    const auto change = reschedule(booked(), kDoctor, {kNow + 48h, {}}, kNow).value().value();
    EXPECT_FALSE(change.after.meeting);
    EXPECT_EQ(change.after.last_generation, 3);
    ASSERT_EQ(change.meetings.size(), 1u);
    EXPECT_EQ(change.meetings[0].ended_at, kNow);
    EXPECT_TRUE(change.jobs.empty());

    const auto chime = reschedule(booked(Provider::chime), kDoctor, {kNow + 48h, {}}, kNow).value().value();
    ASSERT_EQ(chime.jobs.size(), 1u);
    EXPECT_EQ(chime.jobs[0].kind, Job::Kind::end_meeting);
    EXPECT_EQ(chime.jobs[0].meeting_id, "m-3");

    const Meeting next{Provider::embedded, "m-4", "pulseone-s", "local", "host", "fallback", "ws://host", "", 4};
    const auto adopted = prepare_meeting(change.after, {next, {}}, kDoctor, kNow).value().after;
    EXPECT_EQ(adopted.last_generation, 0);
    EXPECT_EQ(adopted.meeting, next);
}

TEST(Reschedule, WhoeverWaitedStandsOutsideAndInvitationsAreRevoked) {
    auto session = booked();
    session = wait(session, {Role::patient, "34"}, kNow).value().after;
    session = invite(session, kDoctor, {GuestKind::interpreter, "Name", 24h, "hash"}, 4, kNow).value().after;
    session = deny(wait(session, {Role::guest, session.attendees.back().user_id}, kNow).value().after, kDoctor,
                   session.attendees.back().user_id, kNow)
                  .value()
                  .value()
                  .after;
    const auto change = reschedule(session, kDoctor, {kNow + 48h, {}}, kNow).value().value();
    const auto* patient = find_attendee(change.after, "34");
    ASSERT_TRUE(patient);
    EXPECT_EQ(patient->lobby, Lobby::none);
    const auto& guest = change.after.attendees.back();
    EXPECT_EQ(guest.invitation_revoked_at, kNow);
    EXPECT_EQ(guest.lobby, Lobby::denied);
    EXPECT_THAT(audited(change), ElementsAre("SESSION_RESCHEDULED", "INVITATION_REVOKED"));
    EXPECT_EQ(change.audit[1].subject_id, guest.user_id);
}

}  // namespace
}  // namespace consultation
