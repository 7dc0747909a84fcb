// Appointments as another service writes them.
#include <cstdlib>

#include "directory/appointments_client.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view kId = "789e1552-abfa-42ab-a7a9-b033e8b745f9";
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto found = directory::read_appointment(text, kId, core::utc_zone());
    if (!found) return 0;
    if (found->appointment_id.size() != kId.size() || found->doctor_id.empty() || found->patient_id.empty()) {
        std::abort();
    }
    if (found->duration_minutes && *found->duration_minutes <= 0) std::abort();
    return 0;
}
