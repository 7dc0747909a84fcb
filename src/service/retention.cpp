#include "service/retention.hpp"

#include <algorithm>
#include <utility>

#include "core/bytes.hpp"

namespace service {

using consultation::Session;
using core::Result;

namespace {

constexpr auto kLease = "retention";
/// Longer than a step takes; each step prolongs it.
constexpr std::chrono::seconds kLeaseLife{60};
constexpr int kPruneAtOnce = 500;
/// Of one run, so that it ends.
constexpr int kMostSteps = 200;
constexpr std::string_view kPurged = "SESSION_PURGED";
constexpr std::string_view kAnonymised = "SESSION_ANONYMISED";

/// Everybody whose id the session holds, once.
std::vector<std::string> people_of(const Session& session) {
    std::vector<std::string> people{session.doctor_id, session.patient_id};
    for (const auto& attendee : session.attendees) people.push_back(attendee.user_id);
    if (session.cancelled_by) people.push_back(*session.cancelled_by);
    std::ranges::sort(people);
    const auto twice = std::ranges::unique(people);
    people.erase(twice.begin(), twice.end());
    return people;
}

std::vector<std::pair<std::string, std::string>> new_names(const Session& session,
                                                           const Retention::Pseudonym& pseudonym) {
    std::vector<std::pair<std::string, std::string>> names;
    for (auto& person : people_of(session)) {
        auto other = pseudonym(person);
        names.emplace_back(std::move(person), std::move(other));
    }
    return names;
}

consultation::AuditEntry entry_of(const Session& session, std::string_view type, Time now) {
    consultation::AuditEntry entry;
    entry.event_id = core::uuid4();
    entry.session_id = session.session_id;
    entry.event_type = type;
    entry.event_description = type == kPurged ? "The session was removed, its time being over"
                                              : "The session was made anonymous, its time "
                                                "being over";
    entry.event_timestamp = now;
    return entry;
}

}  // namespace

Session anonymous(Session session, const Retention::Pseudonym& pseudonym) {
    session.doctor_id = pseudonym(session.doctor_id);
    session.patient_id = pseudonym(session.patient_id);
    if (session.cancelled_by) session.cancelled_by = pseudonym(*session.cancelled_by);
    session.appointment_id.reset();
    session.chief_complaint.reset();
    session.session_notes.reset();
    session.cancellation_reason.reset();
    for (auto& attendee : session.attendees) {
        attendee.user_id = pseudonym(attendee.user_id);
        // Told nobody apart but within their meeting, which is over; it was made of the person's id.
        attendee.chime_attendee_id.clear();
        attendee.external_user_id.clear();
        attendee.device_type.reset();
        attendee.browser_info.reset();
        attendee.guest_name.reset();
        attendee.invitation_hash.reset();
    }
    return session;
}

Task<Result<int>> Retention::run() {
    int retired = 0;
    for (int step = 0; step < kMostSteps; ++step) {
        const auto ours = co_await store_.hold_lease(kLease, settings_.holder, kLeaseLife);
        if (!ours) co_return std::unexpected(ours.error());
        if (!*ours) co_return retired;
        if (step == 0) {
            for (const auto& [what, age] :
                 {std::pair{Leftover::idempotency, settings_.idempotency},
                  std::pair{Leftover::chime_events, settings_.chime}, std::pair{Leftover::meetings, settings_.chime},
                  std::pair{Leftover::leases, settings_.leases}}) {
                const auto done = co_await prune(what, age);
                if (!done) co_return std::unexpected(done.error());
            }
        }
        if (settings_.keep.count() == 0) co_return retired;
        const auto due = co_await archive_.expired(clock_.now() - settings_.keep, settings_.batch);
        if (!due) co_return std::unexpected(due.error());
        int done = 0;
        for (const auto& id : *due) {
            const auto gone = co_await retire(id);
            if (!gone) co_return std::unexpected(gone.error());
            done += *gone ? 1 : 0;
        }
        retired += done;
        if (done == 0 || std::cmp_less(due->size(), settings_.batch)) co_return retired;
    }
    co_return retired;
}

Task<Result<void>> Retention::prune(Leftover what, std::chrono::days age) {
    const auto gone = co_await archive_.prune(what, clock_.now() - age, kPruneAtOnce);
    if (!gone) co_return std::unexpected(gone.error());
    co_return Result<void>{};
}

Task<Result<bool>> Retention::retire(std::string session_id) {
    auto found = co_await store_.find(std::move(session_id));
    if (!found) co_return std::unexpected(found.error());
    if (!*found || !consultation::is_closed((*found)->status)) co_return false;
    if (settings_.purge) co_return co_await purge(std::move(**found));
    co_return co_await anonymise(std::move(**found));
}

Task<Result<bool>> Retention::anonymise(Session session) {
    // The session last: as long as it has its people, all this is done again after an interruption.
    if (auto renamed = co_await archive_.rename_people(session.session_id, new_names(session, pseudonym_)); !renamed) {
        co_return std::unexpected(renamed.error());
    }
    consultation::Change change;
    change.expected_version = session.version;
    change.audit.push_back(entry_of(session, kAnonymised, clock_.now()));
    change.after = anonymous(std::move(session), pseudonym_);
    ++change.after.version;
    const auto id = change.after.session_id;
    const auto committed = co_await store_.commit(std::move(change));
    if (!committed) co_return std::unexpected(committed.error());
    if (*committed != Committed::applied) co_return false;
    const auto marked = co_await archive_.mark_retired(id, clock_.now());
    if (!marked) co_return std::unexpected(marked.error());
    co_return true;
}

Task<Result<void>> Retention::write_down(const Session& session) {
    const auto trail = co_await store_.audit_trail(session.session_id);
    if (!trail) co_return std::unexpected(trail.error());
    // Already there when an earlier run was interrupted between this row and the removal.
    if (std::ranges::find(*trail, kPurged, &consultation::AuditEntry::event_type) != trail->end()) {
        co_return Result<void>{};
    }
    std::vector<consultation::AuditEntry> entries{entry_of(session, kPurged, clock_.now())};
    co_return co_await store_.record(std::move(entries), {});
}

Task<Result<bool>> Retention::purge(Session session) {
    if (const auto written = co_await write_down(session); !written) co_return std::unexpected(written.error());
    if (auto renamed = co_await archive_.rename_people(session.session_id, new_names(session, pseudonym_)); !renamed) {
        co_return std::unexpected(renamed.error());
    }
    co_return co_await archive_.purge(session.session_id, session.version);
}

}  // namespace service
