// What reading and writing JSON costs per request.
#include <benchmark/benchmark.h>

#include "api/answers.hpp"

namespace {

consultation::Session completed() {
    consultation::Session s;
    s.session_id = "54a780e9-cdea-473a-ad93-801d19d54ff4";
    s.appointment_id = "789e1552-abfa-42ab-a7a9-b033e8b745f9";
    s.doctor_id = "12";
    s.patient_id = "34";
    s.clinic_id = 4;
    s.status = consultation::Status::completed;
    s.scheduled_start_time = *core::parse_utc("2026-01-25T14:00:00");
    s.scheduled_end_time = *core::parse_utc("2026-01-25T14:30:00");
    s.actual_start_time = s.patient_joined_at = *core::parse_utc("2026-01-25T13:58:16.147618");
    s.actual_end_time = s.doctor_left_at = s.patient_left_at = *core::parse_utc("2026-01-25T14:31:11.460191");
    s.doctor_joined_at = *core::parse_utc("2026-01-25T14:00:19.638887");
    s.chief_complaint = "Follow-up consultation";
    s.session_notes = "Recovering well. Take the tablets twice a day for another week.";
    s.meeting = consultation::Meeting{consultation::Provider::embedded,
                                      "e3338f73-c769-4d65-b8ce-bf4314b488ef",
                                      "pulseone-54a780e9-cdea-473a-ad93-801d19d54ff4",
                                      "us-east-1",
                                      "video.example.org:8087",
                                      "wss://video.example.org/calls/e3338f73-c769-4d65-b8ce-bf4314b488ef",
                                      "wss://video.example.org/control/e3338f73-c769-4d65-b8ce-bf4314b488ef",
                                      "https://video.example.org/v2/turn_sessions",
                                      1};
    consultation::Attendee doctor;
    doctor.user_id = "12";
    doctor.role = consultation::Role::doctor;
    doctor.joined_at = s.doctor_joined_at;
    doctor.left_at = s.doctor_left_at;
    doctor.attended = std::chrono::seconds{1852};
    auto patient = doctor;
    patient.user_id = "34";
    patient.role = consultation::Role::patient;
    s.attendees = {doctor, patient};
    s.created_at = s.updated_at = *s.actual_end_time;
    return s;
}

void list_of_20(benchmark::State& state) {
    const service::SessionPage page{std::vector<consultation::Session>(20, completed()), 10'000};
    const std::vector<service::SessionNames> names(page.sessions.size(),
                                                   {"Dr. Nimal Perera", "Cardiology", "Kamala Silva", "City Clinic"});
    for (auto _ : state) benchmark::DoNotOptimize(api::list_answer(page, names, {}, {}));
}
BENCHMARK(list_of_20);

void booking(benchmark::State& state) {
    constexpr std::string_view kBody =
        R"({"booking_type":"CLINIC_BASED","appointment_id":"789e1552-abfa-42ab-a7a9-b033e8b745f9","doctor_id":"12",)"
        R"("patient_id":"34","clinic_id":4,"scheduled_start_time":"2026-01-25T14:00:00",)"
        R"("consultation_duration_minutes":30,"chief_complaint":"Follow-up consultation"})";
    for (auto _ : state) {
        api::Faults faults;
        benchmark::DoNotOptimize(api::read_create({kBody, "application/json"}, core::utc_zone(), {}, faults));
    }
}
BENCHMARK(booking);

}  // namespace
