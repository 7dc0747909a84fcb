// Any bytes as Chime's notifications: what is taken can be stored, what is refused is told in valid JSON.
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "api/authorization.hpp"
#include "api/chime_events.hpp"
#include "api/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const core::Time now{std::chrono::sys_days{std::chrono::year{2026} / 1 / 25}};
    api::Faults faults;
    const auto events = api::read_chime_events(text, now, faults);
    if (events.has_value() == faults.any()) std::abort();
    if (!events) {
        boost::json::parse(faults.body());
    } else {
        if (events->size() > api::kMostEvents) std::abort();
        for (const auto& event : *events) {
            if (!api::can_be_an_id(event.event_id) || !api::can_be_an_id(event.meeting_id)) std::abort();
            if (!event.attendee_id.empty() && !api::can_be_an_id(event.attendee_id)) std::abort();
            if (event.occurred_at > now) std::abort();
        }
    }
    api::basic_password(text);
    return 0;
}
