// The store as BookingStore.
#include "store/common/booking_text.hpp"
#include "store/postgres/array_text.hpp"
#include "store/postgres/calls.hpp"
#include "store/postgres/values.hpp"

namespace store::postgres {
namespace {

using consultation::Happening;
using core::Result;
using service::Consent;
using service::Task;

struct BookingStatements {
    Statement find_consent, add_consent, happenings, find_happening, latest_happening, versions;
};

const BookingStatements& booking_statements() {
    static const std::string consent = joined(kConsentColumns);
    static const std::string told = "SELECT " + joined(kHappeningColumns) +
                                    " FROM video_consultation_events WHERE session_id = $1 AND event_type IN " +
                                    told_types();
    static const BookingStatements all{
        {"find_consent",
         "SELECT " + consent + " FROM video_consultation_consents WHERE patient_id = $1 AND version = $2"},
        {"add_consent", "INSERT INTO video_consultation_consents (" + consent +
                            ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (patient_id, version) DO NOTHING"
                            " RETURNING true"},
        {"happenings", told + " AND sequence > $2::bigint ORDER BY sequence LIMIT $3::bigint"},
        {"find_happening", told + " AND event_id = $2"},
        {"latest_happening", told + " ORDER BY sequence DESC LIMIT 1"},
        {"versions",
         "SELECT session_id, version FROM video_consultation_sessions WHERE session_id = ANY ($1::text[])"}};
    return all;
}

std::vector<Happening> happenings_of(const PGresult* rows) {
    std::vector<Happening> read;
    read.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int row = 0; row < PQntuples(rows); ++row) read.push_back(read_happening(ResultRow(rows, row)));
    return read;
}

std::optional<Happening> happening_of(const PGresult* rows) {
    if (PQntuples(rows) == 0) return {};
    return read_happening(ResultRow(rows, 0));
}

std::optional<Consent> consent_of(const PGresult* rows) {
    if (PQntuples(rows) == 0) return {};
    return read_consent(ResultRow(rows, 0));
}

std::vector<std::pair<std::string, std::int64_t>> versions_of(const PGresult* rows) {
    std::vector<std::pair<std::string, std::int64_t>> versions;
    versions.reserve(static_cast<std::size_t>(PQntuples(rows)));
    for (int number = 0; number < PQntuples(rows); ++number) {
        const ResultRow row(rows, number);
        versions.emplace_back(row.text(0), row.number(1));
    }
    return versions;
}

}  // namespace

Task<Result<std::optional<Consent>>> PostgresStore::find_consent(std::string patient_id, std::string version) {
    return parts_->read(booking_statements().find_consent, texts(patient_id, version), consent_of);
}

Task<Result<std::optional<Consent>>> PostgresStore::add_consent(Consent consent) {
    Params params;
    write_consent(params, consent);
    const auto added = co_await parts_->write(booking_statements().add_consent, std::move(params),
                                              [](const PGresult* rows) { return PQntuples(rows) > 0; });
    if (!added) co_return std::unexpected(added.error());
    if (*added) co_return std::nullopt;
    co_return co_await find_consent(std::move(consent.patient_id), std::move(consent.version));
}

Task<Result<std::vector<Happening>>> PostgresStore::happenings(std::string session_id, std::int64_t sequence,
                                                               int limit) {
    auto params = texts(session_id);
    params.number(sequence);
    params.number(limit);
    return parts_->read(booking_statements().happenings, std::move(params), happenings_of);
}

Task<Result<std::optional<Happening>>> PostgresStore::find_happening(std::string session_id,
                                                                     std::optional<std::string> event_id) {
    if (event_id) {
        return parts_->read(booking_statements().find_happening, texts(session_id, *event_id), happening_of);
    }
    return parts_->read(booking_statements().latest_happening, texts(session_id), happening_of);
}

Task<Result<std::vector<std::pair<std::string, std::int64_t>>>> PostgresStore::versions(
    std::vector<std::string> session_ids) {
    return parts_->read(booking_statements().versions, texts(array_of(session_ids)), versions_of);
}

}  // namespace store::postgres
