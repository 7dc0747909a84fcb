#include "api/chime/requests.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "api/chime/answers.hpp"
#include "api/chime/route.hpp"

namespace api::chime {
namespace {

using core::Flow;

/// What `read` says of the body: a complaint's text, or `ok`.
template <class Read>
std::string complaint(std::string_view text, Read read) {
    Complaint complaint;
    const auto body = read_body(text);
    if (!body) return "no JSON";
    const bool well = read(*body, complaint).has_value();
    EXPECT_NE(well, complaint.any());
    return well ? "ok" : complaint.text();
}

std::string meeting_complaint(std::string_view more) {
    const std::string text =
        R"({"ClientRequestToken":"t-1","MediaRegion":"local","ExternalMeetingId":"visit")" + std::string(more) + "}";
    return complaint(text, [](const auto& body, Complaint& c) { return read_create_meeting(body, false, c); });
}

TEST(ChimeRequests, ABodyIsAnObjectOrNothing) {
    EXPECT_TRUE(read_body("").has_value());
    EXPECT_TRUE(read_body(" \r\n").has_value());
    EXPECT_TRUE(read_body("{}").has_value());
    for (const std::string_view wrong : {"[]", "{", "null", "{\"a\":\"\xff\"}", "{} x", "{\"a\":\"\\ud800\"}"}) {
        EXPECT_FALSE(read_body(wrong).has_value()) << wrong;
    }
    EXPECT_FALSE(read_body(std::string(40, '[') + std::string(40, ']')).has_value());
}

TEST(ChimeRequests, AMeetingIsUnderstood) {
    const auto body =
        read_body(R"({"ClientRequestToken":"t-1","MediaRegion":"eu-central-1","ExternalMeetingId":"Visite «1»",
        "MeetingHostId":"me","MeetingFeatures":{"Attendee":{"MaxCount":7},"Video":{"MaxResolution":"FHD"},"Audio":{}},
        "TenantIds":["t1"],"Tags":[{"Key":"k","Value":""}],"Unknown":{"x":[1]},"PrimaryMeetingId":null,
        "Attendees":[{"ExternalUserId":"one"},{"ExternalUserId":"two","Capabilities":{"Audio":"Send","Video":"None","Content":"None"}}]})");
    Complaint complaint;
    const auto wanted = read_create_meeting(*body, true, complaint);
    ASSERT_TRUE(wanted.has_value()) << complaint.text();
    EXPECT_EQ(wanted->request_token, "t-1");
    EXPECT_EQ(wanted->media_region, "eu-central-1");
    EXPECT_EQ(wanted->external_meeting_id, "Visite «1»");
    EXPECT_EQ(wanted->max_attendees, 7);
    EXPECT_EQ(wanted->tags, (service::Tags{{"k", ""}}));
    EXPECT_EQ(wanted->details, R"({"MeetingHostId":"me","MeetingFeatures":{"Audio":{},"Video":{"MaxResolution":"FHD"},)"
                               R"("Attendee":{"MaxCount":7}},"TenantIds":["t1"]})");
    ASSERT_EQ(wanted->attendees.size(), 2U);
    EXPECT_EQ(wanted->attendees[0].capabilities, core::Capabilities{});
    EXPECT_EQ(wanted->attendees[1].capabilities, (core::Capabilities{Flow::send, Flow::none, Flow::none}));
}

TEST(ChimeRequests, TheHashIsOfTheMeaning) {
    const auto hash = [](std::string_view text) {
        Complaint complaint;
        return read_create_meeting(*read_body(text), false, complaint)->request_hash;
    };
    const auto base = hash(R"({"ClientRequestToken":"t1","MediaRegion":"local","ExternalMeetingId":"visit"})");
    EXPECT_EQ(base,
              hash(R"({ "ExternalMeetingId":"visit", "Odd":1, "MediaRegion":"local","ClientRequestToken":"t1"})"));
    for (
        const std::string_view other :
        {R"({"ClientRequestToken":"t1","MediaRegion":"other","ExternalMeetingId":"visit"})",
         R"({"ClientRequestToken":"t1","MediaRegion":"local","ExternalMeetingId":"visit2"})",
         R"({"ClientRequestToken":"t1","MediaRegion":"local","ExternalMeetingId":"visit","Tags":[{"Key":"k","Value":""}]})",
         R"({"ClientRequestToken":"t1","MediaRegion":"local","ExternalMeetingId":"visit","MediaPlacementNetworkType":"DualStack"})",
         R"({"ClientRequestToken":"t1","MediaRegion":"local","ExternalMeetingId":"visit","TenantIds":["t1"]})"}) {
        EXPECT_NE(base, hash(other)) << other;
    }
}

TEST(ChimeRequests, ComplaintsNameThePlaceAndRepeatNoValue) {
    EXPECT_EQ(meeting_complaint(""), "ok");
    EXPECT_EQ(meeting_complaint(R"(,"Tags":[{"Key":"k","Value":""},{"Key":"gehéim","Value":""}])"),
              "1 validation error detected: Value at 'Tags.2.member.Key' failed to satisfy constraint: Member must "
              "satisfy the regular expression pattern of the API reference");
    EXPECT_EQ(meeting_complaint(R"(,"MeetingFeatures":{"Content":{"MaxResolution":"HD"}})"),
              "1 validation error detected: Value at 'MeetingFeatures.Content.MaxResolution' failed to satisfy "
              "constraint: Member must satisfy enum value set: [None, FHD, UHD]");
    EXPECT_EQ(meeting_complaint(R"(,"PrimaryMeetingId":"primary")"),
              "1 validation error detected: Value at 'PrimaryMeetingId' failed to satisfy constraint: Member must not "
              "be given: this installation has no replica meetings");
    for (const std::string_view wrong :
         {R"(,"MeetingHostId":5)", R"(,"MeetingFeatures":[])", R"(,"TenantIds":"t")", R"(,"TenantIds":[1])",
          R"(,"Tags":[5])", R"(,"Tags":{})", R"(,"MeetingFeatures":{"Attendee":{"MaxCount":"5"}})",
          R"(,"MeetingFeatures":{"Attendee":{"MaxCount":1.5}})",
          R"(,"NotificationsConfiguration":{"SqsQueueArn":"x"})"}) {
        EXPECT_NE(meeting_complaint(wrong), "ok") << wrong;
    }
}

TEST(ChimeRequests, CapabilitiesAreWholeAndSound) {
    const auto of = [](std::string_view text) {
        return complaint(text, [](const auto& body, Complaint& c) { return read_capabilities_update(body, c); });
    };
    EXPECT_EQ(of(R"({"Capabilities":{"Audio":"None","Video":"Receive","Content":"SendReceive"}})"), "ok");
    EXPECT_EQ(of(R"({"Capabilities":{"Audio":"None","Video":"None","Content":"Send"}})"), "ok");
    for (const std::string_view wrong : {"{}", R"({"Capabilities":{"Audio":"None","Video":"None"}})",
                                         R"({"Capabilities":{"Audio":"none","Video":"None","Content":"None"}})",
                                         R"({"Capabilities":{"Audio":"Send","Video":"Send","Content":"Receive"}})"}) {
        EXPECT_NE(of(wrong), "ok") << wrong;
    }
}

TEST(ChimeRequests, ATranscriptionHasOneEngine) {
    Complaint complaint;
    const auto wanted = read_transcription(
        *read_body(R"({"TranscriptionConfiguration":{"EngineTranscribeMedicalSettings":{"LanguageCode":"en-US",
            "Specialty":"CARDIOLOGY","Type":"DICTATION","Region":"eu-west-1","Odd":1}}})"),
        complaint);
    ASSERT_TRUE(wanted.has_value()) << complaint.text();
    EXPECT_EQ(wanted->region, "eu-west-1");
    EXPECT_EQ(wanted->configuration, R"({"EngineTranscribeMedicalSettings":{"LanguageCode":"en-US",)"
                                     R"("Specialty":"CARDIOLOGY","Type":"DICTATION","Region":"eu-west-1"}})");
}

