#include "api/chime_events.hpp"

#include <gtest/gtest.h>

#include <string>

namespace api {
namespace {

const core::Time kNow = *core::parse_utc("2026-01-25T14:30:00");

/// As AWS documents it, with other ids.
constexpr std::string_view kJoined = R"({
    "version": "0", "source": "aws.chime", "account": "111122223333", "id": "12345678-1234-1234-1234-111122223333",
    "region": "us-east-1", "detail-type": "Chime Meeting State Change", "time": "2026-01-25T14:00:01Z", "resources": [],
    "detail": {
        "version": "0", "eventType": "chime:AttendeeJoined", "timestamp": 1769349600250,
        "meetingId": "e3338f73-c769-4d65-b8ce-bf4314b488ef", "attendeeId": "de49d06d-3911-486a-aebc-68365af015b2",
        "externalUserId": "patient-34", "externalMeetingId": "pulseone-x", "mediaRegion": "us-east-1"
    }
})";

std::vector<service::ChimeEvent> read(const std::string& text) {
    Faults faults;
    auto events = read_chime_events(text, kNow, faults);
    EXPECT_FALSE(faults.any()) << text;
    return events.value_or(std::vector<service::ChimeEvent>{});
}

std::string with(std::string_view what, std::string_view by) {
    std::string text{kJoined};
    const auto place = text.find(what);
    EXPECT_NE(place, std::string::npos) << what;
    return text.replace(place, what.size(), by);
}

TEST(ChimeEvents, AreReadAsAwsDocumentsThem) {
    const auto events = read(std::string{kJoined});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].event_id, "12345678-1234-1234-1234-111122223333");
    EXPECT_EQ(events[0].event_type, "chime:AttendeeJoined");
    EXPECT_EQ(events[0].meeting_id, "e3338f73-c769-4d65-b8ce-bf4314b488ef");
    EXPECT_EQ(events[0].attendee_id, "de49d06d-3911-486a-aebc-68365af015b2");
    EXPECT_EQ(core::format_rfc3339(events[0].occurred_at), "2026-01-25T14:00:00.250000Z");
}

TEST(ChimeEvents, OfMeetingsNameNoAttendee) {
    const auto events = read(with("chime:AttendeeJoined", "chime:MeetingEnded"));
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].attendee_id, "");
}

TEST(ChimeEvents, ComeAloneOrInAList) {
    const std::string one{kJoined};
    EXPECT_EQ(read("[" + one + "," + one + R"(, {"x":1}, 5, null])").size(), 2u);
    std::string most = "[" + one;
    for (std::size_t i = 1; i < kMostEvents; ++i) most += "," + one;
    EXPECT_EQ(read(most + "]").size(), kMostEvents);
    Faults faults;
    EXPECT_FALSE(read_chime_events(most + ",1]", kNow, faults));
    EXPECT_NE(faults.body().find("too_long"), std::string::npos);
}

TEST(ChimeEvents, WhatConcernsNobodyIsLeftOut) {
    for (const auto& other :
         {with("chime:AttendeeJoined", "chime:AttendeeVideoStarted"), with("chime:AttendeeJoined", ""),
          with("Chime Meeting State Change", "Chime Media Pipeline State Change"), with("meetingId", "meeting"),
          with("attendeeId", "attendee"), with("\"e3338f73-c769-4d65-b8ce-bf4314b488ef\"", "7"),
          with("e3338f73-c769-4d65-b8ce-bf4314b488ef", std::string(101, 'x')), with("e3338f73", "\\u0000"),
          with("\"detail\": {", "\"other\": {"), std::string{R"({"detail-type":"Chime Meeting State Change"})"},
          std::string{R"({"detail-type":"Chime Meeting State Change","detail":[]})"}}) {
        EXPECT_TRUE(read(other).empty()) << other;
    }
}

TEST(ChimeEvents, HappenedAtTheirTimestampButNeverInTheFuture) {
    const auto moment = [](std::string_view stamp) {
        const auto events = read(with("1769349600250", stamp));
        return events.empty() ? std::string{} : core::format_rfc3339(events[0].occurred_at);
    };
    EXPECT_EQ(moment("1769349600250.0"), "2026-01-25T14:00:00.250000Z");
    const auto now = core::format_rfc3339(kNow);
    EXPECT_EQ(moment("1900000000000"), now);
    // No proper timestamp: the event's own time, in whole seconds.
    for (const auto* none : {"null", "\"soon\"", "-5", "0", "1e300", "9223372036854775807", "18446744073709551615"}) {
        EXPECT_EQ(moment(none), "2026-01-25T14:00:01Z") << none;
    }
    auto neither = with("1769349600250", "null");
    neither.replace(neither.find("2026-01-25T14:00:01Z"), 20, "when");
    EXPECT_EQ(core::format_rfc3339(read(neither).at(0).occurred_at), now);
}

TEST(ChimeEvents, WithoutAnIdGetOneOfTheirContent) {
    const auto cut = with("\"id\":", "\"was\":");
    const auto id = read(cut).at(0).event_id;
    EXPECT_EQ(id.size(), 36u);
    EXPECT_EQ(read(cut).at(0).event_id, id);
    auto left = cut;
    left.replace(left.find("Joined"), 6, "Left");
    EXPECT_NE(read(left).at(0).event_id, id);
}

TEST(ChimeEvents, NonsenseIsToldInWords) {
    const std::vector<std::pair<std::string, const char*>> table{{"", "missing"},
                                                                 {"{\"broken", "json_invalid"},
                                                                 {"5", "model_attributes_type"},
                                                                 {"null", "model_att"},
                                                                 {std::string(600, '['), "json_invalid"}};
    for (const auto& [text, type] : table) {
        Faults faults;
        EXPECT_FALSE(read_chime_events(text, kNow, faults)) << text;
        EXPECT_NE(faults.body().find(type), std::string::npos) << faults.body();
    }
}

}  // namespace
}  // namespace api
