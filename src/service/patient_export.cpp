#include "service/patient_export.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace service {

using core::Result;

PatientExport::Place PatientExport::place_of(const std::string& after) {
    Place place;
    const auto mark = after.find('~');
    place.session_id = after.substr(0, mark);
    if (mark == std::string::npos) return place;
    // What is no number is no place within a session.
    std::from_chars(after.data() + mark + 1, after.data() + after.size(), place.audit_sequence);
    return place;
}

Task<Result<std::optional<std::string>>> PatientExport::find_sessions(const std::string& patient_id, const Place& place,
                                                                      int limit, SessionPage& found) {
    std::vector<std::string> ids;
    if (place.audit_sequence > 0) ids.push_back(place.session_id);
    // One more than wanted: whether there is another page.
    auto behind = co_await archive_.sessions_of_patient(patient_id, place.session_id, limit + 1);
    if (!behind) co_return std::unexpected(behind.error());
    ids.insert(ids.end(), behind->begin(), behind->end());
    std::optional<std::string> next;
    if (std::cmp_greater(ids.size(), limit)) {
        ids.resize(static_cast<std::size_t>(limit));
        next = ids.back();
    }
    for (const auto& id : ids) {
        auto session = co_await store_.find(id);
        if (!session) co_return std::unexpected(session.error());
        // Gone since: its time was over. Or never this patient's: a place that somebody made up.
        if (*session && (*session)->patient_id == patient_id) found.sessions.push_back(std::move(**session));
    }
    found.total = static_cast<std::int64_t>(found.sessions.size());
    co_return next;
}

Task<Result<PatientPage>> PatientExport::page(consultation::Caller caller, std::string patient_id, PageWanted wanted) {
    if (auto allowed = consultation::may_list_of(caller, consultation::Role::patient, patient_id); !allowed) {
        co_return std::unexpected(co_await trail_.refused(caller, {}, "PATIENT_EXPORTED", std::move(allowed.error())));
    }
    const auto place = place_of(wanted.after);
    SessionPage found;
    const auto next = co_await find_sessions(patient_id, place, std::clamp(wanted.limit, 1, kMostSessions), found);
    if (!next) co_return std::unexpected(next.error());
    auto seen = co_await trail_.list(caller, std::move(found), "export of patient " + patient_id);
    if (!seen) co_return std::unexpected(seen.error());
    PatientPage page;
    page.patient_id = patient_id;
    page.exported_at = clock_.now();
    int room = kMostAuditRows;
    for (auto& session : seen->sessions) {
        if (room == 0) {
            page.next = page.sessions.back().session.session_id;
            break;
        }
        auto& exported = page.sessions.emplace_back();
        exported.session = std::move(session);
        const auto& id = exported.session.session_id;
        exported.continued = place.audit_sequence > 0 && id == place.session_id;
        if (const auto done = co_await complete(exported); !done) co_return std::unexpected(done.error());
        const auto rest = co_await add_audit(exported, exported.continued ? place.audit_sequence : 0, room);
        if (!rest) co_return std::unexpected(rest.error());
        room -= static_cast<int>(exported.audit.size());
        if (*rest > 0) {
            page.next = id + "~" + std::to_string(*rest);
            break;
        }
    }
    if (!page.next) page.next = *next;
    if (wanted.after.empty()) {
        auto consents = co_await archive_.consents_of(std::move(patient_id));
        if (!consents) co_return std::unexpected(consents.error());
        page.consents = std::move(*consents);
    }
    co_return page;
}

Task<Result<std::int64_t>> PatientExport::add_audit(ExportedSession& exported, std::int64_t after, int room) {
    auto rows = co_await archive_.audit_rows(exported.session.session_id, after, room + 1);
    if (!rows) co_return std::unexpected(rows.error());
    std::int64_t rest = 0;
    if (std::cmp_greater(rows->size(), room)) {
        rows->pop_back();
        rest = rows->back().sequence;
    }
    for (auto& row : *rows) exported.audit.push_back(std::move(row.entry));
    co_return rest;
}

Task<Result<void>> PatientExport::complete(ExportedSession& exported) {
    const auto& id = exported.session.session_id;
    auto stays = co_await archive_.stays(id);
    if (!stays) co_return std::unexpected(stays.error());
    exported.stays = std::move(*stays);
    auto figures = co_await archive_.figures(id);
    if (!figures) co_return std::unexpected(figures.error());
    exported.figures = std::move(*figures);
    co_return Result<void>{};
}

}  // namespace service
