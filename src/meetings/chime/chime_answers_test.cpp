#include "meetings/chime/chime_answers.hpp"

#include <gtest/gtest.h>

#include "meetings/chime/chime_errors.hpp"

namespace meetings::chime {
namespace {

std::string meeting_json(const std::string& id, const std::string& signaling, const std::string& more = "") {
    return R"({"Meeting":{"MeetingId":")" + id +
           R"(","MediaRegion":"us-east-1","MediaPlacement":{"AudioHostUrl":"a.example:3478","SignalingUrl":")" +
           signaling + R"(","EventIngestionUrl":"https://x"}})" + more + "}";
}

std::string attendee_json(const std::string& id, const std::string& external, const std::string& token) {
    return R"({"AttendeeId":")" + id + R"(","ExternalUserId":")" + external + R"(","JoinToken":")" + token + "\"}";
}

TEST(ChimeAnswers, AMeetingNeedsNoDeprecatedUrls) {
    const auto created = read_meeting(meeting_json("e3338f73-c769", "wss://s/control/x"));
    ASSERT_TRUE(created);
    EXPECT_EQ(created->meeting.meeting_id, "e3338f73-c769");
    EXPECT_EQ(created->meeting.signaling_url, "wss://s/control/x");
    EXPECT_EQ(created->meeting.turn_control_url, "");
    EXPECT_TRUE(created->attendees.empty());
}

TEST(ChimeAnswers, AttendeesComeWithTheMeeting) {
    const auto more = R"(,"Attendees":[)" + attendee_json("a-1", "doctor-1", "tok") +
                      R"(],"Errors":[{"ExternalUserId":"patient-2","ErrorCode":"X","ErrorMessage":"y"}])";
    const auto created = read_meeting(meeting_json("m1", "wss://s", more));
    ASSERT_TRUE(created);
    EXPECT_EQ(created->attendees, (std::vector<ChimeAttendee>{{"a-1", "doctor-1", "tok"}}));
}

TEST(ChimeAnswers, RefusesWhatTheServiceCannotKeep) {
    EXPECT_TRUE(read_meeting(meeting_json("m1", "wss://" + std::string(494, 'x'))));
    EXPECT_FALSE(read_meeting(meeting_json("m1", "wss://" + std::string(495, 'x'))));
    EXPECT_FALSE(read_meeting(meeting_json("m1", "")));
    EXPECT_FALSE(read_meeting(meeting_json("m1", "wss://a b")));
    EXPECT_FALSE(read_meeting(meeting_json("m1", "wss://a\\r\\nb")));
    EXPECT_FALSE(read_meeting(meeting_json("../m1", "wss://s")));
    EXPECT_FALSE(read_meeting(meeting_json("m1", "wss://s", R"(,"Attendees":[{}])")));
    EXPECT_FALSE(read_meeting(meeting_json("m1", "wss://s", R"(,"Attendees":7)")));
    for (const auto* odd : {"", "[]", "{}", "null", R"({"Meeting":[]})", R"({"Meeting":{"MeetingId":"m1"}})"}) {
        const auto meeting = read_meeting(odd);
        ASSERT_FALSE(meeting) << odd;
        EXPECT_EQ(meeting.error().kind, core::ErrorKind::bad_gateway);
    }
}

TEST(ChimeAnswers, AttendeeAndItsLimits) {
    const auto read = [](const std::string& json) { return read_attendee(R"({"Attendee":)" + json + "}"); };
    EXPECT_EQ(read(attendee_json("a1", "doctor-1", "tok"))->join_token, "tok");
    EXPECT_TRUE(read(attendee_json("a1", "doctor-1", std::string(2048, 't'))));
    EXPECT_FALSE(read(attendee_json("a1", "doctor-1", std::string(2049, 't'))));
    EXPECT_FALSE(read(attendee_json("a1", "doctor-1", "")));
    EXPECT_FALSE(read(attendee_json("a1", "", "tok")));
    EXPECT_FALSE(read(attendee_json("a/1", "doctor-1", "tok")));
    EXPECT_FALSE(read("7"));
    EXPECT_FALSE(read_attendee("{}"));
}

TEST(ChimeAnswers, PagesOfAttendees) {
    const auto page = read_attendee_page(R"({"Attendees":[{"AttendeeId":"a1"},{"AttendeeId":"a2"}],"NextToken":"n"})");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->attendee_ids, (std::vector<std::string>{"a1", "a2"}));
    EXPECT_EQ(page->next_token, "n");
    EXPECT_EQ(read_attendee_page(R"({"Attendees":[],"NextToken":null})")->next_token, "");
    for (const auto* odd : {"{}", R"({"Attendees":[{}]})", R"({"Attendees":[],"NextToken":1})"})
        EXPECT_FALSE(read_attendee_page(odd)) << odd;
}

TEST(ChimeAnswers, TheErrorsNameComesFromHeaderOrBody) {
    EXPECT_EQ(error_code("NotFoundException:http://x/", "{}"), "NotFoundException");
    EXPECT_EQ(error_code("", R"({"Code":"NotFound","Message":"secret"})"), "NotFound");
    EXPECT_EQ(error_code("", R"({"__type":"com.amazon#ThrottlingException"})"), "ThrottlingException");
    EXPECT_EQ(error_code("", "<html>"), "");
    EXPECT_EQ(error_code(std::string(100, 'x'), "").size(), 64u);
}

core::Error error(unsigned status, std::string_view code) {
    Attempt attempt;
    attempt.status = status;
    attempt.throttled = is_throttling(code);
    return error_of(attempt, code);
}

TEST(ChimeErrors, EachMeansOneThing) {
    using core::ErrorKind;
    EXPECT_EQ(error(404, "NotFoundException").kind, ErrorKind::gone);
    EXPECT_EQ(error(404, "UnknownOperationException").kind, ErrorKind::bad_gateway);
    EXPECT_EQ(error(404, "").kind, ErrorKind::bad_gateway);
    for (const unsigned status : {409u, 429u, 503u})
        EXPECT_EQ(error(status, "X").kind, ErrorKind::unavailable) << status;
    EXPECT_EQ(error(400, "LimitExceededException").kind, ErrorKind::unavailable);
    EXPECT_EQ(error(400, "ThrottlingException").kind, ErrorKind::unavailable);
    for (const unsigned status : {302u, 400u, 401u, 403u, 422u, 500u, 501u, 504u})
        EXPECT_EQ(error(status, "X").kind, ErrorKind::bad_gateway) << status;
    Attempt slow;
    slow.end = Attempt::End::timed_out;
    EXPECT_EQ(error_of(slow, "").kind, ErrorKind::timeout);
    Attempt broken;
    broken.end = Attempt::End::connection_broke;
    EXPECT_EQ(error_of(broken, "").detail, "AWS Chime is not reachable at the moment");
    Attempt busy;
    busy.status = 503;
    busy.retry_after = std::chrono::seconds{7};
    EXPECT_EQ(error_of(busy, "").retry_after, std::chrono::seconds{7});
    busy.retry_after = std::chrono::seconds{0};
    EXPECT_EQ(error_of(busy, "").retry_after, std::chrono::seconds{1});
}

}  // namespace
}  // namespace meetings::chime
