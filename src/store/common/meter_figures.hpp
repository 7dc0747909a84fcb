// The meter's rows as both engines give them. Row as in tables.hpp, and real(i) -> double.
#pragma once

#include <optional>

#include "service/meter.hpp"
#include "store/common/tables.hpp"

namespace store {

template <class Row>
std::optional<double> optional_real(const Row& row, int column) {
    return row.null(column) ? std::nullopt : std::optional(row.real(column));
}

/// Sessions, active ones, mean length; then number of reports and their four means.
template <class Row>
service::Usage read_usage_figures(const Row& row) {
    service::Usage usage;
    usage.sessions = row.number(0);
    usage.active_sessions = row.number(1);
    usage.average_session_minutes = optional_real(row, 2);
    usage.quality = {.reports = row.number(3),
                     .latency_ms = optional_real(row, 4),
                     .packet_loss_percentage = optional_real(row, 5),
                     .audio_score = optional_real(row, 6),
                     .video_score = optional_real(row, 7)};
    return usage;
}

/// Day (null: the whole time), provider, minutes, tenths, sessions: from column `first` on. Days in their order.
template <class Row>
void add_provider_usage(service::Usage& usage, const Row& row, int first) {
    detail::Columns<Row> in{row, first};
    const auto day = in.optional_time();
    const bool chime = in.provider() == consultation::Provider::chime;
    const service::ProviderUsage figures{in.number(), in.number(), in.number()};
    if (!day) {
        (chime ? usage.chime : usage.embedded) = figures;
        return;
    }
    if (usage.days.empty() || usage.days.back().day != *day) usage.days.push_back({*day, {}, {}});
    (chime ? usage.days.back().chime : usage.days.back().embedded) = figures;
}

template <class Row>
service::SessionUsage read_session_usage(const Row& row) {
    detail::Columns<Row> in{row};
    service::SessionUsage usage;
    usage.session_id = in.text();
    usage.doctor_id = in.text();
    usage.patient_id = in.text();
    usage.provider = in.provider();
    usage.date = in.time();
    usage.attendee_minutes = in.number();
    usage.billed_tenths = in.number();
    return usage;
}

template <class Row>
service::MeterRow read_meter_row(const Row& row) {
    detail::Columns<Row> in{row};
    service::MeterRow read;
    read.session_id = in.text();
    read.user_id = in.text();
    read.provider = in.provider();
    read.attendee_minutes = in.number();
    read.billed_tenths = in.number();
    read.interval_micros = in.number();
    read.interval_tenths = in.number();
    read.provider_micros = in.template optional_number<std::int64_t>();
    return read;
}

}  // namespace store
