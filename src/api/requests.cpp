#include "api/requests.hpp"

#include <array>
#include <limits>
#include <utility>
#include <vector>

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
constexpr std::size_t kIssue = 500;
constexpr std::size_t kDeviceType = 50, kBrowserInfo = 200;

// What Chime's live transcription takes (API_meeting-chime_EngineTranscribeSettings and …MedicalSettings).
constexpr std::array<std::string_view, 14> kLanguages{"en-US", "en-GB", "es-US", "fr-CA", "fr-FR", "en-AU", "it-IT",
                                                      "de-DE", "pt-BR", "ja-JP", "ko-KR", "zh-CN", "th-TH", "hi-IN"};
constexpr std::array<std::string_view, 6> kSpecialties{"PRIMARYCARE", "CARDIOLOGY", "NEUROLOGY",
                                                       "ONCOLOGY",    "RADIOLOGY",  "UROLOGY"};
constexpr std::array<std::string_view, 2> kDictationTypes{"CONVERSATION", "DICTATION"};

/// The contract wants an appointment for clinic bookings; for the others an empty one means none.
void read_appointment(Body& body, std::optional<BookingType> type, service::CreateRequest& request, Faults& faults) {
    const auto given = body.input_of("appointment_id");
    if (given != "null" && given != "\"\"") {
        request.appointment_id = body.text("appointment_id", {.most = kAppointmentId});
    } else if (type == BookingType::clinic_based) {
        faults.rule({"body", "appointment_id"}, "appointment_id is required for clinic-based bookings", given);
    }
}

std::optional<std::string> read_media_region(Body& body, std::span<const std::string> regions, Faults& faults) {
    const auto given = body.input_of("media_region");
    if (given == "null") return {};
    if (regions.empty()) {
        faults.rule({"body", "media_region"}, "this service does not offer media regions", given);
        return {};
    }
    return body.one_of("media_region", std::vector<std::string_view>(regions.begin(), regions.end()));
}

bool says_nothing(const service::QualityReport& report) {
    return !report.latency_ms && !report.packet_loss_percentage && !report.audio_score && !report.video_score &&
           !report.technical_issues && !report.issue_description;
}

/// The end is written with four digits of a year, too.
bool ends_in_calendar(core::Time start, int duration_minutes) {
    const auto end = start + minutes{duration_minutes};
    return end.time_since_epoch() < std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}.time_since_epoch();
}

}  // namespace

std::optional<service::CreateRequest> read_create(RawBody raw, const core::ZoneResolver& zone,
                                                  const BookingRules& rules, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    service::CreateRequest request;

    const auto type = body.choice("booking_type", consultation::booking_type_from, kBookingTypes);
    if (type) request.booking_type = *type;
    read_appointment(body, type, request, faults);
    const auto appointment = body.input_of("appointment_id");
    const bool filled_in = rules.appointments_fill_in && appointment != "null" && appointment != "\"\"";
    auto& left_out = request.left_out;
    left_out = {filled_in && !body.says("doctor_id"), filled_in && !body.says("patient_id"),
                filled_in && !body.says("scheduled_start_time"),
                filled_in && !body.says("consultation_duration_minutes")};
    std::optional<std::string> doctor, patient;
    if (!left_out.doctor) doctor = body.text("doctor_id", {Presence::required, 1, kDoctorId});
    if (!left_out.patient) patient = body.text("patient_id", {Presence::required, 1, kPatientId});
    if (doctor && patient && *doctor == *patient) {
        faults.rule({"body", "patient_id"}, "doctor and patient must be two people", body.input_of("patient_id"));
    }
    const auto clinic = body.whole_number("clinic_id", {.least = std::numeric_limits<std::int32_t>::min(),
                                                        .most = std::numeric_limits<std::int32_t>::max()});
    if (clinic) request.clinic_id = static_cast<std::int32_t>(*clinic);
    std::optional<core::Time> start;
    if (!left_out.start) start = body.time("scheduled_start_time", zone);
    const auto duration = body.whole_number("consultation_duration_minutes", {false, 15, 120});
    if (duration) request.duration_minutes = static_cast<int>(*duration);
    request.chief_complaint = body.text("chief_complaint", {.most = kFreeText});
    request.waiting_room = body.boolean("waiting_room");
    request.media_region = read_media_region(body, rules.media_regions, faults);

    if (faults.any()) return {};
    if (doctor) request.doctor_id = std::move(*doctor);
    if (patient) request.patient_id = std::move(*patient);
    if (start && !ends_in_calendar(*start, request.duration_minutes)) {
        faults.not_a_time({"body", "scheduled_start_time"}, "year is outside expected range of 1-9999",
                          body.input_of("scheduled_start_time"));
        return {};
    }
    if (start) request.scheduled_start_time = *start;
    return request;
}

std::optional<service::JoinRequest> read_join(RawBody raw, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    service::JoinRequest request;
    // A browser with a long name must not be locked out.
    request.device_type = body.text("device_type", {.most = kDeviceType, .cut = true});
    request.browser_info = body.text("browser_info", {.most = kBrowserInfo, .cut = true});
    request.relay = body.boolean("relay").value_or(false);
    if (faults.any()) return {};
    return request;
}

service::JoinRequest read_start(RawBody raw) {
    Faults ignored;
    Body body{raw.text, raw.content_type, ignored};
    service::JoinRequest request;
    if (body.readable()) request.relay = body.boolean("relay").value_or(false);
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

std::optional<service::TranscriptionOptions> read_transcription(RawBody raw, Faults& faults) {
    service::TranscriptionOptions options;
    if (raw.text.empty()) return options;
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    if (auto language = body.one_of("language_code", kLanguages)) options.language_code = std::move(*language);
    options.medical = body.boolean("medical").value_or(false);
    if (auto specialty = body.one_of("specialty", kSpecialties)) options.specialty = std::move(*specialty);
    if (auto type = body.one_of("type", kDictationTypes)) options.type = std::move(*type);
    if (options.medical && options.language_code != "en-US") {
        faults.rule({"body", "language_code"}, "medical transcription understands en-US only",
                    body.input_of("language_code"));
    }
    if (faults.any()) return {};
    return options;
}

std::optional<service::QualityReport> read_quality(RawBody raw, Faults& faults) {
    Body body{raw.text, raw.content_type, faults};
    if (!body.readable()) return {};
    const auto whole = [&](std::string_view field, std::int64_t least, std::int64_t most) -> std::optional<int> {
        const auto value = body.whole_number(field, {.least = least, .most = most});
        return value ? std::optional{static_cast<int>(*value)} : std::nullopt;
    };
    service::QualityReport report;
    report.latency_ms = whole("average_latency_ms", 0, 60'000);
    report.packet_loss_percentage = body.number("packet_loss_percentage", {0, 100});
    report.audio_score = whole("audio_quality_score", 1, 5);
    report.video_score = whole("video_quality_score", 1, 5);
    report.technical_issues = body.boolean("technical_issues");
    report.issue_description = body.text("issue_description", {.most = kIssue});
    if (report.issue_description && report.issue_description->empty()) report.issue_description.reset();
    if (faults.any()) return {};
    if (says_nothing(report)) {
        faults.rule({"body", {}}, "at least one figure is required", body.input());
        return {};
    }
    return report;
}

}  // namespace api
