// Any bytes as the body of a booking: what is accepted keeps its limits, what is refused is told in valid JSON.
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "api/requests.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    api::Faults faults;
    const auto request = api::read_create({text, "application/json"}, api::utc_zone(), faults);
    if (request.has_value() == faults.any()) std::abort();
    if (request) {
        if (request->doctor_id.empty() || request->doctor_id == request->patient_id) std::abort();
        if (request->duration_minutes < 15 || request->duration_minutes > 120) std::abort();
        if (request->booking_type == consultation::BookingType::clinic_based && !request->appointment_id) std::abort();
        if (request->chief_complaint && request->chief_complaint->find('\0') != std::string::npos) std::abort();
    } else {
        boost::json::parse(faults.body());
    }
    for (const auto* type : {"", "text/plain"}) {
        api::Faults others;
        api::read_join({text, type}, others);
        api::read_end({text, type}, others);
        api::read_cancel({text, type}, others);
        api::read_notes({text, type}, others);
        if (others.any()) boost::json::parse(others.body());
    }
    return 0;
}
