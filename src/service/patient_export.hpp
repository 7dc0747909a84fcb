// All that is held on a patient, page by page: a page holds so many sessions with what belongs to them, and is the most
// that is in memory at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "consultation/access.hpp"
#include "core/result.hpp"
#include "service/access_trail.hpp"
#include "service/archive.hpp"
#include "service/store.hpp"
#include "service/task.hpp"

namespace service {

struct ExportedSession {
    consultation::Session session;
    std::vector<consultation::Interval> stays;
    std::vector<PersonFigures> figures;
    std::vector<consultation::AuditEntry> audit;  ///< In the order of writing.
    bool continued = false;                       ///< Earlier audit rows stood on the page before.
};

struct PatientPage {
    std::string patient_id;
    Time exported_at;
    std::vector<Consent> consents;  ///< On the first page.
    std::vector<ExportedSession> sessions;
    std::optional<std::string> next;  ///< What to ask for behind this page; unset: that was all.
};

struct PageWanted {
    std::string after;  ///< As a page before named it; empty: from the beginning.
    int limit = 20;
};

/// Owns nothing but references, which must outlive it. Any control-plane thread.
class PatientExport {
  public:
    static constexpr int kMostSessions = 100;
    static constexpr int kMostAuditRows = 2000;  ///< On a page; a session with more goes on on the next one.

    PatientExport(Store& store, Archive& archive, AccessTrail& trail, const core::Clock& clock)
        : store_(store), archive_(archive), trail_(trail), clock_(clock) {}

    /// For the patient and administrators; written down in the audit trail before it is answered. A patient of whom
    /// nothing is known has an empty page.
    Task<core::Result<PatientPage>> page(consultation::Caller caller, std::string patient_id, PageWanted wanted);

  private:
    struct Place {
        std::string session_id;
        std::int64_t audit_sequence = 0;  ///< Set: this session's rows behind it come first.
    };
    static Place place_of(const std::string& after);
    /// The page's sessions, from behind `place`. Returns behind which one there are more.
    Task<core::Result<std::optional<std::string>>> find_sessions(const std::string& patient_id, const Place& place,
                                                                 int limit, SessionPage& found);
    /// Adds all but the audit rows.
    Task<core::Result<void>> complete(ExportedSession& exported);
    /// At most `room` (1 or more) rows; returns where they go on, 0: nowhere.
    Task<core::Result<std::int64_t>> add_audit(ExportedSession& exported, std::int64_t after, int room);

    Store& store_;
    Archive& archive_;
    AccessTrail& trail_;
    const core::Clock& clock_;
};

}  // namespace service
