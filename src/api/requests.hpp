// The request bodies and query parameters of contract section "Requests", read and checked. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/faults.hpp"
#include "api/text.hpp"
#include "core/time_zone.hpp"
#include "service/consultations.hpp"

namespace api {

/// A body as it came.
struct RawBody {
    std::string_view text;
    std::string_view content_type;
};

/// What this installation lets a booking say and leave out.
struct BookingRules {
    std::span<const std::string> media_regions;  ///< Those it may ask for; none: it may not ask.
    bool appointments_fill_in = false;           ///< With an appointment, its people and time may be left out.
};

/// Each returns a value only when there is no fault.
std::optional<service::CreateRequest> read_create(RawBody body, const core::ZoneResolver& zone,
                                                  const BookingRules& rules, Faults& faults);
std::optional<service::JoinRequest> read_join(RawBody body, Faults& faults);
/// No body of a start is wrong: what cannot be read is not looked at.
service::JoinRequest read_start(RawBody body);
std::optional<service::EndRequest> read_end(RawBody body, Faults& faults);
std::optional<std::string> read_cancel(RawBody body, Faults& faults);
std::optional<std::string> read_notes(RawBody body, Faults& faults);
/// No body at all means the defaults.
std::optional<service::TranscriptionOptions> read_transcription(RawBody body, Faults& faults);
std::optional<service::QualityReport> read_quality(RawBody body, Faults& faults);

/// The value of header Idempotency-Key: 1 to 255 visible ASCII characters.
std::optional<std::string> read_idempotency_key(std::string_view value, Faults& faults);

/// Which page of which sessions.
struct ListRequest {
    service::SessionQuery query;
    std::int64_t page = 1;
    int page_size = 20;
};
std::optional<ListRequest> read_list(const QueryString& query, const core::ZoneResolver& zone, Faults& faults);

/// The month [from, to) of the usage figures, UTC; `now` decides the default.
struct UsageMonth {
    core::Time from, to;
};
std::optional<UsageMonth> read_usage_month(const QueryString& query, core::Time now, Faults& faults);

}  // namespace api