TEST(ChimeRequests, ArnsAndPageTokensLeadBack) {
    service::SdkMeeting meeting;
    meeting.meeting_id = "00000001-0000-4000-8000-000000000001";
    meeting.control_region = "eu-central-1";
    EXPECT_EQ(meeting_of_arn(arn_of(meeting)), meeting.meeting_id);
    for (const std::string_view wrong :
         {"", "arn:aws:chime:r:0:meeting/", "arn:aws:s3:::meeting/x", "arn:aws:chime:r:0:meeting/1"}) {
        EXPECT_EQ(meeting_of_arn(wrong), std::nullopt) << wrong;
    }
    EXPECT_EQ(read_page_token(page_token(meeting.meeting_id)), meeting.meeting_id);
    for (const std::string_view wrong : {"", "x", "!!", "YTo"})
        EXPECT_EQ(read_page_token(wrong), std::nullopt) << wrong;
}

TEST(ChimeRoutes, EveryOperationHasItsPath) {
    const auto operation = [](std::string_view method, std::string_view target) {
        const auto route = route_of(method, target);
        return route ? static_cast<int>(route->operation) : -1;
    };
    const auto number = [](Operation meant) { return static_cast<int>(meant); };
    EXPECT_EQ(operation("POST", "/chime/meetings"), number(Operation::create_meeting));
    EXPECT_EQ(operation("POST", "/chime/meetings?operation=create-attendees"),
              number(Operation::create_meeting_with_attendees));
    EXPECT_EQ(operation("PUT", "/chime/meetings/m/attendees/capabilities?operation=batch-update-except"),
              number(Operation::batch_update_attendee_capabilities_except));
    EXPECT_EQ(operation("PUT", "/chime/meetings/m/attendees/a/capabilities"),
              number(Operation::update_attendee_capabilities));
    const auto route = route_of("GET", "/chime/meetings/m%20x/attendees/a%2Fb?x=y");
    ASSERT_TRUE(route.has_value());
    EXPECT_EQ(route->operation, Operation::get_attendee);
    EXPECT_EQ(route->meeting_id, "m x");
    EXPECT_EQ(route->attendee_id, "a/b");
    for (const std::string_view wrong :
         {"/chime/", "/chime//meetings", "/chime/meetings/", "/chime/meetings//attendees", "/chime/meetings/%zz",
          "/chime/meetings/m?operation=x", "/chime/a/b/c/d/e/f", "/chime/?operation=start"}) {
        EXPECT_EQ(operation("GET", wrong), -1) << wrong;
    }
    EXPECT_TRUE(is_chime_path("/chime/x"));
    EXPECT_FALSE(is_chime_path("/chime"));
    EXPECT_FALSE(is_chime_path("/chimes/x"));
}

}  // namespace
}  // namespace api::chime
