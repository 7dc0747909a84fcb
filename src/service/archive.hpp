// Port: finished sessions as a whole: what has outlived its time, and what is held on one patient. Calls as in
// SessionStore.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/audit_log.hpp"
#include "service/booking_store.hpp"
#include "service/meter.hpp"
#include "service/task.hpp"

namespace service {

/// What else grows without end.
enum class Leftover {
    chime_events,  ///< By when they came.
    meetings,      ///< Records of meetings that ended, of sessions that are closed.
    idempotency,   ///< By when the booking was made.
    leases,        ///< By when they ran out.
};

/// A person's figures in one session at one provider.
struct PersonFigures {
    std::string session_id, user_id;
    consultation::Provider provider = consultation::Provider::embedded;
    std::int64_t attendee_minutes = 0;
    std::int64_t billed_tenths = 0;
    QualitySummary quality;
    bool technical_issues = false;
    std::optional<std::string> issue_description;
};

class Archive {
  public:
    virtual ~Archive() = default;

    /// Ids of closed sessions whose planned end and last change lie before `before`, and that were not retired yet;
    /// longest unchanged first.
    virtual Task<core::Result<std::vector<std::string>>> expired(Time before, int limit) = 0;
    /// Gives people other names (old, new) in everything that belongs to the session beside the session itself; texts
    /// and idempotency records go.
    virtual Task<core::Result<void>> rename_people(std::string session_id,
                                                   std::vector<std::pair<std::string, std::string>> names) = 0;
    /// The session is anonymous: it never expires again, and nothing finds it by its appointment.
    virtual Task<core::Result<void>> mark_retired(std::string session_id, Time now) = 0;
    /// Removes a closed session that still has this version, with all that belongs to it but audit rows and messages
    /// on their way. The figures of its month stay. False: it has changed, or is gone.
    virtual Task<core::Result<bool>> purge(std::string session_id, std::int64_t version) = 0;
    /// Removes at most `limit` of these from before `before`; returns how many.
    virtual Task<core::Result<int>> prune(Leftover what, Time before, int limit) = 0;

    /// Ids of the patient's sessions in the order of ids, from behind `after`.
    virtual Task<core::Result<std::vector<std::string>>> sessions_of_patient(std::string patient_id, std::string after,
                                                                             int limit) = 0;
    /// Stays of the session, oldest first.
    virtual Task<core::Result<std::vector<consultation::Interval>>> stays(std::string session_id) = 0;
    virtual Task<core::Result<std::vector<PersonFigures>>> figures(std::string session_id) = 0;
    /// All rows of the trail about the session, as they were written, from behind `after_sequence`.
    virtual Task<core::Result<std::vector<AuditRow>>> audit_rows(std::string session_id, std::int64_t after_sequence,
                                                                 int limit) = 0;
    /// By when they were given.
    virtual Task<core::Result<std::vector<Consent>>> consents_of(std::string patient_id) = 0;
};

}  // namespace service
