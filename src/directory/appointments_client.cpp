#include "directory/appointments_client.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "directory/neighbour_text.hpp"
#include "directory/strict_object.hpp"

namespace directory {
namespace json = boost::json;
namespace {

using core::ErrorKind;
using service::Appointment;

constexpr std::size_t kMaxAnswer = 64UL * 1024;
constexpr std::size_t kBareDate = 10;  ///< Characters of `2026-01-25`.
constexpr std::int64_t kMaxMinutes = 24L * 60;

core::Error odd_answer() {
    return {ErrorKind::bad_gateway, "The appointments service gave an answer that cannot be used", {}};
}

/// In words for a client; the HTTP client's own name the host.
core::Error no_answer(const core::Error& error) {
    if (error.kind == ErrorKind::timeout) return {error.kind, "The appointments service did not answer in time", {}};
    if (error.kind == ErrorKind::unavailable)
        return {error.kind, "The appointments service cannot be reached", {}, true};
    return odd_answer();
}

const json::object* object_in(const json::object& object, std::string_view member) {
    const auto* value = object.if_contains({member.data(), member.size()});
    return value == nullptr ? nullptr : value->if_object();
}

std::optional<std::int64_t> number_in(const json::object& object, std::string_view member) {
    const auto* value = object.if_contains({member.data(), member.size()});
    if (value == nullptr || !value->is_int64()) return {};
    return value->get_int64();
}

std::optional<core::Time> moment(const std::string& text, const core::ZoneResolver& zone) {
    const auto read = core::parse_iso8601(text);
    if (!read) return {};
    if (read->utc_offset) return core::Time{read->local.time_since_epoch()} - *read->utc_offset;
    return zone(read->local);
}

std::optional<core::Time> start_of(const json::object& object, const core::ZoneResolver& zone) {
    const auto day = name_in(object, "appointmentDate");
    if (day && day->size() > kBareDate) return moment(*day, zone);
    auto time = name_in(object, "estimatedStartTime");
    if (time && time->size() > kBareDate) return moment(*time, zone);
    const auto* doctors = object_in(object, "session");
    if (!time && doctors != nullptr) time = name_in(*doctors, "sessionStartTime");
    if (!day || !time) return {};
    return moment(*day + "T" + *time, zone);
}

bool is_same_id(std::string_view left, std::string_view right) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(left, right, {}, lower, lower);
}

}  // namespace

std::optional<Appointment> read_appointment(std::string_view text, std::string_view id,
                                            const core::ZoneResolver& zone) {
    const auto object = parse_strict_object(text);
    if (!object) return {};
    auto own_id = id_in(*object, "appointmentId");
    auto doctor = id_in(*object, "doctorId");
    auto patient = id_in(*object, "patientId");
    const auto type = name_in(*object, "appointmentType");
    const auto status = name_in(*object, "status");
    if (!own_id || !is_same_id(*own_id, id) || !doctor || !patient || !type || !status) return {};
    Appointment appointment;
    appointment.appointment_id = std::move(*own_id);
    appointment.doctor_id = std::move(*doctor);
    appointment.patient_id = std::move(*patient);
    appointment.is_virtual = *type == "VIRTUAL";
    appointment.is_cancelled = *status == "CANCELLED";
    appointment.start = start_of(*object, zone);
    if (const auto* clinic = object_in(*object, "clinic")) {
        const auto number = number_in(*clinic, "id");
        if (number && std::in_range<std::int32_t>(*number)) {
            appointment.clinic_id = static_cast<std::int32_t>(*number);
        }
    }
    if (const auto* doctors = object_in(*object, "session")) {
        const auto minutes = number_in(*doctors, "estimatedConsultationMinutes");
        if (minutes && *minutes > 0 && *minutes <= kMaxMinutes) {
            appointment.duration_minutes = static_cast<int>(*minutes);
        }
    }
    if (const auto* complaint = object->if_contains("chiefComplaint"); complaint && complaint->is_string()) {
        appointment.chief_complaint = std::string{complaint->get_string()};
    }
    return appointment;
}

AppointmentsClient::AppointmentsClient(AppointmentsSettings settings, net::HttpClient& client)
    : settings_(std::move(settings)), client_(client) {}

service::Task<core::Result<std::optional<Appointment>>> AppointmentsClient::appointment(std::string appointment_id,
                                                                                        core::trace::Context of) {
    // Nobody has an empty id, and without one the address means all appointments.
    if (appointment_id.empty()) co_return std::optional<Appointment>{};
    net::OutgoingRequest request;
    request.url = address_of(settings_.base_url, "/appointments/", appointment_id);
    request.headers = {{"Accept", "application/json"}};
    request.timeout = settings_.timeout;
    request.max_body = kMaxAnswer;
    request.trace = std::move(of);
    request.purpose = "appointments service";
    const auto answer = co_await client_.send(std::move(request));
    if (!answer) co_return std::unexpected(no_answer(answer.error()));
    if (answer->status == 404 && answer->body.empty()) co_return std::optional<Appointment>{};
    if (answer->status != 200) co_return std::unexpected(odd_answer());
    auto read = read_appointment(answer->body, appointment_id, settings_.time_zone);
    if (!read) co_return std::unexpected(odd_answer());
    co_return std::move(read);
}

}  // namespace directory
