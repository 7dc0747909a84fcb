// Rows that the archive gives, the same for every engine. Row as in meter_figures.hpp.
#pragma once

#include "service/archive.hpp"
#include "store/common/meter_figures.hpp"

namespace store {

/// In the order of read_stay.
inline constexpr std::string_view kStayColumns =
    "interval_id, session_id, user_id, role, joined_at, left_at, provider, meeting_id";

template <class Row>
consultation::Interval read_stay(const Row& row) {
    detail::Columns<Row> in{row};
    consultation::Interval stay;
    stay.interval_id = in.text();
    stay.session_id = in.text();
    stay.user_id = in.text();
    stay.role = detail::known(consultation::role_from(in.word()), "role");
    stay.joined_at = in.time();
    stay.left_at = in.optional_time();
    stay.provider = in.provider();
    stay.meeting_id = in.text();
    return stay;
}

/// In the order of read_person_figures. Columns that are empty in rows of an earlier service count as nothing.
inline constexpr std::string_view kPersonColumns =
    "session_id, user_id, provider, coalesce(attendee_minutes_used, 0), billed_tenths,"
    " CASE WHEN coalesce(technical_issues, false) THEN 1 ELSE 0 END, issue_description, quality_reports,"
    " CAST(latency_sum AS double precision) / nullif(latency_reports, 0),"
    " CAST(packet_loss_sum AS double precision) / nullif(packet_loss_reports, 0),"
    " CAST(audio_sum AS double precision) / nullif(audio_reports, 0),"
    " CAST(video_sum AS double precision) / nullif(video_reports, 0)";

template <class Row>
service::PersonFigures read_person_figures(const Row& row) {
    detail::Columns<Row> in{row};
    service::PersonFigures person;
    person.session_id = in.text();
    person.user_id = in.text();
    person.provider = in.provider();
    person.attendee_minutes = in.number();
    person.billed_tenths = in.number();
    person.technical_issues = in.number() != 0;
    person.issue_description = in.optional_text();
    person.quality = {.reports = in.number(),
                      .latency_ms = optional_real(row, 8),
                      .packet_loss_percentage = optional_real(row, 9),
                      .audio_score = optional_real(row, 10),
                      .video_score = optional_real(row, 11)};
    return person;
}

/// In the order of read_whole_consent.
inline constexpr std::string_view kWholeConsentColumns =
    "patient_id, version, text_sha256, given_at, session_id, address, request_id";

template <class Row>
service::Consent read_whole_consent(const Row& row) {
    detail::Columns<Row> in{row};
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

}  // namespace store
