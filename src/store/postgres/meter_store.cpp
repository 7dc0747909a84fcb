// The store as MeterStore.
#include "core/bytes.hpp"
#include "store/common/change_text.hpp"
#include "store/common/meter_figures.hpp"
#include "store/common/quality_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/meter_statements.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using core::Result;
using service::Task;

Params times(std::initializer_list<service::Time> values) {
    Params params;
    for (const auto value : values) params.time(value);
    return params;
}

service::Usage usage_of(const PGresult* rows) {
    constexpr int kDay = 8;
    auto usage = read_usage_figures(ResultRow(rows, 0));
    for (int number = 0; number < PQntuples(rows); ++number) {
        const ResultRow row(rows, number);
        if (!row.null(kDay + 1)) add_provider_usage(usage, row, kDay);
    }
    return usage;
}

std::vector<service::SessionUsage> sessions_of(const PGresult* rows) {
    std::vector<service::SessionUsage> sessions;
    sessions.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int row = 0; row < PQntuples(rows); ++row) sessions.push_back(read_session_usage(ResultRow(rows, row)));
    return sessions;
}

std::vector<service::MeterRow> meter_rows_of(const PGresult* rows) {
    std::vector<service::MeterRow> read;
    read.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int row = 0; row < PQntuples(rows); ++row) read.push_back(read_meter_row(ResultRow(rows, row)));
    return read;
}

bool any(const PGresult* rows) {
    return PQntuples(rows) > 0;
}

}  // namespace

Task<Result<service::Usage>> PostgresStore::usage(service::Time from, service::Time to) {
    return parts_->read(meter_statements().usage, times({from, to}), usage_of);
}

Task<Result<std::vector<service::SessionUsage>>> PostgresStore::usage_sessions(service::Time from, service::Time to,
                                                                               int limit) {
    auto params = times({from, to});
    params.number(limit);
    return parts_->read(meter_statements().usage_sessions, std::move(params), sessions_of);
}

Task<Result<std::int64_t>> PostgresStore::billed_tenths(service::Time from, service::Time to, service::Time now) {
    return parts_->read(meter_statements().billed_tenths, times({from, to, now}),
                        [](const PGresult* rows) { return ResultRow(rows, 0).number(0); });
}

Task<Result<bool>> PostgresStore::note_threshold(std::string month, int percent, consultation::Event event) {
    auto params = texts(month);
    params.number(percent);
    for (const auto& text : {event.event_id, event.session_id, event.routing_key, event.event_type}) params.text(text);
    params.time(event.occurred_at);
    params.text(payload_of(event));
    return parts_->write(meter_statements().note_threshold, std::move(params), any);
}

Task<Result<void>> PostgresStore::record_quality(std::string session_id, std::string user_id,
                                                 consultation::Provider provider, service::QualityReport report,
                                                 service::Time now) {
    Params params;
    write_quality(params, core::uuid4(), session_id, user_id, provider, report, now);
    return parts_->write(meter_statements().record_quality, std::move(params), nothing);
}

Task<Result<bool>> PostgresStore::record_chime_event(service::ChimeEvent event, service::Time now) {
    auto params = texts(event.event_id, event.event_type, event.meeting_id, event.attendee_id);
    params.time(event.occurred_at);
    params.time(now);
    return parts_->write(meter_statements().record_chime_event, std::move(params), any);
}

Task<Result<std::vector<service::MeterRow>>> PostgresStore::meter_rows(service::Time from, service::Time to,
                                                                       std::string after_session,
                                                                       std::string after_user, int limit) {
    auto params = times({from, to});
    params.text(after_session);
    params.text(after_user);
    params.number(limit);
    return parts_->read(meter_statements().meter_rows, std::move(params), meter_rows_of);
}

}  // namespace store::postgres
