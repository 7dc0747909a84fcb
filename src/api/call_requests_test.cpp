// What a booking may say about regions and leave to its appointment; transcription; a client's figures of its call.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/requests.hpp"

namespace api {
namespace {

namespace json = boost::json;

/// `type place` and the message of each fault.
std::vector<std::string> told(const Faults& faults) {
    std::vector<std::string> out;
    if (!faults.any()) return out;
    for (const auto& fault : json::parse(faults.body()).at("detail").as_array()) {
        out.push_back(std::string{fault.at("type").as_string()} + ' ' + json::serialize(fault.at("loc")) + ' ' +
                      std::string{fault.at("msg").as_string()});
    }
    return out;
}

const std::vector<std::string> kRegions{"us-east-1", "eu-central-1", "ap-south-1"};

struct Read {
    std::optional<service::CreateRequest> request;
    std::vector<std::string> faults;
};
Read booking(std::string_view more, BookingRules rules) {
    const auto text = R"({"booking_type":"CLINIC_BASED")" + std::string{more} + "}";
    Faults faults;
    auto request = read_create({text, ""}, core::utc_zone(), rules, faults);
    EXPECT_NE(request.has_value(), faults.any());
    return {std::move(request), told(faults)};
}

constexpr std::string_view kWhole =
    R"(,"appointment_id":"a","doctor_id":"12","patient_id":"34","scheduled_start_time":"2026-01-25T14:00:00")";

TEST(MediaRegion, IsOneOfThoseThatTheInstallationOffers) {
    const auto with = [](std::string_view region, std::span<const std::string> offered) {
        return booking(std::string{kWhole} + R"(,"media_region":)" + std::string{region}, {offered, false});
    };
    EXPECT_EQ(with("\"eu-central-1\"", kRegions).request->media_region, "eu-central-1");
    EXPECT_EQ(with("null", kRegions).request->media_region, std::nullopt);
    EXPECT_EQ(with("null", {}).request->media_region, std::nullopt);
    const std::string choices =
        R"(enum ["body","media_region"] Input should be 'us-east-1', 'eu-central-1' or 'ap-south-1')";
    for (const auto* wrong : {"\"mars-1\"", "\"\"", "7", "\"US-EAST-1\""}) {
        EXPECT_EQ(with(wrong, kRegions).faults, std::vector{choices}) << wrong;
    }
    EXPECT_EQ(with("\"us-east-1\"", {}).faults,
              std::vector<std::string>{
                  R"(value_error ["body","media_region"] Value error, this service does not offer media regions)"});
}

TEST(LeftOut, IsWhatTheAppointmentWillSay) {
    const BookingRules fill{{}, true};
    const auto nothing = booking(R"(,"appointment_id":"a")", fill);
    ASSERT_TRUE(nothing.request);
    const auto& all = nothing.request->left_out;
    EXPECT_TRUE(all.doctor && all.patient && all.start && all.duration);

    const auto whole = booking(std::string{kWhole} + R"(,"consultation_duration_minutes":45)", fill);
    ASSERT_TRUE(whole.request);
    const auto& none = whole.request->left_out;
    EXPECT_FALSE(none.doctor || none.patient || none.start || none.duration);
    EXPECT_EQ(whole.request->doctor_id, "12");
    EXPECT_EQ(whole.request->duration_minutes, 45);

    const auto some = booking(R"(,"appointment_id":"a","patient_id":"34")", fill);
    ASSERT_TRUE(some.request);
    EXPECT_TRUE(some.request->left_out.doctor);
    EXPECT_FALSE(some.request->left_out.patient);
}

TEST(LeftOut, IsMissingWithoutAnAppointmentOrWhereNobodyLooksItUp) {
    const std::vector<std::string> missing{R"(missing ["body","doctor_id"] Field required)",
                                           R"(missing ["body","patient_id"] Field required)",
                                           R"(missing ["body","scheduled_start_time"] Field required)"};
    EXPECT_EQ(booking(R"(,"appointment_id":"a")", {}).faults, missing);
    auto with_appointment_fault = missing;
    with_appointment_fault.insert(
        with_appointment_fault.begin(),
        R"(value_error ["body","appointment_id"] Value error, appointment_id is required for clinic-based bookings)");
    EXPECT_EQ(booking("", {{}, true}).faults, with_appointment_fault);
    EXPECT_EQ(booking(R"(,"appointment_id":"")", {{}, true}).faults, with_appointment_fault);
    // What is said must be right all the same.
    EXPECT_EQ(booking(R"(,"appointment_id":"a","doctor_id":null,"scheduled_start_time":null)", {{}, true}).faults,
              (std::vector<std::string>{
                  R"(string_type ["body","doctor_id"] Input should be a valid string)",
                  R"(datetime_type ["body","scheduled_start_time"] Input should be a valid datetime)"}));
}

TEST(Transcription, HasDefaults) {
    for (const auto* body : {"", "{}", R"({"language_code":null,"medical":null,"specialty":null,"type":null})"}) {
        Faults faults;
        const auto options = read_transcription({body, ""}, faults);
        ASSERT_TRUE(options) << body;
        EXPECT_EQ(options->language_code, "en-US");
        EXPECT_FALSE(options->medical);
        EXPECT_EQ(options->specialty, "PRIMARYCARE");
        EXPECT_EQ(options->type, "CONVERSATION");
    }
    Faults faults;
    const auto options =
        read_transcription({R"({"medical":true,"specialty":"CARDIOLOGY","type":"DICTATION"})", ""}, faults);
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->medical);
    EXPECT_EQ(options->specialty, "CARDIOLOGY");
    EXPECT_EQ(options->type, "DICTATION");
    EXPECT_EQ(read_transcription({R"({"language_code":"de-DE"})", ""}, faults)->language_code, "de-DE");
}

TEST(Transcription, TakesNothingElse) {
    Faults faults;
    EXPECT_FALSE(
        read_transcription({R"({"language_code":"xx","medical":"yes","specialty":"DENTISTRY","type":5})", ""}, faults));
    const auto lines = told(faults);
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_TRUE(lines[0].starts_with(R"(enum ["body","language_code"] Input should be 'en-US', 'en-GB', )"));
    EXPECT_EQ(lines[1], R"(bool_type ["body","medical"] Input should be a valid boolean)");
    EXPECT_EQ(lines[2], R"(enum ["body","specialty"] Input should be 'PRIMARYCARE', 'CARDIOLOGY', 'NEUROLOGY', )"
                        R"('ONCOLOGY', 'RADIOLOGY' or 'UROLOGY')");
    EXPECT_EQ(lines[3], R"(enum ["body","type"] Input should be 'CONVERSATION' or 'DICTATION')");
    Faults other;
    EXPECT_FALSE(read_transcription({R"({"language_code":"de-DE","medical":true})", ""}, other));
    EXPECT_EQ(told(other),
              std::vector<std::string>{
                  R"(value_error ["body","language_code"] Value error, medical transcription understands en-US only)"});
}

std::optional<service::QualityReport> quality(std::string_view body, std::vector<std::string>* why = nullptr) {
    Faults faults;
    auto report = read_quality({body, ""}, faults);
    EXPECT_NE(report.has_value(), faults.any());
    if (why) *why = told(faults);
    return report;
}

TEST(Quality, IsReadInFull) {
    const auto all = quality(
        R"({"average_latency_ms":80,"packet_loss_percentage":0.25,"audio_quality_score":4,"video_quality_score":"5",
            "technical_issues":true,"issue_description":"Echo"})");
    ASSERT_TRUE(all);
    EXPECT_EQ(all->latency_ms, 80);
    EXPECT_EQ(all->packet_loss_percentage, 0.25);
    EXPECT_EQ(all->audio_score, 4);
    EXPECT_EQ(all->video_score, 5);
    EXPECT_EQ(all->technical_issues, true);
    EXPECT_EQ(all->issue_description, "Echo");
    const auto one = quality(R"({"packet_loss_percentage":100,"audio_quality_score":null})");
    ASSERT_TRUE(one);
    EXPECT_EQ(one->packet_loss_percentage, 100);
    EXPECT_FALSE(one->audio_score || one->latency_ms || one->technical_issues);
    EXPECT_TRUE(quality(R"({"technical_issues":false})"));
}

