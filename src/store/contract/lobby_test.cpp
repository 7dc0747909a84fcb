// Waiting rooms and guests: what is kept of them, and who wins when two decide at once.
#include "consultation/invitation.hpp"
#include "consultation/life_cycle.hpp"
#include "consultation/waiting_room.hpp"
#include "store/contract/harness.hpp"

namespace store::contract {
namespace {

using consultation::GuestKind;
using consultation::Lobby;
using consultation::Role;

class LobbyStore : public StoreTest {
  protected:
    Session with_guest() {
        auto session = created(plain_session(1));
        auto invited = consultation::invite(session, doctor_, {GuestKind::interpreter, "Ada", 60min, "hash"}, 4, at());
        EXPECT_EQ(commit(*invited), Committed::applied);
        return *find(session.session_id);
    }

    const consultation::Caller doctor_{"12", "DOCTOR"};
};
STORE_TEST_SUITE(LobbyStore);
SEALED_STORE_TEST_SUITE(LobbyStore);

TEST_P(LobbyStore, KeepsEveryField) {
    auto session = plain_session(1);
    session.waiting_room = true;
    int number = 1;
    for (const auto lobby : {Lobby::none, Lobby::waiting, Lobby::admitted, Lobby::denied, Lobby::removed}) {
        auto guest = attendee(number, Role::guest, "guest-" + std::to_string(number));
        guest.lobby = lobby;
        guest.waiting_since = at(1us);
        guest.waiting_seen_at = at(2us);
        guest.guest_kind = static_cast<GuestKind>((number - 1) % 4);
        guest.guest_name = "Ada \xF0\x9F\x98\x80 \"Perera\"";
        guest.invitation_hash = std::string(64, 'f');
        guest.invited_at = at(std::chrono::microseconds(number));
        guest.invitation_expires_at = at(4us);
        guest.invitation_used_at = at(5us);
        guest.invitation_revoked_at = at(6us);
        session.attendees.push_back(guest);
        ++number;
    }
    created(session);
    EXPECT_EQ(find(session.session_id), session);
}

TEST_P(LobbyStore, PeopleComeInTheirOrder) {
    auto session = plain_session(1);
    for (const int number : {3, 2, 9}) {
        auto guest = attendee(number, Role::guest, "guest-" + std::to_string(number));
        guest.invited_at = at(std::chrono::minutes(10 - number));
        session.attendees.push_back(guest);
    }
    session.attendees.push_back(attendee(5, Role::patient, "34"));
    session.attendees.push_back(attendee(7, Role::doctor, "12"));
    created(session);
    std::vector<std::string> users;
    for (const auto& each : find(session.session_id)->attendees) users.push_back(each.user_id);
    EXPECT_EQ(users, (std::vector<std::string>{"12", "34", "guest-9", "guest-3", "guest-2"}));
}

TEST_P(LobbyStore, OfTwoWhoOpenALinkAtOnceOneIsLate) {
    const auto session = with_guest();
    auto first = consultation::redeem(session, "hash", at(1min));
    auto second = consultation::redeem(session, "hash", at(1min));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(commit(*first), Committed::applied);
    EXPECT_EQ(commit(*second), Committed::stale);
    EXPECT_EQ(consultation::redeem(*find(session.session_id), "hash", at(2min)).error().kind, core::ErrorKind::gone);
}

TEST_P(LobbyStore, OfARevocationAndAnOpeningOneIsLate) {
    const auto session = with_guest();
    auto used = consultation::redeem(session, "hash", at(1min));
    auto revoked = consultation::revoke(session, doctor_, session.attendees.back().user_id, at(1min));
    EXPECT_EQ(commit(std::move(**revoked)), Committed::applied);
    EXPECT_EQ(commit(*used), Committed::stale);
}

TEST_P(LobbyStore, OfTwoAdmissionsOneIsLate) {
    auto session = created(plain_session(1));
    EXPECT_EQ(commit(*consultation::wait(session, {Role::patient, "34"}, at())), Committed::applied);
    session = *find(session.session_id);
    EXPECT_EQ(commit(std::move(**consultation::admit(session, doctor_, "34", at(1s)))), Committed::applied);
    EXPECT_EQ(commit(std::move(**consultation::admit(session, doctor_, "34", at(1s)))), Committed::stale);
    EXPECT_EQ(consultation::admit(*find(session.session_id), doctor_, "34", at(2s)).value(), std::nullopt);
}

TEST_P(LobbyStore, AGuestAloneDoesNotKeepAVisitFromItsEnd) {
    auto missed = plain_session(1);
    auto abandoned = plain_session(2);
    abandoned.status = consultation::Status::active;
    auto doctor = attendee(1, Role::doctor, "12");
    doctor.joined_at = at(1min);
    doctor.left_at = at(5min);
    abandoned.attendees.push_back(doctor);
    for (auto* session : {&missed, &abandoned}) {
        auto guest = attendee(session == &missed ? 8 : 9, Role::guest, "guest-1");
        guest.joined_at = guest.opened_at = guest.last_seen_at = at(2min);
        guest.open_interval_id = id(session == &missed ? 8 : 9);
        session->attendees.push_back(guest);
        created(*session);
    }
    const auto due = done(store->due({at(21min), 15min, 15min}, 10));
    EXPECT_EQ(due, std::vector<std::string>{id(2)});
    EXPECT_EQ(done(store->due({at(46min), 15min, 15min}, 10)).size(), 2U);
}

}  // namespace
}  // namespace store::contract
