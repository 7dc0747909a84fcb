// Consents and happenings as both engines keep them. Row and Out as in tables.hpp.
#pragma once

#include <array>
#include <string>

#include "consultation/news.hpp"
#include "service/booking_store.hpp"
#include "store/common/audit_rows.hpp"
#include "store/common/tables.hpp"

namespace store {

inline constexpr std::array<std::string_view, 7> kConsentColumns{"patient_id", "version", "text_sha256", "given_at",
                                                                 "session_id", "address", "request_id"};
inline constexpr std::array<std::string_view, 6> kHappeningColumns{"sequence", "event_id",        "event_type",
                                                                   "user_id",  "event_timestamp", "event_metadata"};

/// `('USER_JOINED', …)`: those that are told.
inline std::string told_types() {
    std::string text;
    for (const auto type : consultation::told_event_types()) {
        text.append(text.empty() ? "('" : ", '").append(type).append("'");
    }
    return text + ")";
}

/// The consent whose columns begin at `first`.
template <class Row>
service::Consent read_consent(const Row& row, int first = 0) {
    detail::Columns<Row> in{row, first};
    service::Consent consent;
    consent.patient_id = in.text();
    consent.version = in.text();
    consent.text_sha256 = in.text();
    consent.given_at = in.time();
    consent.session_id = in.optional_text();
    consent.address = in.optional_text();
    consent.request_id = in.optional_text();
    return consent;
}

template <class Out>
void write_consent(Out& out, const service::Consent& consent) {
    out.text(consent.patient_id);
    out.text(consent.version);
    out.text(consent.text_sha256);
    out.time(consent.given_at);
    out.optional(consent.session_id);
    out.optional(consent.address);
    out.optional(consent.request_id);
}

template <class Row>
consultation::Happening read_happening(const Row& row) {
    detail::Columns<Row> in{row};
    consultation::Happening happening;
    happening.sequence = in.number();
    happening.event_id = in.text();
    happening.event_type = in.text();
    happening.user_id = in.optional_text();
    happening.at = in.time();
    if (const auto metadata = in.word(); !metadata.empty()) happening.subject_id = subject_in(metadata);
    return happening;
}

}  // namespace store
