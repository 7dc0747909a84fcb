// The store as BookingStore.
#include "store/common/booking_text.hpp"
#include "store/sqlite/parts.hpp"

namespace store::sqlite {
namespace {

using consultation::Happening;
using core::Result;
using service::Consent;
using service::Task;

std::optional<Consent> find_record(Connection& connection, const std::string& patient_id, const std::string& version) {
    static const std::string sql = "SELECT " + joined(kConsentColumns) +
                                   " FROM video_consultation_consents WHERE patient_id = ?1 AND version = ?2";
    auto row = connection.query(sql);
    row.text(patient_id);
    row.text(version);
    if (!row.step()) return {};
    return read_consent(row.row());
}

std::optional<Consent> add_record(Connection& connection, const Consent& consent) {
    static const std::string sql = "INSERT INTO video_consultation_consents (" + joined(kConsentColumns) +
                                   ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (patient_id, version) DO NOTHING";
    {
        auto insert = connection.query(sql);
        write_consent(insert, consent);
        insert.run();
        if (connection.changes() == 1) return {};
    }
    return find_record(connection, consent.patient_id, consent.version);
}

const std::string& told() {
    static const std::string text = "SELECT " + joined(kHappeningColumns) +
                                    " FROM video_consultation_events WHERE session_id = ?1 AND event_type IN " +
                                    told_types();
    return text;
}

std::vector<Happening> happenings_after(Connection& connection, const std::string& session_id, std::int64_t sequence,
                                        int limit) {
    static const std::string sql = told() + " AND sequence > ?2 ORDER BY sequence LIMIT ?3";
    auto rows = connection.query(sql);
    rows.text(session_id);
    rows.number(sequence);
    rows.number(limit);
    std::vector<Happening> read;
    while (rows.step()) read.push_back(read_happening(rows.row()));
    return read;
}

std::optional<Happening> find_told(Connection& connection, const std::string& session_id,
                                   const std::optional<std::string>& event_id) {
    static const std::string by_id = told() + " AND event_id = ?2";
    static const std::string latest = told() + " ORDER BY sequence DESC LIMIT 1";
    auto row = connection.query(event_id ? by_id : latest);
    row.text(session_id);
    if (event_id) row.text(*event_id);
    if (!row.step()) return {};
    return read_happening(row.row());
}

}  // namespace

Task<Result<std::optional<Consent>>> SqliteStore::find_consent(std::string patient_id, std::string version) {
    return parts_->read<std::optional<Consent>>(
        [patient_id = std::move(patient_id), version = std::move(version)](Connection& connection) {
            return find_record(connection, patient_id, version);
        });
}

Task<Result<std::optional<Consent>>> SqliteStore::add_consent(Consent consent) {
    return parts_->write<std::optional<Consent>>(
        [consent = std::move(consent)](Connection& connection) { return add_record(connection, consent); });
}

Task<Result<std::vector<Happening>>> SqliteStore::happenings(std::string session_id, std::int64_t sequence, int limit) {
    return parts_->read<std::vector<Happening>>(
        [session_id = std::move(session_id), sequence, limit](Connection& connection) {
            return happenings_after(connection, session_id, sequence, limit);
        });
}

Task<Result<std::optional<Happening>>> SqliteStore::find_happening(std::string session_id,
                                                                   std::optional<std::string> event_id) {
    return parts_->read<std::optional<Happening>>(
        [session_id = std::move(session_id), event_id = std::move(event_id)](Connection& connection) {
            return find_told(connection, session_id, event_id);
        });
}

Task<Result<std::vector<std::pair<std::string, std::int64_t>>>> SqliteStore::versions(
    std::vector<std::string> session_ids) {
    using Versions = std::vector<std::pair<std::string, std::int64_t>>;
    return parts_->read<Versions>([ids = std::move(session_ids)](Connection& connection) {
        Versions versions;
        for (const auto& id : ids) {
            auto row = connection.query("SELECT version FROM video_consultation_sessions WHERE session_id = ?1");
            row.text(id);
            if (row.step()) versions.emplace_back(id, row.row().number(0));
        }
        return versions;
    });
}

}  // namespace store::sqlite
