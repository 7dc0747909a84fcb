// Messages from the queue: whatever they hold, what is read from them fits the store, and nothing of it gets into a
// log.
#include <cstdlib>

#include "events/requests.hpp"

namespace {

void check_id(const std::string& id) {
    if (id.empty() || id == "null" || id.size() > 100) std::abort();
    for (const unsigned char c : id) {
        if (c < 0x20) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body{reinterpret_cast<const char*>(data), size};
    const auto request = events::parse_request(body, [](std::chrono::local_time<std::chrono::microseconds> local) {
        return core::Time{local.time_since_epoch()};
    });
    if (const auto* create = std::get_if<service::RequestedSession>(&request)) {
        for (const auto* id : {&create->appointment_id, &create->doctor_id, &create->patient_id}) check_id(*id);
        if (create->request_id.size() != 64) std::abort();
    } else if (const auto* start = std::get_if<service::RequestedStart>(&request)) {
        for (const auto* id : {&start->session, &start->doctor_id}) check_id(*id);
    } else if (const auto* end = std::get_if<service::RequestedEnd>(&request)) {
        for (const auto* id : {&end->session, &end->ended_by}) check_id(*id);
        if (end->ended_by_role != "doctor" && end->ended_by_role != "patient") std::abort();
    } else if (const auto* bad = std::get_if<events::BadRequest>(&request)) {
        if (bad->reason.empty()) std::abort();
        if (bad->appointment_id) check_id(*bad->appointment_id);
    }
    if (events::event_type_of(request).size() > 64 || events::event_type_of(request).empty()) std::abort();
    return 0;
}
