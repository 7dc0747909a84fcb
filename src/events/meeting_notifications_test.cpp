#include "events/meeting_notifications.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <map>

namespace events {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

const core::Time kNow{std::chrono::sys_days{2026y / 1 / 25} + 14h};

service::MeetingNotification joined() {
    service::MeetingNotification told;
    told.sequence = 7;
    told.event_type = "chime:AttendeeJoined";
    told.occurred_at = kNow + 1'234'567us;
    told.meeting_id = "00000001-0000-4000-8000-000000000001";
    told.external_meeting_id = "visit \"17\"";
    told.media_region = "local";
    told.control_region = "eu-central-1";
    told.attendee_id = "00000002-0000-4000-8000-000000000002";
    told.external_user_id = "Ärztin";
    return told;
}

TEST(MeetingNotification, HasTheShapeOfEventBridge) {
    const auto told = joined();
    const json::value wanted{{"version", "0"},
                             {"id", notification_id(told)},
                             {"detail-type", "Chime Meeting State Change"},
                             {"source", "aws.chime"},
                             {"account", "000000000000"},
                             {"time", "2026-01-25T14:00:01Z"},
                             {"region", "eu-central-1"},
                             {"resources", json::array{}},
                             {"detail",
                              {{"version", "0"},
                               {"eventType", "chime:AttendeeJoined"},
                               {"timestamp", 1'769'349'601'234},
                               {"meetingId", told.meeting_id},
                               {"attendeeId", told.attendee_id},
                               {"externalUserId", "Ärztin"},
                               {"networkType", "Voip"},
                               {"externalMeetingId", "visit \"17\""},
                               {"mediaRegion", "local"}}}};
    EXPECT_EQ(json::parse(notification_body(told)), wanted);
}

TEST(MeetingNotification, EachKindHasItsMembers) {
    auto told = joined();
    const auto detail = [&told] { return json::parse(notification_body(told)).at("detail").as_object(); };
    told.event_type = "chime:AttendeeVideoStarted";
    EXPECT_FALSE(detail().contains("networkType"));
    told.event_type = "chime:AttendeeCapabilitiesUpdated";
    told.capabilities =
        core::Capabilities{.audio = core::Flow::both, .video = core::Flow::receive, .content = core::Flow::none};
    EXPECT_EQ(detail().at("attendeeCapabilities"),
              (json::value{{"audio", "SendReceive"}, {"video", "Receive"}, {"content", "None"}}));
    told = joined();
    told.event_type = "chime:MeetingEnded";
    told.attendee_id.clear();
    told.external_user_id.clear();
    EXPECT_FALSE(detail().contains("attendeeId"));
    EXPECT_FALSE(detail().contains("externalUserId"));
    EXPECT_FALSE(detail().contains("attendeeCapabilities"));
}

TEST(MeetingNotification, ARepetitionHasTheSameId) {
    const auto first = joined();
    auto again = joined();
    again.attempts = 3;
    EXPECT_EQ(notification_id(first), notification_id(again));
    EXPECT_EQ(notification_id(first).size(), 36U);
    again.sequence = 8;
    EXPECT_NE(notification_id(first), notification_id(again));
    again = joined();
    again.meeting_id = "00000009-0000-4000-8000-000000000009";
    EXPECT_NE(notification_id(first), notification_id(again));
}

TEST(MeetingNotification, IsSignedAsWebhooksAre) {
    MeetingNotificationSettings settings;
    settings.url = "https://events.example.org/x";
    settings.key = *webhook_key("secret");
    const auto headers_of = [&settings] {
        std::map<std::string, std::string> headers;
        for (auto& [name, value] : notification_request(settings, joined(), kNow).headers) headers[name] = value;
        return headers;
    };
    const auto request = notification_request(settings, joined(), kNow);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, settings.url);
    EXPECT_EQ(request.body, notification_body(joined()));
    auto headers = headers_of();
    EXPECT_EQ(headers["webhook-id"], notification_id(joined()));
    EXPECT_EQ(headers["webhook-timestamp"], "1769349600");
    EXPECT_EQ(headers["webhook-signature"],
              webhook_signature(settings.key, notification_id(joined()), 1'769'349'600, request.body));
    EXPECT_FALSE(headers.contains("x-api-key"));
    settings.api_key = "of the destination";
    EXPECT_EQ(headers_of()["x-api-key"], "of the destination");
}

}  // namespace
}  // namespace events
