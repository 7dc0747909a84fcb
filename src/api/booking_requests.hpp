// The requests about a visit's time and a patient's consent, read and checked. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/faults.hpp"
#include "api/requests.hpp"
#include "consultation/reschedule.hpp"

namespace api {

/// A new time, by the rules of a booking; at least one of the two.
std::optional<consultation::Move> read_reschedule(RawBody body, const core::ZoneResolver& zone, Faults& faults);
/// Whether a session that is moved so ends within the calendar.
bool ends_in_calendar(core::Time start, int duration_minutes);

struct ConsentGiven {
    std::string version;
    std::optional<std::string> session_id;
};
std::optional<ConsentGiven> read_consent_given(RawBody body, Faults& faults);

/// Header If-Match (RFC 9110 section 13.1.1).
struct IfMatch {
    bool any = false;                    ///< `*`
    std::vector<std::int64_t> versions;  ///< What the others name; entity tags that are not ours name none.
};
IfMatch read_if_match(std::string_view value);
/// `"7"`: of a session, by its version.
std::string entity_tag(std::int64_t version);

}  // namespace api
