#include "service/platform_requests.hpp"

#include <utility>

#include "consultation/life_cycle.hpp"
#include "core/bytes.hpp"
#include "service/change_loop.hpp"

namespace service {
namespace {

using consultation::Session;
using core::ErrorKind;
using core::fail;

/// The longest id that the platform's tables hold.
constexpr std::size_t kLongestId = 100;
constexpr std::size_t kLongestAppointmentId = 36;

/// An id for an event that a repeated delivery of the same request gives again: a UUID made from a hash (RFC 9562,
/// version 8).
std::string derived_id(std::string_view purpose, std::string_view request_id) {
    auto digest = core::sha256(core::as_bytes(std::string{purpose} + "\n" + std::string{request_id}));
    digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0FU) | 0x80U);
    digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3FU) | 0x80U);
    auto text = core::hex(digest).substr(0, 32);
    for (const std::size_t place : {20U, 16U, 12U, 8U}) text.insert(place, "-");
    return text;
}

Result<void> check(const RequestedSession& request) {
    const auto bad = [](const std::string& id, std::size_t longest) {
        return id.empty() || id.size() > longest || id.find('\0') != std::string::npos;
    };
    if (bad(request.appointment_id, kLongestAppointmentId)) return fail(ErrorKind::invalid, "appointment_id is no id");
    if (bad(request.doctor_id, kLongestId)) return fail(ErrorKind::invalid, "doctor_id is no id");
    if (bad(request.patient_id, kLongestId)) return fail(ErrorKind::invalid, "patient_id is no id");
    return {};
}

}  // namespace

Task<Result<Session>> PlatformRequests::find(std::string id) {
    auto found = co_await store_.find(id);
    if (found && !*found) found = co_await store_.find_by_meeting(id);
    if (found && !*found) found = co_await store_.find_by_appointment(std::move(id));
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return fail(ErrorKind::not_found, "There is no session with this id, meeting or appointment");
    co_return std::move(**found);
}

Task<Result<void>> PlatformRequests::create(RequestedSession request) {
    if (auto good = check(request); !good) co_return good;
    CreateRequest booking;
    booking.booking_type = consultation::BookingType::direct_doctor;
    booking.appointment_id = request.appointment_id;
    booking.doctor_id = std::move(request.doctor_id);
    booking.patient_id = std::move(request.patient_id);
    booking.scheduled_start_time = request.scheduled_start_time;
    auto created = co_await consultations_.book_requested(std::move(booking), request.trace);
    if (!created) co_return std::unexpected(created.error());
    if (created->is_new) co_return Result<void>{};
    // Whoever asks again has missed the first answer, or could not use it yet.
    auto event = consultation::announce_again(created->session, derived_id("announce", request.request_id),
                                              consultations_.now(), consultations_.url_base());
    event.trace = core::trace::to_line(request.trace);
    co_return co_await outbox_.append(std::move(event));
}

Task<Result<void>> PlatformRequests::start(RequestedStart request) {
    auto session = co_await find(std::move(request.session));
    if (!session) co_return std::unexpected(session.error());
    auto started = co_await consultations_.start_requested(session->session_id, std::move(request.doctor_id),
                                                           std::move(request.trace));
    if (!started) co_return std::unexpected(started.error());
    co_return Result<void>{};
}

Task<Result<void>> PlatformRequests::end(RequestedEnd request) {
    auto session = co_await find(std::move(request.session));
    if (!session) co_return std::unexpected(session.error());
    Caller by{std::move(request.ended_by), request.ended_by_role == "doctor" ? "DOCTOR" : "PATIENT"};
    by.trace = std::move(request.trace);
    auto ended = co_await consultations_.end_requested(session->session_id, std::move(by));
    if (!ended) co_return std::unexpected(ended.error());
    co_return Result<void>{};
}

Task<Result<void>> PlatformRequests::creation_failed(std::string appointment_id, std::string why,
                                                     std::string request_id) {
    consultation::Event event;
    event.event_id = derived_id("failed", request_id);
    event.session_id = appointment_id.substr(0, kLongestAppointmentId);
    event.routing_key = "video.session.error";
    event.event_type = "video.session.creation.failed";
    event.occurred_at = consultations_.now();
    event.data = {{"appointment_id", std::move(appointment_id)}, {"error", std::move(why)}};
    co_return co_await outbox_.append(std::move(event));
}

}  // namespace service