TEST(Quality, KeepsItsLimits) {
    const std::vector<std::pair<const char*, const char*>> table{
        {R"({"average_latency_ms":-1})", "greater_than_equal"},
        {R"({"average_latency_ms":60001})", "less_than_equal"},
        {R"({"average_latency_ms":1.5})", "int_from_float"},
        {R"({"packet_loss_percentage":-0.01})", "greater_than_equal"},
        {R"({"packet_loss_percentage":100.01})", "less_than_equal"},
        {R"({"packet_loss_percentage":18446744073709551615})", "less_than_equal"},
        {R"({"packet_loss_percentage":"1"})", "float_type"},
        {R"({"audio_quality_score":0})", "greater_than_equal"},
        {R"({"video_quality_score":6})", "less_than_equal"},
        {R"({"technical_issues":1})", "bool_type"},
        {R"({"issue_description":1})", "string_type"},
        {R"({})", "value_error [\"body\"] Value error, at least one figure is required"},
        {R"({"audio_quality_score":null,"issue_description":""})", "value_error [\"body\"]"},
        {"", "missing"}};
    for (const auto& [body, expected] : table) {
        std::vector<std::string> why;
        EXPECT_FALSE(quality(body, &why)) << body;
        ASSERT_EQ(why.size(), 1u) << body;
        EXPECT_TRUE(why[0].starts_with(expected)) << why[0];
    }
    EXPECT_TRUE(quality(R"({"issue_description":")" + std::string(500, 'x') + "\"}"));
    EXPECT_FALSE(quality(R"({"issue_description":")" + std::string(501, 'x') + "\"}"));
}

}  // namespace
}  // namespace api
