#include "api/answers.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "api/json_text.hpp"
#include "core/asset.hpp"

namespace api {
namespace {

namespace json = boost::json;
using core::parse_utc;

consultation::Session booked() {
    consultation::Session s;
    s.session_id = "54a780e9-cdea-473a-ad93-801d19d54ff4";
    s.booking_type = consultation::BookingType::clinic_based;
    s.appointment_id = "789e1552-abfa-42ab-a7a9-b033e8b745f9";
    s.doctor_id = "12";
    s.patient_id = "34";
    s.clinic_id = 4;
    s.scheduled_start_time = *parse_utc("2026-01-25T14:00:00");
    s.scheduled_end_time = *parse_utc("2026-01-25T14:30:00");
    s.chief_complaint = "Follow-up consultation";
    s.created_at = s.updated_at = *parse_utc("2026-01-24T10:30:00.934643");
    return s;
}

consultation::Session running() {
    auto s = booked();
    s.status = consultation::Status::active;
    s.actual_start_time = s.patient_joined_at = *parse_utc("2026-01-25T13:58:16");
    s.doctor_joined_at = *parse_utc("2026-01-25T14:00:19");
    s.meeting = consultation::Meeting{consultation::Provider::chime,
                                      "m",
                                      "pulseone-s",
                                      "us-east-1",
                                      "host:3478",
                                      "wss://f",
                                      "wss://s",
                                      "https://t",
                                      1};
    consultation::Attendee doctor;
    doctor.user_id = "12";
    doctor.role = consultation::Role::doctor;
    doctor.joined_at = s.doctor_joined_at;
    doctor.open_interval_id = "i";
    doctor.opened_at = s.doctor_joined_at;
    consultation::Attendee patient;
    patient.user_id = "34";
    patient.joined_at = s.patient_joined_at;
    patient.left_at = *parse_utc("2026-01-25T14:05:00");
    patient.attended = std::chrono::seconds{404};
    s.attendees = {doctor, patient};
    return s;
}

/// The contract's answer of a fresh booking, and behind it the fields that its clients asked for.
TEST(SessionAnswer, IsTheContractsInItsOrder) {
    EXPECT_EQ(
        session_answer(booked(), {}, *parse_utc("2026-01-25")),
        R"({"session_id":"54a780e9-cdea-473a-ad93-801d19d54ff4","booking_type":"CLINIC_BASED",)"
        R"("appointment_id":"789e1552-abfa-42ab-a7a9-b033e8b745f9","doctor_id":"12","patient_id":"34","clinic_id":4,)"
        R"("status":"SCHEDULED","scheduled_start_time":"2026-01-25T14:00:00Z","scheduled_end_time":"2026-01-25T14:30:00Z",)"
        R"("actual_start_time":null,"actual_end_time":null,"consultation_duration_minutes":30,)"
        R"("chief_complaint":"Follow-up consultation","session_notes":null,"doctor_joined_at":null,"patient_joined_at":null,)"
        R"("meeting_id":null,"external_meeting_id":null,"media_region":null,"media_placement_audio_host_url":null,)"
        R"("media_placement_audio_fallback_url":null,"media_placement_signaling_url":null,)"
        R"("media_placement_turn_control_url":null,"created_at":"2026-01-24T10:30:00.934643Z",)"
        R"("updated_at":"2026-01-24T10:30:00.934643Z","doctor_left_at":null,"patient_left_at":null,"cancelled_at":null,)"
        R"("cancelled_by":null,"cancellation_reason":null,"connection_quality_rating":null,"meeting_provider":null,)"
        R"("doctor_name":null,"doctor_specialty":null,"patient_name":null,"clinic_name":null,"duration_minutes":null,)"
        R"("attendee_minutes":0,"attendees":[],"waiting_room":false})");
}

TEST(SessionAnswer, ShowsWhoIsInAndHowLong) {
    const auto answer = json::parse(session_answer(running(), {}, *parse_utc("2026-01-25T14:10:00")));
    EXPECT_EQ(answer.at("duration_minutes"), 11);
    EXPECT_EQ(answer.at("attendee_minutes"), 6);
    EXPECT_EQ(answer.at("meeting_id"), "m");
    EXPECT_EQ(answer.at("media_placement_turn_control_url"), "https://t");
    EXPECT_EQ(answer.at("attendees"), json::parse(R"([
        {"user_id":"12","role":"DOCTOR","joined_at":"2026-01-25T14:00:19Z","left_at":null,"connected":true,"attendee_minutes":0,
         "admission":"NONE","guest_role":null,"name":null},
        {"user_id":"34","role":"PATIENT","joined_at":"2026-01-25T13:58:16Z","left_at":"2026-01-25T14:05:00Z","connected":false,"attendee_minutes":6,
         "admission":"NONE","guest_role":null,"name":null}])"));
}

TEST(SessionAnswer, SaysWhereTheMeetingIsOrShallBe) {
    auto s = booked();
    s.media_region = "eu-central-1";
    auto answer = json::parse(session_answer(s, {}, {}));
    EXPECT_EQ(answer.at("media_region"), "eu-central-1");
    EXPECT_EQ(answer.at("meeting_provider"), nullptr);
    s.meeting = running().meeting;
    answer = json::parse(session_answer(s, {"Dr. Who", "Time", "Rose", "Tardis"}, {}));
    EXPECT_EQ(answer.at("media_region"), "us-east-1");
    EXPECT_EQ(answer.at("meeting_provider"), "chime");
    EXPECT_EQ(answer.at("doctor_name"), "Dr. Who");
    EXPECT_EQ(answer.at("doctor_specialty"), "Time");
    EXPECT_EQ(answer.at("patient_name"), "Rose");
    EXPECT_EQ(answer.at("clinic_name"), "Tardis");
}

TEST(SessionAnswer, ADurationEndsWithTheSession) {
    auto s = running();
    s.status = consultation::Status::completed;
    s.actual_end_time = *parse_utc("2026-01-25T14:31:11");
    EXPECT_EQ(json::parse(session_answer(s, {}, *parse_utc("2027-01-01"))).at("duration_minutes"), 32);
}

TEST(SessionAnswer, TextsAreEscaped) {
    auto s = booked();
    s.chief_complaint = "\"\\\n\t\x01\x7f</script>\xf0\x9f\x98\x80";
    EXPECT_EQ(json::parse(session_answer(s, {}, s.created_at)).at("chief_complaint"), json::value(*s.chief_complaint));
}

TEST(JsonText, EscapesWhateverStandsBesideIt) {
    // Every byte value of ASCII at every place of two words.
    for (int c = 0; c < 0x80; ++c) {
        for (std::size_t place = 0; place < 19; ++place) {
            std::string text = "abcdefgh\xc3\xa9\xf0\x9f\x98\x80nopqr";
            if ((static_cast<unsigned char>(text[place]) & 0x80) != 0) continue;
            text[place] = static_cast<char>(c);
            std::string out;
            append_json(out, text);
            ASSERT_EQ(json::parse(out).as_string(), text) << c << ' ' << place;
        }
    }
}

TEST(ListAnswer, HoldsThePage) {
    ListRequest request;
    request.page = 2;
    request.page_size = 2;
    const std::vector<service::SessionNames> names{{}, {"Dr. Who", {}, {}, "City \"A\""}};
    const auto answer = json::parse(list_answer({{booked(), running()}, 4}, names, request, *parse_utc("2026-01-25")));
    EXPECT_EQ(answer.at("sessions").as_array().size(), 2u);
    EXPECT_EQ(answer.at("total"), 4);
    EXPECT_EQ(answer.at("page"), 2);
    EXPECT_EQ(answer.at("page_size"), 2);
    EXPECT_EQ(answer.at("sessions").at(0).at("doctor_name"), nullptr);
    EXPECT_EQ(answer.at("sessions").at(1).at("doctor_name"), "Dr. Who");
    EXPECT_EQ(answer.at("sessions").at(1).at("clinic_name"), "City \"A\"");
    EXPECT_THROW(list_answer({{booked()}, 1}, {}, {}, {}), std::logic_error);
    EXPECT_EQ(list_answer({{}, 0}, {}, {}, {}), R"({"sessions":[],"total":0,"page":1,"page_size":20})");
}

TEST(JoinAnswer, IsTheContracts) {
    service::Joined joined;
    joined.session = booked();
    joined.role = consultation::Role::patient;
    joined.user_id = "34";
    joined.meeting = {consultation::Provider::embedded,
                      "m",
                      "pulseone-s",
                      "us-east-1",
                      "host:3478",
                      "wss://f",
                      "wss://s",
                      "https://t",
                      1};
    joined.credentials = {"a", "patient-34", "secret"};
    EXPECT_EQ(
        join_answer(joined),
        R"({"session_id":"54a780e9-cdea-473a-ad93-801d19d54ff4","meeting_id":"m","external_meeting_id":"pulseone-s",)"
        R"("media_region":"us-east-1","media_placement":{"audio_host_url":"host:3478","audio_fallback_url":"wss://f",)"
        R"("signaling_url":"wss://s","turn_control_url":"https://t","screen_data_url":null,"screen_viewing_url":null,)"
        R"("screen_sharing_url":null},"attendee":{"attendee_id":"a","external_user_id":"patient-34",)"
        R"("join_token":"secret","user_id":"34","role":"PATIENT"},"scheduled_start_time":"2026-01-25T14:00:00Z",)"
        R"("scheduled_end_time":"2026-01-25T14:30:00Z"})");
}

TEST(EventsAnswer, IsABareArray) {
    EXPECT_EQ(events_answer({}), "[]");
    const consultation::AuditEntry created{"e1",   "s",  "SESSION_CREATED",
                                           "made", "34", *parse_utc("2026-01-24T10:30:00")};
    const consultation::AuditEntry meeting{"e2", "s", "MEETING_CREATED", {}, {}, *parse_utc("2026-01-24T10:31:00")};
    EXPECT_EQ(
        events_answer({created, meeting}),
        R"([{"event_id":"e1","session_id":"s","event_type":"SESSION_CREATED","event_description":"made","user_id":"34",)"
        R"("event_timestamp":"2026-01-24T10:30:00Z"},{"event_id":"e2","session_id":"s","event_type":"MEETING_CREATED",)"
        R"("event_description":null,"user_id":null,"event_timestamp":"2026-01-24T10:31:00Z"}])");
}

/// The document describes exactly the fields that are written.
TEST(OpenApi, SessionHasTheSameFieldsInTheSameOrder) {
    const auto* asset = core::find_asset("api/openapi.json");
    ASSERT_NE(asset, nullptr);
    const auto document = json::parse({asset->content.data(), asset->content.size()});
    const auto names = [](const json::object& object) {
        std::vector<std::string> out;
        for (const auto& field : object) out.emplace_back(field.key());
        return out;
    };
    const auto& schema = document.at("components").at("schemas").at("Session");
    EXPECT_EQ(names(schema.at("properties").as_object()),
              names(json::parse(session_answer(booked(), {}, {})).as_object()));
}

}  // namespace
}  // namespace api
