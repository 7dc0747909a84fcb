#include "directory/appointments_client.hpp"

#include <gmock/gmock.h>

#include "net/raw_server.hpp"

namespace directory {
namespace {

using core::ErrorKind;
using net::testing::CallerLoop;
using net::testing::Loopback;
using service::Appointment;
using std::chrono::milliseconds;

constexpr std::string_view kId = "789e1552-abfa-42ab-a7a9-b033e8b745f9";
constexpr std::string_view kAppointment = R"({"appointmentId":"789e1552-abfa-42ab-a7a9-b033e8b745f9","patientId":"34",
"doctorId":"12","doctor":{"userId":"12","name":"Dr. Ada","specialization":"Cardiology"},
"clinic":{"id":4,"name":"Harbour","address":"Quay 1"},
"session":{"id":7,"dayOfWeek":"MONDAY","sessionStartTime":"09:00:00","sessionEndTime":"12:00:00",
"serviceType":"VIRTUAL","estimatedConsultationMinutes":20},
"appointmentDate":"2026-01-25T14:00:00","queueNumber":3,"appointmentType":"VIRTUAL","status":"BOOKED",
"chiefComplaint":"Follow-up","consultationFee":50.00,"paymentStatus":"PENDING","paymentId":null,"doctorNotes":null,
"estimatedStartTime":"2026-01-25T14:30:00.123456789","actualStartTime":null,"actualEndTime":null,
"createdAt":"2026-01-01T08:00:00.123456789","updatedAt":"2026-01-01T08:00:00","meetingLink":null,"meetingId":null})";

/// The appointment with one text replaced by another.
std::string with(std::string_view from, std::string_view to) {
    std::string text{kAppointment};
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::optional<Appointment> read(std::string_view text) {
    return read_appointment(text, kId, core::utc_zone());
}

std::string start_of(std::string_view text) {
    const auto read_one = read(text);
    if (!read_one) return "no appointment";
    return read_one->start ? core::format_rfc3339(*read_one->start) : "none";
}

TEST(ReadAppointment, TakesWhatAVisitNeeds) {
    const auto found = read(kAppointment);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->appointment_id, kId);
    EXPECT_EQ(found->doctor_id, "12");
    EXPECT_EQ(found->patient_id, "34");
    EXPECT_TRUE(found->is_virtual);
    EXPECT_FALSE(found->is_cancelled);
    EXPECT_EQ(found->duration_minutes, 20);
    EXPECT_EQ(found->clinic_id, 4);
    EXPECT_EQ(found->chief_complaint, "Follow-up");
    EXPECT_EQ(core::format_rfc3339(*found->start), "2026-01-25T14:00:00Z");
    EXPECT_FALSE(read(with(R"("VIRTUAL","status")", R"("IN_PERSON","status")"))->is_virtual);
    EXPECT_TRUE(read(with("BOOKED", "CANCELLED"))->is_cancelled);
    EXPECT_EQ(read(with(R"("doctorId":"12")", R"("doctorId":12)"))->doctor_id, "12");
    EXPECT_TRUE(read(with("789e1552-abfa", "789E1552-ABFA")));
}

TEST(ReadAppointment, FindsTheTimeOfTheVisit) {
    EXPECT_EQ(start_of(with("2026-01-25T14:00:00", "2026-01-25T14:00:00.5")), "2026-01-25T14:00:00.500000Z");
    EXPECT_EQ(start_of(with("2026-01-25T14:00:00", "2026-01-25T14:00:00+05:30")), "2026-01-25T08:30:00Z");
    EXPECT_EQ(start_of(with("2026-01-25T14:00:00", "2026-01-25")), "2026-01-25T14:30:00.123456Z");
    auto text = with("2026-01-25T14:00:00", "2026-01-25");
    const std::string estimated = R"("2026-01-25T14:30:00.123456789")";
    EXPECT_EQ(start_of(text.replace(text.find(estimated), estimated.size(), "null")), "2026-01-25T09:00:00Z");
    text = with("2026-01-25T14:00:00", "2026-01-25");
    EXPECT_EQ(start_of(text.replace(text.find(estimated), estimated.size(), R"("15:00")")), "2026-01-25T15:00:00Z");
    EXPECT_EQ(start_of(with("2026-01-25T14:00:00", "tomorrow, around noon")), "none");
    EXPECT_EQ(start_of(with(R"("2026-01-25T14:00:00")", "null")), "2026-01-25T14:30:00.123456Z");
    const core::ZoneResolver colombo = [](auto local) {
        return core::Time{local.time_since_epoch() - milliseconds{330L * 60 * 1000}};
    };
    EXPECT_EQ(core::format_rfc3339(*read_appointment(kAppointment, kId, colombo)->start), "2026-01-25T08:30:00Z");
}

