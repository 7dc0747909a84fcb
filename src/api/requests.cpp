#include "api/requests.hpp"

#include <algorithm>
#include <limits>

#include "api/body.hpp"

namespace api {
namespace {

using consultation::BookingType;
using std::chrono::minutes;

constexpr std::string_view kBookingTypes = "'CLINIC_BASED' or 'DIRECT_DOCTOR'";
constexpr std::size_t kAppointmentId = 36;
// With the prefixes `doctor-` and `patient-` an id must fit into the 64 characters of an external user id.
constexpr std::size_t kDoctorId = 57, kPatientId = 56;
constexpr std::size_t kFreeText = 5000;
constexpr std::size_t kDeviceType = 50, kBrowserInfo = 200;

/// The contract wants an appointment for clinic bookings; for the others an empty one means none.
void read_appointment(Body& body, std::optional<BookingType> type, service::CreateRequest& request, Faults& faults) {
    const auto given = body.input_of("appointment_id");
    if (given != "null" && given != "\"\"") {
        request.appointment_id = body.text("appointment_id", {.most = kAppointmentId});
    } else if (type == BookingType::clinic_based) {
        faults.rule({"body", "appointment_id"}, "appointment_id is required for clinic-based bookings", given);
    }
}

}  // namespace

std::optional<service::CreateRequest> read_create(RawBody raw, const ZoneResolver& zone, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    service::CreateRequest request;

    const auto type = body.choice("booking_type", consultation::booking_type_from, kBookingTypes);
    if (type) request.booking_type = *type;
    read_appointment(body, type, request, faults);
    const auto doctor = body.text("doctor_id", {Presence::required, 1, kDoctorId});
    const auto patient = body.text("patient_id", {Presence::required, 1, kPatientId});
    if (doctor && patient && *doctor == *patient) {
        faults.rule({"body", "patient_id"}, "doctor and patient must be two people", body.input_of("patient_id"));
    }
    const auto clinic = body.whole_number("clinic_id", {.least = std::numeric_limits<std::int32_t>::min(),
                                                        .most = std::numeric_limits<std::int32_t>::max()});
    if (clinic) request.clinic_id = static_cast<std::int32_t>(*clinic);
    const auto start = body.time("scheduled_start_time", zone);
    const auto duration = body.whole_number("consultation_duration_minutes", {false, 15, 120});
    if (duration) request.duration_minutes = static_cast<int>(*duration);
    request.chief_complaint = body.text("chief_complaint", {.most = kFreeText});

    if (faults.any()) return {};
    request.doctor_id = *doctor;
    request.patient_id = *patient;
    request.scheduled_start_time = *start;
    // The end is written with four digits of a year, too.
    const auto end = *start + minutes{request.duration_minutes};
    if (end.time_since_epoch() >= std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}.time_since_epoch()) {
        faults.not_a_time({"body", "scheduled_start_time"}, "year is outside expected range of 1-9999",
                          body.input_of("scheduled_start_time"));
        return {};
    }
    return request;
}

std::optional<service::JoinRequest> read_join(RawBody raw, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    service::JoinRequest request;
    // A browser with a long name must not be locked out.
    request.device_type = body.text("device_type", {.most = kDeviceType, .cut = true});
    request.browser_info = body.text("browser_info", {.most = kBrowserInfo, .cut = true});
    if (faults.any()) return {};
    return request;
}

std::optional<service::EndRequest> read_end(RawBody raw, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    service::EndRequest request;
    request.session_notes = body.text("session_notes", {.most = kFreeText});
    // A form left empty is no wish to lose the notes written before.
    if (request.session_notes && request.session_notes->empty()) request.session_notes.reset();
    const auto rating = body.whole_number("connection_quality_rating", {.least = 1, .most = 5});
    if (rating) request.connection_quality_rating = static_cast<int>(*rating);
    if (faults.any()) return {};
    return request;
}

std::optional<std::string> read_cancel(RawBody raw, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    return body.text("cancellation_reason", {Presence::required, 10, 500});
}

std::optional<std::string> read_notes(RawBody raw, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    return body.text("session_notes", {Presence::required, 1, kFreeText});
}

}  // namespace api
