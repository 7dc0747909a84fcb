#include "consultation/invitation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "consultation/life_cycle.hpp"
#include "consultation/waiting_room.hpp"

namespace consultation {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Time kNow = core::parse_utc("2026-01-25T14:00:00").value();
const Caller kDoctor{"12", "DOCTOR"};

Session booked() {
    Booking b;
    b.doctor_id = "12";
    b.patient_id = "34";
    b.scheduled_start_time = kNow;
    b.chief_complaint = "A cough";
    return book(b, kDoctor, kNow - 24h, "http://host").after;
}

NewGuest guest(std::string hash = "h-1", std::chrono::minutes life = 60min) {
    return {GuestKind::interpreter, "Ada", life, std::move(hash)};
}

Session invited(const Session& session, std::string hash = "h-1") {
    return invite(session, kDoctor, guest(std::move(hash)), 10, kNow).value().after;
}

const Attendee& guest_in(const Session& session) {
    return session.attendees.back();
}

Caller as_guest(const Session& session) {
    Caller caller{guest_in(session).user_id, "GUEST"};
    caller.guest_of = session.session_id;
    return caller;
}

TEST(Invitation, MakesAGuestWithoutNamingThemInTheTrail) {
    const auto change = invite(booked(), kDoctor, guest(), 4, kNow).value();
    const auto& made = guest_in(change.after);
    EXPECT_EQ(made.role, Role::guest);
    EXPECT_THAT(made.user_id, testing::StartsWith("guest-"));
    EXPECT_EQ(made.external_user_id, made.user_id);
    EXPECT_EQ(made.invitation_expires_at, kNow + 1h);
    EXPECT_EQ(invitation_state(made, kNow), InvitationState::pending);
    ASSERT_EQ(change.audit.size(), 1U);
    EXPECT_EQ(change.audit[0].event_type, "GUEST_INVITED");
    EXPECT_EQ(change.audit[0].user_id, "12");
    EXPECT_EQ(change.audit[0].subject_id, made.user_id);
    EXPECT_THAT(*change.audit[0].event_description, Not(HasSubstr("Ada")));
}

TEST(Invitation, NeverOutlivesTheSessionByMuch) {
    const auto made = invite(booked(), kDoctor, guest("h", 7 * 24h), 4, kNow).value().after;
    EXPECT_EQ(guest_in(made).invitation_expires_at, kNow + 30min + 4h);
    EXPECT_EQ(invite(booked(), kDoctor, guest(), 4, kNow + 5h).error().kind, ErrorKind::conflict);
}

TEST(Invitation, TheNumberOfPeopleIsBounded) {
    auto session = invited(invited(booked(), "h-1"), "h-2");
    EXPECT_EQ(people_of(session, kNow), 4U);
    EXPECT_EQ(invite(session, kDoctor, guest("h-3"), 4, kNow).error().kind, ErrorKind::conflict);
    EXPECT_TRUE(invite(session, kDoctor, guest("h-3"), 5, kNow));
    // A place that nobody can take any more is free again.
    EXPECT_TRUE(invite(session, kDoctor, guest("h-3"), 4, kNow + 61min));
    session = (**revoke(session, kDoctor, guest_in(session).user_id, kNow)).after;
    EXPECT_TRUE(invite(session, kDoctor, guest("h-3"), 4, kNow));
}

TEST(Invitation, IsOpenedOnce) {
    const auto session = invited(booked());
    const auto change = redeem(session, "h-1", kNow + 1min).value();
    EXPECT_EQ(change.audit.at(0).event_type, "INVITATION_USED");
    EXPECT_EQ(change.audit.at(0).user_id, guest_in(session).user_id);
    EXPECT_EQ(change.expected_version, session.version) << "a second one at the same moment is decided anew";
    EXPECT_EQ(redeem(change.after, "h-1", kNow + 2min).error().kind, ErrorKind::gone);
    EXPECT_EQ(redeem(session, "h-2", kNow + 1min).error().kind, ErrorKind::not_found);
}

TEST(Invitation, IsWorthNothingOnceItIsOver) {
    const auto session = invited(booked());
    const auto id = guest_in(session).user_id;
    EXPECT_EQ(redeem(session, "h-1", kNow + 60min).error().kind, ErrorKind::gone);
    EXPECT_EQ(redeem((**revoke(session, kDoctor, id, kNow)).after, "h-1", kNow).error().kind, ErrorKind::gone);
    EXPECT_EQ(redeem(cancel(session, kDoctor, "The doctor is ill.", kNow)->after, "h-1", kNow).error().kind,
              ErrorKind::gone);
}

TEST(Invitation, RevocationPutsTheGuestOut) {
    auto session = redeem(invited(booked()), "h-1", kNow).value().after;
    const auto id = guest_in(session).user_id;
    const Meeting meeting{Provider::chime, "m-1", "e-1", "", "", "", "", "", 1};
    const Entry entry{.role = Role::guest,
                      .chime_attendee_id = "a-1",
                      .external_user_id = id,
                      .device_type = {},
                      .browser_info = {},
                      .present_until = {},
                      .user_id = id};
    session = join(session, {meeting, {}}, entry, kNow).value().after;
    EXPECT_EQ(session.status, Status::waiting);
    EXPECT_EQ(session.patient_joined_at, std::nullopt);
    EXPECT_EQ(part_of(session, as_guest(session)), Role::guest);

    const auto change = **revoke(session, kDoctor, id, kNow + 2min);
    EXPECT_EQ(change.audit.at(0).event_type, "INVITATION_REVOKED");
    EXPECT_EQ(change.audit.at(1).event_type, "USER_LEFT");
    EXPECT_EQ(change.jobs.size(), 1U);
    const auto& gone = guest_in(change.after);
    EXPECT_FALSE(gone.present());
    EXPECT_EQ(attendee_minutes(gone), 2);
    EXPECT_FALSE(may_be_in(change.after, gone));
    EXPECT_EQ(may_join(change.after, as_guest(session)).error().detail,
              "Your invitation to this session has been revoked");
    EXPECT_FALSE(*revoke(change.after, kDoctor, id, kNow + 3min));
    EXPECT_EQ(revoke(change.after, kDoctor, "34", kNow).error().kind, ErrorKind::not_found);
    EXPECT_EQ(admit(change.after, kDoctor, id, kNow).error().kind, ErrorKind::conflict);
}

TEST(Invitation, AGuestIsOneInOneSessionOnlyAndSeesNothingElse) {
    const auto session = invited(booked());
    const auto caller = as_guest(session);
    EXPECT_TRUE(may_attend(session, caller));
    EXPECT_EQ(may_join(session, caller).value(), Role::guest);
    EXPECT_FALSE(may_see(session, caller)) << "events, cancel";
    EXPECT_FALSE(may_end(session, caller));
    EXPECT_FALSE(may_start(session, caller));
    EXPECT_FALSE(may_write_notes(session, caller));
    EXPECT_FALSE(may_admit(session, caller));
    EXPECT_FALSE(may_invite(session, caller));
    EXPECT_FALSE(may_see_door(session, caller));
    EXPECT_FALSE(may_see_usage(caller));
    EXPECT_FALSE(may_create(caller, caller.user_id, "34"));
    EXPECT_FALSE(may_list_of(caller, Role::patient, caller.user_id));

    auto other = session;
    other.session_id = "another";
    EXPECT_FALSE(may_attend(other, caller));
    Caller claims{caller.user_id, "GUEST"};  // A platform token that only says so.
    EXPECT_FALSE(may_attend(session, claims));

    auto seen = for_guest(session);
    EXPECT_EQ(seen.chief_complaint, std::nullopt);
    EXPECT_EQ(seen.session_notes, std::nullopt);
}

TEST(Invitation, PeopleStandInTheirOrder) {
    auto session = invited(booked());
    session = wait(session, {Role::patient, "34"}, kNow).value().after;
    session = invited(session, "h-2");
    std::vector<Role> roles;
    roles.reserve(session.attendees.size());
    for (const auto& attendee : session.attendees) roles.push_back(attendee.role);
    EXPECT_THAT(roles, ElementsAre(Role::patient, Role::guest, Role::guest));
    EXPECT_EQ(guest_in(session).invitation_hash, "h-2");
}

}  // namespace
}  // namespace consultation