TEST(ReadAppointment, LeavesOutWhatMakesNoSense) {
    EXPECT_EQ(read(with(R"("clinic":{"id":4)", R"("clinic":{"id":4000000000)"))->clinic_id, std::nullopt);
    EXPECT_EQ(read(with("Minutes\":20", "Minutes\":0"))->duration_minutes, std::nullopt);
    EXPECT_EQ(read(with("Minutes\":20", "Minutes\":\"20\""))->duration_minutes, std::nullopt);
    EXPECT_EQ(read(with("\"Follow-up\"", "null"))->chief_complaint, std::nullopt);
}

TEST(ReadAppointment, RefusesWhatIsNoAppointment) {
    for (const std::string text : {"", "[]", "{}", "null", "<html>"}) EXPECT_FALSE(read(text)) << text;
    EXPECT_FALSE(read(with("789e1552", "00000000")));
    EXPECT_FALSE(read(with(R"("doctorId":"12")", R"("doctorId":null)")));
    EXPECT_FALSE(read(with(R"("patientId":"34")", R"("patientId":"")")));
    EXPECT_FALSE(read(with(R"("patientId":"34")", R"("doctorId":"34")")));
    EXPECT_FALSE(read(with(R"("appointmentType")", R"("type")")));
    EXPECT_FALSE(read(with(R"("status")", R"("state")")));
    EXPECT_FALSE(read(std::string{kAppointment} + "x"));
}

using Found = core::Result<std::optional<Appointment>>;

/// What the client makes of this answer to any question.
Found asked(unsigned status, std::string body, std::string id = std::string{kId}, std::string* target = nullptr) {
    Loopback server([&](const net::Request& request) -> boost::asio::awaitable<net::Response> {
        if (target != nullptr) *target = request.target;
        net::Response response;
        response.status = status;
        response.body = body;
        co_return response;
    });
    CallerLoop loop;
    net::HttpClient http;
    AppointmentsClient client({.base_url = "http://127.0.0.1:" + std::to_string(server.port()) + "/sub/"}, http);
    return loop.run(client.appointment(std::move(id), {}));
}

TEST(AppointmentsClient, FindsAnAppointment) {
    std::string target;
    const auto found = asked(200, std::string{kAppointment}, std::string{kId}, &target);
    ASSERT_TRUE(found.has_value());
    ASSERT_TRUE(found->has_value());
    EXPECT_EQ((*found)->doctor_id, "12");
    EXPECT_EQ(target, "/sub/appointments/" + std::string{kId});
    EXPECT_FALSE(asked(200, std::string{kAppointment}, "../x?y", &target).has_value());
    EXPECT_EQ(target, "/sub/appointments/..%2Fx%3Fy");
}

TEST(AppointmentsClient, SaysThatThereIsNone) {
    const auto none = asked(404, "");
    ASSERT_TRUE(none.has_value());
    EXPECT_EQ(*none, std::nullopt);
    const auto empty = asked(200, std::string{kAppointment}, "");
    ASSERT_TRUE(empty.has_value());
    EXPECT_EQ(*empty, std::nullopt);
}

TEST(AppointmentsClient, TellsOddAnswersApart) {
    for (const auto& [status, body] :
         std::vector<std::pair<unsigned, std::string>>{{404, R"({"status":404,"error":"Not Found","path":"/x"})"},
                                                       {500, R"({"error":"x"})"},
                                                       {400, ""},
                                                       {204, ""},
                                                       {200, ""},
                                                       {200, "{}"},
                                                       {301, ""},
                                                       {200, std::string(70'000, ' ')}}) {
        const auto found = asked(status, body);
        ASSERT_FALSE(found.has_value()) << status << body;
        EXPECT_EQ(found.error().kind, ErrorKind::bad_gateway) << status;
        EXPECT_EQ(found.error().detail, "The appointments service gave an answer that cannot be used");
    }
}

TEST(AppointmentsClient, SaysWhenNobodyAnswers) {
    CallerLoop loop;
    net::HttpClient http;
    auto server = std::make_unique<net::testing::RawServer>();
    AppointmentsSettings settings;
    settings.base_url = server->url("");
    settings.timeout = milliseconds{100};
    AppointmentsClient client(settings, http);
    const auto late = loop.run(client.appointment("1", {}));
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().kind, ErrorKind::timeout);
    EXPECT_EQ(late.error().detail, "The appointments service did not answer in time");
    server.reset();
    settings.timeout = milliseconds{net::testing::kPatienceMs};
    AppointmentsClient patient(settings, http);
    const auto gone = loop.run(patient.appointment("1", {}));
    ASSERT_FALSE(gone.has_value());
    EXPECT_EQ(gone.error().kind, ErrorKind::unavailable);
    EXPECT_EQ(gone.error().detail, "The appointments service cannot be reached");
}

}  // namespace
}  // namespace directory
