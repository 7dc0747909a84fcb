// Who looked at what: rows of the audit trail that no change of a session brings with it, and the rule under which
// administrators see clinical texts. Every answer about a session is written down before it leaves; if that cannot be
// done, there is no answer.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "consultation/access.hpp"
#include "consultation/session.hpp"
#include "core/result.hpp"
#include "service/admin_access.hpp"
#include "service/audit_log.hpp"
#include "service/session_store.hpp"
#include "service/task.hpp"

namespace service {

using consultation::Caller;

/// Says in the rows of a change who asked for it: role and address where the row is about the caller's own doing, the
/// request everywhere. A change without a row about the caller gets one of kind `access`. Pure.
void sign(consultation::Change& change, const Caller& by, Time now);
/// The change and its messages belong to this trace, if it is one.
void trace(consultation::Change& change, const core::trace::Context& context);

/// Owns nothing but a reference, which must outlive it. Any control-plane thread.
class AccessTrail {
  public:
    AccessTrail(AuditLog& log, const core::Clock& clock, AdminAccess admins)
        : log_(log), clock_(clock), admins_(admins) {}

    /// One row: the caller did `what` (`WAITING_ROOM_READ`) with a session (empty: with several, or none). Unavailable
    /// when it cannot be written: then nothing may be shown.
    Task<core::Result<void>> note(const Caller& caller, std::string session_id, std::string what,
                                  std::string description);
    /// Before a whole session is shown: `note`, or with break-glass its row, its message and its warning; refused when
    /// the caller is an administrator who has not said why.
    Task<core::Result<void>> show(const Caller& caller, const consultation::Session& session, std::string what,
                                  std::string description);
    /// Writes a refusal down and gives it back; or what kept it from being written. Anything but a refusal of access is
    /// given back as it is.
    Task<core::Error> refused(const Caller& caller, std::string session_id, std::string_view what, core::Error why);
    /// The same for a list: one row that names all sessions on the page. Takes the clinical texts out where the caller
    /// may not see them.
    Task<core::Result<SessionPage>> list(const Caller& caller, SessionPage page, std::string asked);

    /// Takes the clinical texts out where the caller may not see them: of answers to what they did, not asked to see.
    void veil(const Caller& caller, consultation::Session& session) const;

    /// How often the glass was broken, since the start of this process.
    std::uint64_t broken() const { return broken_.load(std::memory_order_relaxed); }

  private:
    bool must_say_why(const Caller& caller, const consultation::Session& session) const;
    bool breaks_glass(const Caller& caller) const;
    consultation::AuditEntry entry(const Caller& caller, std::string session_id, std::string what,
                                   std::string description) const;
    /// `sessions`: how many are shown.
    Task<core::Result<void>> break_glass(const Caller& caller, std::string session_id, std::size_t sessions,
                                         std::string description);

    AuditLog& log_;
    const core::Clock& clock_;
    const AdminAccess admins_;
    std::atomic<std::uint64_t> broken_{0};
};

}  // namespace service
