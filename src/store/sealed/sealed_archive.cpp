// The store as Archive.
#include <utility>

#include "store/sealed/columns.hpp"
#include "store/sealed/sealed_store.hpp"
#include "store/sealed/sealed_values.hpp"

namespace store::sealed {

using core::Result;
using service::Task;
using service::Time;

Task<Result<std::vector<std::string>>> SealedArchive::expired(Time before, int limit) {
    return below_.expired(before, limit);
}
Task<Result<void>> SealedArchive::rename_people(std::string session_id,
                                                std::vector<std::pair<std::string, std::string>> names) {
    return below_.rename_people(std::move(session_id), std::move(names));
}
Task<Result<void>> SealedArchive::mark_retired(std::string session_id, Time now) {
    return below_.mark_retired(std::move(session_id), now);
}
Task<Result<bool>> SealedArchive::purge(std::string session_id, std::int64_t version) {
    return below_.purge(std::move(session_id), version);
}
Task<Result<int>> SealedArchive::prune(service::Leftover what, Time before, int limit) {
    return below_.prune(what, before, limit);
}
Task<Result<std::vector<std::string>>> SealedArchive::sessions_of_patient(std::string patient_id, std::string after,
                                                                          int limit) {
    return below_.sessions_of_patient(std::move(patient_id), std::move(after), limit);
}
Task<Result<std::vector<consultation::Interval>>> SealedArchive::stays(std::string session_id) {
    return below_.stays(std::move(session_id));
}
Task<Result<std::vector<service::AuditRow>>> SealedArchive::audit_rows(std::string session_id,
                                                                       std::int64_t after_sequence, int limit) {
    auto rows = co_await below_.audit_rows(std::move(session_id), after_sequence, limit);
    if (!rows) co_return rows;
    std::vector<SealedSlot> slots;
    for (auto& row : *rows) add_slot(slots, kDescription, row.entry.event_id, row.entry.event_description);
    const auto done = co_await open_slots(ring_, std::move(slots));
    if (!done) co_return std::unexpected(done.error());
    co_return rows;
}

Task<Result<std::vector<service::Consent>>> SealedArchive::consents_of(std::string patient_id) {
    return below_.consents_of(std::move(patient_id));
}

Task<Result<std::vector<service::PersonFigures>>> SealedArchive::figures(std::string session_id) {
    auto found = co_await below_.figures(std::move(session_id));
    if (!found) co_return found;
    std::vector<std::string> rows;
    rows.reserve(found->size());
    std::vector<SealedSlot> slots;
    for (auto& person : *found) {
        const auto& row =
            rows.emplace_back(person_row(person.session_id, person.user_id, consultation::to_text(person.provider)));
        add_slot(slots, kIssue, row, person.issue_description);
    }
    const auto done = co_await open_slots(ring_, std::move(slots));
    if (!done) co_return std::unexpected(done.error());
    co_return found;
}

}  // namespace store::sealed
