#include "events/requests.hpp"

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <cstdint>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace events {
namespace {

namespace json = boost::json;

constexpr std::string_view kCreate = "appointment.video.create";
constexpr std::string_view kStart = "appointment.video.start";
constexpr std::string_view kEnd = "appointment.video.end";

constexpr std::size_t kMostAppointmentId = 36;
constexpr std::size_t kMostId = 100;
constexpr std::size_t kDate = sizeof "2026-01-25" - 1;

using Text = core::Result<std::string>;

std::unexpected<core::Error> bad(std::string_view field, std::string_view what) {
    return core::fail(core::ErrorKind::invalid, std::string(field) + " " + std::string(what));
}

/// Whether a foreign word may stand in a log line: it looks like a routing key.
bool is_plain(std::string_view word) {
    return !word.empty() && word.size() <= 64 && std::ranges::all_of(word, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    });
}

std::optional<std::string> number_text(const json::value& value) {
    if (const auto* number = value.if_int64()) return std::to_string(*number);
    if (const auto* number = value.if_uint64()) return std::to_string(*number);
    return std::nullopt;
}

Text id(const json::object& data, std::string_view field, std::size_t most = kMostId) {
    const auto* value = data.if_contains(field);
    if (value == nullptr || value->is_null()) return bad(field, "is missing");
    std::string text;
    if (const auto* string = value->if_string()) {
        text = *string;
    } else if (auto number = number_text(*value)) {
        text = std::move(*number);
    } else {
        return bad(field, "is neither text nor a whole number");
    }
    // `null` is what a neighbour makes of a null that it stored as text.
    if (text.empty() || text == "null") return bad(field, "is empty");
    if (text.size() > most) return bad(field, "is too long");
    if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
        return bad(field, "has control characters");
    }
    return text;
}

core::Result<core::Time> time(const json::object& data, std::string_view field, const LocalToUtc& zone) {
    const auto* value = data.if_contains(field);
    if (value == nullptr || value->is_null()) return bad(field, "is missing");
    const auto* text = value->if_string();
    if (text == nullptr) return bad(field, "is not a text");
    const auto read = text->size() > kDate ? core::parse_iso8601(*text) : std::nullopt;
    if (!read) return bad(field, "is not a date and time");
    if (!read->utc_offset) return zone(read->local);
    return core::Time{read->local.time_since_epoch() - *read->utc_offset};
}

Request read_create(const json::object& data, std::string_view body, const LocalToUtc& zone) {
    const auto refuse = [](const core::Error& error, std::optional<std::string> appointment = {}) {
        return BadRequest{std::string(kCreate), error.detail, std::move(appointment)};
    };
    auto appointment = id(data, "appointment_id", kMostAppointmentId);
    if (!appointment) return refuse(appointment.error());
    auto doctor = id(data, "doctor_id");
    if (!doctor) return refuse(doctor.error(), *appointment);
    auto patient = id(data, "patient_id");
    if (!patient) return refuse(patient.error(), *appointment);
    const auto start = time(data, "scheduled_time", zone);
    if (!start) return refuse(start.error(), *appointment);
    service::RequestedSession request;
    request.appointment_id = std::move(*appointment);
    request.doctor_id = std::move(*doctor);
    request.patient_id = std::move(*patient);
    request.scheduled_start_time = *start;
    request.request_id = request_id_of(body);
    return request;
}

Request read_start(const json::object& data) {
    auto session = id(data, "session_id");
    if (!session) return BadRequest{std::string(kStart), session.error().detail, {}};
    auto doctor = id(data, "doctor_id");
    if (!doctor) return BadRequest{std::string(kStart), doctor.error().detail, {}};
    return service::RequestedStart{std::move(*session), std::move(*doctor)};
}

Request read_end(const json::object& data) {
    auto session = id(data, "session_id");
    if (!session) return BadRequest{std::string(kEnd), session.error().detail, {}};
    auto ended_by = id(data, "ended_by");
    if (!ended_by) return BadRequest{std::string(kEnd), ended_by.error().detail, {}};
    auto role = id(data, "ended_by_role");
    if (!role) return BadRequest{std::string(kEnd), role.error().detail, {}};
    if (*role == "DOCTOR") role = "doctor";
    if (*role == "PATIENT") role = "patient";
    if (*role != "doctor" && *role != "patient") {
        return BadRequest{std::string(kEnd), "ended_by_role is neither doctor nor patient", {}};
    }
    return service::RequestedEnd{std::move(*session), std::move(*ended_by), std::move(*role)};
}

}  // namespace

Request parse_request(std::string_view body, const LocalToUtc& zone) {
    const auto refuse = [](std::string_view type, const char* why) { return BadRequest{std::string(type), why, {}}; };
    if (body.size() > kMostRequestBytes) return refuse("?", "the message is too long");
    boost::system::error_code error;
    json::monotonic_resource memory;
    const auto document = json::parse(body, error, &memory);
    if (error) return refuse("?", "the message is not JSON");
    const auto* message = document.if_object();
    if (message == nullptr) return refuse("?", "the message is not an object");
    const auto* type = message->if_contains("event_type");
    const auto* type_text = type == nullptr ? nullptr : type->if_string();
    if (type_text == nullptr) return refuse("?", "the message has no event_type");
    const std::string_view event_type = *type_text;
    if (event_type != kCreate && event_type != kStart && event_type != kEnd) {
        return UnknownRequest{is_plain(event_type) ? std::string(event_type) : "?"};
    }
    const auto* data = message->if_contains("data");
    const auto* object = data == nullptr ? nullptr : data->if_object();
    if (object == nullptr) return refuse(event_type, "the message has no data");
    if (event_type == kCreate) return read_create(*object, body, zone);
    return event_type == kStart ? read_start(*object) : read_end(*object);
}

std::string request_id_of(std::string_view body) {
    return core::hex(core::sha256(core::as_bytes(body)));
}

std::string_view event_type_of(const Request& request) {
    struct {
        std::string_view operator()(const service::RequestedSession&) const { return kCreate; }
        std::string_view operator()(const service::RequestedStart&) const { return kStart; }
        std::string_view operator()(const service::RequestedEnd&) const { return kEnd; }
        std::string_view operator()(const UnknownRequest& unknown) const { return unknown.event_type; }
        std::string_view operator()(const BadRequest& refused) const { return refused.event_type; }
    } constexpr name;
    return std::visit(name, request);
}

}  // namespace events
