// Any bytes as the body of a booking: what is accepted keeps its limits, what is refused is told in valid JSON.
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "api/requests.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    api::Faults faults;
    // The length decides what the installation allows, so that both ways are tried.
    static const std::vector<std::string> kRegions{"us-east-1", "eu-central-1"};
    const bool strict = size % 2 == 0;
    const auto rules = strict ? api::BookingRules{} : api::BookingRules{kRegions, true};
    const auto request = api::read_create({text, "application/json"}, core::utc_zone(), rules, faults);
    if (request.has_value() == faults.any()) std::abort();
    if (request) {
        const auto& left_out = request->left_out;
        if (left_out.any_required() && (strict || !request->appointment_id)) std::abort();
        if (request->doctor_id.empty() != left_out.doctor || request->patient_id.empty() != left_out.patient) {
            std::abort();
        }
        if (!left_out.doctor && request->doctor_id == request->patient_id) std::abort();
        if (request->media_region && (strict || request->media_region->empty())) std::abort();
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
        api::read_transcription({text, type}, others);
        if (const auto report = api::read_quality({text, type}, others)) {
            const auto loss = report->packet_loss_percentage.value_or(0);
            if (!(loss >= 0 && loss <= 100)) std::abort();
        }
        if (others.any()) boost::json::parse(others.body());
    }
    return 0;
}
