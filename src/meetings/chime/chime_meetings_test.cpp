// Against the stand-in for AWS: what the use cases rely on.
#include "meetings/chime/chime_meetings.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "meetings/chime/chime_standin.hpp"

namespace meetings::chime {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using consultation::Provider;
using core::ErrorKind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::run;
using testing::Standin;

CredentialSettings keys_of_standin() {
    CredentialSettings settings;
    settings.access_key_id = Standin::kKey;
    settings.secret_access_key = Standin::kSecret;
    settings.metadata_disabled = true;
    return settings;
}

class ChimeMeetingsTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { standin_ = std::make_unique<Standin>(); }
    static void TearDownTestSuite() { standin_.reset(); }
    void SetUp() override {
        standin_->control("reset");
        ASSERT_EQ(credentials_.discover(seconds{20}), true);
    }

    static ChimeApiSettings api_settings() {
        ChimeApiSettings settings;
        settings.endpoint = standin_->url();
        settings.timeout = milliseconds{10'000};  // A loaded machine is not what is tested.
        return settings;
    }
    static service::MeetingPlan plan(int generation = 1) {
        service::MeetingPlan out;
        out.session_id = "54a780e9-cdea-473a-ad93-801d19d54ff4";
        out.generation = generation;
        out.doctor_id = "12";
        out.patient_id = "34";
        out.external_user_ids = {"doctor-12", "patient-34"};
        return out;
    }
    service::MadeMeeting made(const service::MeetingPlan& of = plan()) {
        auto out = run(meetings_.create_meeting(of));
        EXPECT_TRUE(out) << out.error().detail;
        return out.value_or(service::MadeMeeting{});
    }
    std::string attendee_id(const consultation::Meeting& meeting, const std::string& who, const std::string& known = "",
                            bool renew = false) {
        const auto got = run(meetings_.credentials(meeting, who, known, renew, {}));
        return got ? got->attendee_id : "error: " + got.error().detail;
    }

    static std::unique_ptr<Standin> standin_;
    core::SystemClock clock_;
    net::HttpClient client_;
    AwsCredentials credentials_{keys_of_standin(), client_, clock_};
    ChimeApi api_{api_settings(), client_, credentials_, clock_};
    ChimeMeetings meetings_{{}, api_};
};

std::unique_ptr<Standin> ChimeMeetingsTest::standin_;

TEST_F(ChimeMeetingsTest, OneCallMakesTheMeetingAndBothAttendees) {
    const auto out = made();
    EXPECT_EQ(out.meeting.provider, Provider::chime);
    EXPECT_EQ(out.meeting.external_meeting_id, "pulseone-" + plan().session_id);
    EXPECT_EQ(out.meeting.media_region, "us-east-1");
    EXPECT_EQ(out.meeting.generation, 1);
    EXPECT_TRUE(out.meeting.signaling_url.starts_with("wss://"));
    EXPECT_TRUE(out.note.empty());
    ASSERT_EQ(out.attendees.size(), 2u);
    EXPECT_EQ(out.attendees[0].external_user_id, "doctor-12");
    EXPECT_EQ(standin_->count("CreateMeetingWithAttendees"), 1);
    EXPECT_EQ(standin_->control("state").at("total").as_int64(), 1);

    const auto request = standin_->meetings().at(0).at("Request");
    EXPECT_EQ(request.at("ClientRequestToken").as_string(), plan().session_id + "-1");
    EXPECT_EQ(
        json::serialize(request.at("MeetingFeatures")),
        R"({"Audio":{"EchoReduction":"AVAILABLE"},"Video":{"MaxResolution":"HD"},"Content":{"MaxResolution":"FHD"}})");
    EXPECT_EQ(json::serialize(standin_->meetings().at(0).at("Tags")),
              R"({"Service":"PulseOne","Type":"VideoConsultation","DoctorId":"12","PatientId":"34","SessionId":")" +
                  plan().session_id + "\"}");
    // The attendees that came with the meeting are those that are asked for later.
    EXPECT_EQ(attendee_id(out.meeting, "doctor-12", out.attendees[0].attendee_id), out.attendees[0].attendee_id);
}

TEST_F(ChimeMeetingsTest, TheSamePlanIsTheSameMeetingAndAnotherGenerationAnother) {
    const auto first = made();
    EXPECT_EQ(made().meeting, first.meeting);
    const auto second = made(plan(2));
    EXPECT_NE(second.meeting.meeting_id, first.meeting.meeting_id);
    EXPECT_EQ(second.meeting.generation, 2);
    auto elsewhere = plan(3);
    elsewhere.media_region = "eu-west-2";
    EXPECT_EQ(made(elsewhere).meeting.media_region, "eu-west-2");
}

