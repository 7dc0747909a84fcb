#include "consultation/news.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace consultation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Time kNow = core::parse_utc("2026-01-25T14:00:00").value();
const Caller kDoctor{"12", "DOCTOR"};
const Caller kPatient{"34", "PATIENT"};
const Caller kAdmin{"1", "SYS_ADMIN"};

Session session() {
    Session s;
    s.session_id = "s";
    s.doctor_id = "12";
    s.patient_id = "34";
    Attendee guest;
    guest.user_id = "guest-1";
    guest.role = Role::guest;
    s.attendees.push_back(guest);
    return s;
}

Caller guest(const std::string& id) {
    Caller caller{id, "GUEST"};
    caller.guest_of = "s";
    return caller;
}

Happening happening(std::string type, std::optional<std::string> user, std::optional<std::string> subject = {}) {
    return {7, "e-7", std::move(type), std::move(user), std::move(subject), kNow};
}

std::vector<std::string_view> told(const Happening& what, const Caller& viewer) {
    std::vector<std::string_view> types;
    for (const auto& news : news_of(what, session(), viewer)) types.push_back(news.type);
    return types;
}

TEST(News, WhatConcernsTheCallIsForEverybody) {
    for (const auto& viewer : {kDoctor, kPatient, kAdmin, guest("guest-1")}) {
        EXPECT_THAT(told(happening("USER_JOINED", "12"), viewer), ElementsAre("joined"));
        EXPECT_THAT(told(happening("USER_LEFT", "34"), viewer), ElementsAre("left"));
        EXPECT_THAT(told(happening("SESSION_ENDED", std::nullopt), viewer), ElementsAre("ended"));
        EXPECT_THAT(told(happening("SESSION_RESCHEDULED", "34"), viewer), ElementsAre("rescheduled"));
    }
}

TEST(News, TheDoorIsForTheDoctorAndWhomItIsAbout) {
    const auto admitted = happening("USER_ADMITTED", "12", "34");
    EXPECT_THAT(told(admitted, kDoctor), ElementsAre("admitted"));
    EXPECT_THAT(told(admitted, kAdmin), ElementsAre("admitted"));
    EXPECT_THAT(told(admitted, kPatient), ElementsAre("admitted"));
    EXPECT_THAT(told(admitted, guest("guest-1")), IsEmpty());
    EXPECT_THAT(told(happening("USER_WAITING", "guest-1"), kPatient), IsEmpty());
    EXPECT_THAT(told(happening("USER_WAITING", "guest-1"), guest("guest-1")), ElementsAre("waiting"));

    const auto news = news_of(admitted, session(), kDoctor);
    EXPECT_EQ(news[0].user_id, "34");
    EXPECT_EQ(news[0].role, "PATIENT");
}

TEST(News, InvitationsAreTheDoctorsBusiness) {
    const auto invited = happening("GUEST_INVITED", "12", "guest-1");
    EXPECT_THAT(told(invited, kDoctor), ElementsAre("invited"));
    EXPECT_THAT(told(invited, kPatient), IsEmpty());
    EXPECT_THAT(told(invited, guest("guest-1")), IsEmpty());
    EXPECT_EQ(news_of(invited, session(), kDoctor)[0].role, "GUEST");
}

TEST(News, TheFirstToComeInStartsTheSession) {
    auto running = session();
    running.actual_start_time = kNow;
    const auto news = news_of(happening("USER_JOINED", "34"), running, kDoctor);
    ASSERT_EQ(news.size(), 2u);
    EXPECT_EQ(news[0].type, "started");
    EXPECT_EQ(news[1].type, "joined");
    running.actual_start_time = kNow - std::chrono::minutes{1};
    EXPECT_EQ(news_of(happening("USER_JOINED", "34"), running, kDoctor).size(), 1u);
}

TEST(News, OthersAreAdministratorsAndTheServiceIsNobody) {
    EXPECT_EQ(news_of(happening("SESSION_CANCELLED", "1"), session(), kDoctor)[0].role, "ADMIN");
    const auto missed = news_of(happening("SESSION_NO_SHOW", std::nullopt), session(), kDoctor);
    EXPECT_EQ(missed[0].type, "missed");
    EXPECT_EQ(missed[0].user_id, std::nullopt);
    EXPECT_EQ(missed[0].role, "");
}

TEST(News, NothingElseIsTold) {
    for (const auto* type : {"NOTES_UPDATED", "CONSENT_GIVEN", "SESSION_CREATED", "MEETING_CREATED", "SESSION_READ"}) {
        EXPECT_THAT(told(happening(type, "12"), kDoctor), IsEmpty());
    }
}

}  // namespace
}  // namespace consultation
