#include "meetings/embedded/join_token.hpp"

#include <gtest/gtest.h>

namespace meetings::embedded {
namespace {

const JoinTokens kTokens{"a secret"};

TEST(JoinToken, NamesItsAttendeeAndIsTheSameEachTime) {
    const auto meeting = kTokens.meeting_id("session", 1);
    const auto attendee = kTokens.attendee_id(meeting, "doctor-12");
    const auto token = kTokens.token(meeting, attendee);
    EXPECT_EQ(token, JoinTokens{"a secret"}.token(meeting, attendee));
    EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
              std::string::npos);
    const auto bearer = kTokens.verify(meeting, token);
    ASSERT_TRUE(bearer);
    EXPECT_EQ(bearer->attendee_id, attendee);
    EXPECT_FALSE(bearer->content);
    EXPECT_TRUE(kTokens.verify(meeting, token + "#content")->content);
}

TEST(JoinToken, IsBoundToMeetingAttendeeAndKey) {
    const auto meeting = kTokens.meeting_id("session", 1);
    const auto doctor = kTokens.attendee_id(meeting, "doctor-12");
    const auto patient = kTokens.attendee_id(meeting, "patient-12");
    const auto token = kTokens.token(meeting, doctor);
    EXPECT_NE(doctor, patient);
    EXPECT_NE(meeting, kTokens.meeting_id("session", 2));
    EXPECT_FALSE(kTokens.verify(kTokens.meeting_id("session", 2), token));
    EXPECT_FALSE(JoinTokens{"another secret"}.verify(meeting, token));
    const auto other = kTokens.token(meeting, patient);
    EXPECT_FALSE(kTokens.verify(meeting, other.substr(0, other.find('.')) + token.substr(token.find('.'))));
}

TEST(JoinToken, RefusesEveryShortenedOrChangedText) {
    const auto meeting = kTokens.meeting_id("session", 1);
    const auto token = kTokens.token(meeting, kTokens.attendee_id(meeting, "doctor-12"));
    for (std::size_t size = 0; size < token.size(); ++size)
        EXPECT_FALSE(kTokens.verify(meeting, token.substr(0, size)));
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(kTokens.verify(meeting, changed)) << i;
    }
    for (const auto* odd : {"", ".", "#content", "..", "a.b"}) EXPECT_FALSE(kTokens.verify(meeting, odd));
}

}  // namespace
}  // namespace meetings::embedded