TEST_F(ChimeMeetingsTest, TwoAtOnceMakeOneMeeting) {
    standin_->control("latency", {{"operation", "CreateMeetingWithAttendees"}, {"ms", 150}});
    asio::io_context loop(1);
    std::vector<std::string> ids;
    for (int i = 0; i < 2; ++i)
        asio::co_spawn(loop, meetings_.create_meeting(plan()),
                       [&](const std::exception_ptr&, const core::Result<service::MadeMeeting>& out) {
                           ids.push_back(out ? out->meeting.meeting_id : out.error().detail);
                       });
    loop.run();
    ASSERT_EQ(ids.size(), 2u);
    EXPECT_EQ(ids[0], ids[1]);
    EXPECT_EQ(standin_->meetings().size(), 1u);
    EXPECT_GE(standin_->count("CreateMeetingWithAttendees"), 3) << "one of them was told to wait";
}

TEST_F(ChimeMeetingsTest, D3AMeetingThatAwsHasEndedIsGoneAndMadeAnew) {
    const auto first = made();
    standin_->control("end", {{"meetingId", first.meeting.meeting_id}});
    for (const bool renew : {false, true}) {
        const auto stale =
            run(meetings_.credentials(first.meeting, "doctor-12", first.attendees[0].attendee_id, renew, {}));
        ASSERT_FALSE(stale);
        EXPECT_EQ(stale.error().kind, ErrorKind::gone);
    }
    EXPECT_EQ(run(meetings_.roster(first.meeting)).error().kind, ErrorKind::gone);
    const auto second = made(plan(2));
    EXPECT_NE(second.meeting.meeting_id, first.meeting.meeting_id);
    EXPECT_EQ(second.attendees.size(), 2u);
    // The old token gives the old, ended meeting again: no attendee of it is handed out.
    EXPECT_TRUE(made().attendees.empty());
}

TEST_F(ChimeMeetingsTest, D5CredentialsAlwaysBelongToThePresentMeeting) {
    const auto first = made();
    const auto second = made(plan(2));
    const auto old_id = first.attendees[0].attendee_id;
    const auto got = run(meetings_.credentials(second.meeting, "doctor-12", old_id, false, {}));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->external_user_id, "doctor-12");
    EXPECT_NE(got->attendee_id, old_id);
    EXPECT_EQ(got->attendee_id, second.attendees[0].attendee_id);
    EXPECT_EQ(got->join_token, second.attendees[0].join_token);
}

TEST_F(ChimeMeetingsTest, WhoHasLeftGetsANewIdentity) {
    const auto out = made();
    const auto old_id = out.attendees[1].attendee_id;
    EXPECT_EQ(attendee_id(out.meeting, "patient-34", old_id), old_id);
    const auto new_id = attendee_id(out.meeting, "patient-34", old_id, true);
    EXPECT_NE(new_id, old_id);
    EXPECT_EQ(attendee_id(out.meeting, "patient-34", new_id), new_id);
    // The old one was removed already: that is no reason to refuse.
    EXPECT_EQ(attendee_id(out.meeting, "patient-34", old_id, true), new_id);
    const auto roster = run(meetings_.roster(out.meeting));
    ASSERT_TRUE(roster);
    EXPECT_EQ(std::ranges::count(*roster, old_id), 0);
}

TEST_F(ChimeMeetingsTest, D18OddUserIdsAreMadeToFit) {
    auto odd = plan();
    const std::string who = "doctor-" + std::string(90, 'x') + "łódź";
    odd.doctor_id = who;
    odd.external_user_ids = {who, "patient-34", "patient-34"};
    const auto out = made(odd);
    ASSERT_EQ(out.attendees.size(), 2u);
    const auto got = run(meetings_.credentials(out.meeting, who, "", false, {}));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->external_user_id, out.attendees[0].external_user_id);
    EXPECT_EQ(got->attendee_id, out.attendees[0].attendee_id);
}

TEST_F(ChimeMeetingsTest, NobodyNeedsToBeNamed) {
    auto nobody = plan();
    nobody.external_user_ids.clear();
    const auto out = made(nobody);
    EXPECT_TRUE(out.attendees.empty());
    EXPECT_EQ(standin_->count("CreateMeeting"), 1);
    const auto roster = run(meetings_.roster(out.meeting));
    ASSERT_TRUE(roster);
    EXPECT_TRUE(roster->empty());
    EXPECT_EQ(standin_->count("GetMeeting"), 1);
}

TEST_F(ChimeMeetingsTest, RosterIsReadPageByPage) {
    const auto out = made();
    for (int i = 0; i < 103; ++i) attendee_id(out.meeting, "patient-" + std::to_string(1000 + i));
    const auto roster = run(meetings_.roster(out.meeting));
    ASSERT_TRUE(roster);
    EXPECT_EQ(roster->size(), 105u);
    EXPECT_EQ(standin_->count("ListAttendees"), 2);
}

