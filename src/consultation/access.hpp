// Who may do what with a session. Pure; errors carry the contract's texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "consultation/session.hpp"
#include "core/result.hpp"

namespace consultation {

/// Who asks. Comes from a verified token only, never from headers or bodies.
struct Caller {
    std::string user_id;
    std::string role;  ///< As in the token: `PATIENT`, `DOCTOR`, `CLINIC_ADMIN` …

    /// ADMIN, CLINIC_ADMIN and SYS_ADMIN.
    bool is_admin() const { return role == "ADMIN" || role == "CLINIC_ADMIN" || role == "SYS_ADMIN"; }
    bool is_doctor() const { return role == "DOCTOR"; }
    bool is_patient() const { return role == "PATIENT"; }
};

/// The caller's part in the session, if they have one.
std::optional<Role> part_of(const Session& session, const Caller& caller);

core::Result<void> may_create(const Caller& caller, std::string_view doctor_id, std::string_view patient_id);
/// Reading, and leaving.
core::Result<void> may_see(const Session& session, const Caller& caller);
/// The part in which the caller joins.
core::Result<Role> may_join(const Session& session, const Caller& caller);
core::Result<void> may_start(const Session& session, const Caller& caller);
core::Result<void> may_end(const Session& session, const Caller& caller);
/// Transcription: the session's doctor.
core::Result<void> may_transcribe(const Session& session, const Caller& caller);
core::Result<void> may_write_notes(const Session& session, const Caller& caller);
/// Lists by person: admins, and the person in that role.
core::Result<void> may_list_of(const Caller& caller, Role role, std::string_view user_id);
/// Usage figures: doctors and admins.
core::Result<void> may_see_usage(const Caller& caller);

}  // namespace consultation
