// Who may do what with a session. Pure; errors carry the contract's texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "consultation/session.hpp"
#include "core/result.hpp"
#include "core/trace.hpp"

namespace consultation {

/// Who asks. Comes from a verified token only, never from headers or bodies.
struct Caller {
    std::string user_id;
    std::string role;  ///< As in the token: `PATIENT`, `DOCTOR`, `CLINIC_ADMIN` …

    // About the request itself, for the audit trail. Empty where there is none: a message of the queue, a timer.
    std::string address{};                            ///< Where it came from, without port.
    std::string request_id{};                         ///< As in the answer's X-Request-ID.
    core::trace::Context trace{};                     ///< The parent of what the request leads to.
    std::optional<std::string> break_glass_reason{};  ///< Why an administrator has to see clinical texts now.

    /// The one session that a guest's token is good for. Only tokens of our own making say so.
    std::optional<std::string> guest_of{};

    /// ADMIN, CLINIC_ADMIN and SYS_ADMIN.
    bool is_admin() const { return role == "ADMIN" || role == "CLINIC_ADMIN" || role == "SYS_ADMIN"; }
    bool is_doctor() const { return role == "DOCTOR"; }
    bool is_patient() const { return role == "PATIENT"; }
    /// Invited to one session by its doctor.
    bool is_guest() const { return guest_of.has_value(); }
};

/// The caller's part in the session, if they have one.
std::optional<Role> part_of(const Session& session, const Caller& caller);

core::Result<void> may_create(const Caller& caller, std::string_view doctor_id, std::string_view patient_id);
/// Reading, and all that a guest has no business with.
core::Result<void> may_see(const Session& session, const Caller& caller);
/// The same, and guests: what everybody may who takes part. Reading the session itself, following it, leaving it.
core::Result<void> may_attend(const Session& session, const Caller& caller);
/// The part in which the caller joins.
core::Result<Role> may_join(const Session& session, const Caller& caller);
core::Result<void> may_start(const Session& session, const Caller& caller);
core::Result<void> may_end(const Session& session, const Caller& caller);
/// The session's doctor.
core::Result<void> may_admit(const Session& session, const Caller& caller);
core::Result<void> may_invite(const Session& session, const Caller& caller);
/// The queue and the invitations: the doctor and admins.
core::Result<void> may_see_door(const Session& session, const Caller& caller);
/// Transcription: the session's doctor.
core::Result<void> may_transcribe(const Session& session, const Caller& caller);
core::Result<void> may_write_notes(const Session& session, const Caller& caller);
/// Lists by person: admins, and the person in that role.
core::Result<void> may_list_of(const Caller& caller, Role role, std::string_view user_id);
/// Usage figures: doctors and admins.
core::Result<void> may_see_usage(const Caller& caller);

}  // namespace consultation
