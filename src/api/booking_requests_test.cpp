#include "api/booking_requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::optional<consultation::Move> moved(std::string_view body, std::string* faults = nullptr) {
    Faults found;
    auto move = read_reschedule({body, "application/json"}, core::utc_zone(), found);
    EXPECT_EQ(move.has_value(), !found.any()) << body;
    if (faults) *faults = found.body();
    return move;
}

TEST(RescheduleRequest, TakesOneOrBoth) {
    EXPECT_EQ(moved(R"({"scheduled_start_time":"2026-01-26"})")->start, core::parse_utc("2026-01-26T00:00:00"));
    EXPECT_EQ(moved(R"({"consultation_duration_minutes":"45","scheduled_start_time":null})")->duration_minutes, 45);
    const auto both = moved(R"({"scheduled_start_time":1769436000,"consultation_duration_minutes":120,"more":1})");
    EXPECT_EQ(both->start, core::parse_utc("2026-01-26T14:00:00"));
    EXPECT_EQ(both->duration_minutes, 120);
}

TEST(RescheduleRequest, WantsAtLeastOneAndTheRulesOfABooking) {
    std::string faults;
    for (const auto* body : {"{}", R"({"scheduled_start_time":null})", R"({"doctor_id":"13"})"}) {
        EXPECT_FALSE(moved(body, &faults));
        EXPECT_THAT(faults, HasSubstr("scheduled_start_time or consultation_duration_minutes is required"));
    }
    for (const auto* body :
         {"", "[]", "{", R"({"consultation_duration_minutes":14})", R"({"consultation_duration_minutes":121})",
          R"({"scheduled_start_time":"soon"})", R"({"scheduled_start_time":{}})",
          R"({"scheduled_start_time":"9999-12-31T23:30:00Z","consultation_duration_minutes":30})"}) {
        EXPECT_FALSE(moved(body)) << body;
    }
    EXPECT_TRUE(moved(R"({"scheduled_start_time":"9999-12-31T23:29:59Z","consultation_duration_minutes":30})"));
}

TEST(ConsentRequest, NamesAVersionAndPerhapsAVisit) {
    const auto given = [](std::string_view body) {
        Faults faults;
        return read_consent_given({body, "application/json"}, faults);
    };
    EXPECT_EQ(given(R"({"version":"1"})")->version, "1");
    EXPECT_EQ(given(R"({"version":"1","session_id":null})")->session_id, std::nullopt);
    EXPECT_EQ(given(R"({"version":"1","session_id":"s"})")->session_id, "s");
    for (const auto* body : {"{}", R"({"version":""})", R"({"version":1})", R"({"version":"1","session_id":""})"}) {
        EXPECT_FALSE(given(body)) << body;
    }
}

TEST(IfMatchHeader, NamesVersions) {
    EXPECT_TRUE(read_if_match(" * ").any);
    EXPECT_THAT(read_if_match("\"7\"").versions, ElementsAre(7));
    EXPECT_THAT(read_if_match("\"7\" ,\t\"x\", W/\"9\",, \"10\"").versions, ElementsAre(7, 9, 10));
    for (const auto* text :
         {"", "7", "\"\"", "\"7", "7\"", "\"7 \"", "\"+7\"", "\"99999999999999999999\"", "w/\"7\""}) {
        const auto match = read_if_match(text);
        EXPECT_FALSE(match.any);
        EXPECT_THAT(match.versions, IsEmpty()) << text;
    }
    std::string many;
    for (int i = 0; i < 10'000; ++i) many += "\"" + std::to_string(i) + "\",";
    EXPECT_EQ(read_if_match(many).versions.size(), 100u);
    EXPECT_EQ(entity_tag(12), "\"12\"");
}

}  // namespace
}  // namespace api