TEST_F(ChimeMeetingsTest, EndingAndRemovingIsDoneOnceAndFineTwice) {
    const auto out = made();
    const auto& id = out.meeting.meeting_id;
    EXPECT_TRUE(run(meetings_.remove_attendee(Provider::chime, id, out.attendees[0].attendee_id)));
    EXPECT_TRUE(run(meetings_.remove_attendee(Provider::chime, id, out.attendees[0].attendee_id)));
    EXPECT_EQ(run(meetings_.roster(out.meeting))->size(), 1u);
    EXPECT_TRUE(run(meetings_.end_meeting(Provider::chime, id)));
    EXPECT_FALSE(standin_->meetings().at(0).at("Ended").is_null());
    EXPECT_TRUE(run(meetings_.end_meeting(Provider::chime, id)));
    EXPECT_TRUE(run(meetings_.end_meeting(Provider::chime, "not an id of AWS's")));
    EXPECT_TRUE(run(meetings_.remove_attendee(Provider::chime, id, out.attendees[1].attendee_id)));
}

TEST_F(ChimeMeetingsTest, D23ADeleteThatFailsIsSaidToHaveFailed) {
    const auto out = made();
    standin_->control("fail", {{"operation", "DeleteMeeting"}, {"count", 4}});
    const auto failed = run(meetings_.end_meeting(Provider::chime, out.meeting.meeting_id));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::bad_gateway);
    EXPECT_TRUE(standin_->meetings().at(0).at("Ended").is_null());
    EXPECT_TRUE(run(meetings_.end_meeting(Provider::chime, out.meeting.meeting_id)));
    EXPECT_FALSE(standin_->meetings().at(0).at("Ended").is_null());
}

TEST_F(ChimeMeetingsTest, TranscriptionStartsAndStops) {
    const auto out = made();
    service::TranscriptionOptions options;
    EXPECT_TRUE(run(meetings_.start_transcription(out.meeting, options)));
    EXPECT_EQ(json::serialize(standin_->meetings().at(0).at("Transcription")),
              R"({"EngineTranscribeSettings":{"LanguageCode":"en-US","Region":"auto"}})");
    options.medical = true;
    options.specialty = "CARDIOLOGY";
    EXPECT_TRUE(run(meetings_.start_transcription(out.meeting, options)));
    EXPECT_EQ(
        json::serialize(standin_->meetings().at(0).at("Transcription")),
        R"({"EngineTranscribeMedicalSettings":{"LanguageCode":"en-US","Region":"auto","Specialty":"CARDIOLOGY","Type":"CONVERSATION"}})");
    EXPECT_TRUE(run(meetings_.stop_transcription(out.meeting)));
    EXPECT_TRUE(standin_->meetings().at(0).at("Transcription").is_null());
    options.language_code = "tlh";
    EXPECT_EQ(run(meetings_.start_transcription(out.meeting, options)).error().kind, ErrorKind::bad_gateway);
    standin_->control("end", {{"meetingId", out.meeting.meeting_id}});
    EXPECT_EQ(run(meetings_.start_transcription(out.meeting, {})).error().kind, ErrorKind::gone);
    EXPECT_EQ(run(meetings_.stop_transcription(out.meeting)).error().kind, ErrorKind::gone);
}

TEST_F(ChimeMeetingsTest, AnAccountThatMayNotTagGoesWithout) {
    standin_->control("fail", {{"operation", "CreateMeetingWithAttendees"},
                               {"count", 1},
                               {"status", 403},
                               {"code", "AccessDeniedException"}});
    EXPECT_EQ(made().attendees.size(), 2u);
    EXPECT_EQ(standin_->count("CreateMeetingWithAttendees"), 2);
    EXPECT_EQ(made(plan(2)).attendees.size(), 2u);
    EXPECT_EQ(standin_->count("CreateMeetingWithAttendees"), 3);
    for (const auto& meeting : standin_->meetings()) EXPECT_TRUE(meeting.at("Tags").as_object().empty());
}

TEST_F(ChimeMeetingsTest, ARefusalThatIsNotAboutTagsIsNot) {
    standin_->control("fail", {{"status", 403}, {"code", "AccessDeniedException"}, {"message", "arn:aws:iam::secret"}});
    const auto refused = run(meetings_.create_meeting(plan()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::bad_gateway);
    EXPECT_EQ(refused.error().detail, "AWS Chime refused the request");
    standin_->control("heal");
    made();
    EXPECT_EQ(standin_->meetings().at(0).at("Tags").as_object().size(), 5u);
}

TEST_F(ChimeMeetingsTest, PresenceIsKnownOnlyFromEvents) {
    EXPECT_EQ(meetings_.presence(Provider::chime), ChimeMeetings::Presence::none);
    const ChimeMeetings with_events({.events_expected = true}, api_);
    EXPECT_EQ(with_events.presence(Provider::chime), ChimeMeetings::Presence::events);
    const auto out = made();
    EXPECT_EQ(meetings_.placed_for(out.meeting, "https://elsewhere"), out.meeting);
}

}  // namespace
}  // namespace meetings::chime
