#include "consultation/access.hpp"

#include "consultation/life_cycle.hpp"

namespace consultation {

using core::ErrorKind;
using core::fail;
using core::Result;

std::optional<Role> part_of(const Session& session, const Caller& caller) {
    if (caller.is_doctor() && caller.user_id == session.doctor_id) return Role::doctor;
    if (caller.is_patient() && caller.user_id == session.patient_id) return Role::patient;
    if (caller.guest_of == session.session_id) {
        const auto* guest = find_attendee(session, caller.user_id);
        if (guest && guest->role == Role::guest && !guest->invitation_revoked_at) return Role::guest;
    }
    return {};
}

Result<void> may_create(const Caller& caller, std::string_view doctor_id, std::string_view patient_id) {
    if (caller.is_admin()) return {};
    if (caller.is_doctor()) {
        if (caller.user_id == doctor_id) return {};
        return fail(ErrorKind::forbidden, "Doctors can only create sessions for themselves");
    }
    if (caller.is_patient()) {
        if (caller.user_id == patient_id) return {};
        return fail(ErrorKind::forbidden, "Patients can only create sessions for themselves");
    }
    return fail(ErrorKind::forbidden, "Only doctors, patients and administrators can create sessions");
}

Result<void> may_see(const Session& session, const Caller& caller) {
    const auto part = part_of(session, caller);
    if (caller.is_admin() || (part && part != Role::guest)) return {};
    return fail(ErrorKind::forbidden, "You do not have access to this video consultation session");
}

Result<void> may_attend(const Session& session, const Caller& caller) {
    if (part_of(session, caller) == Role::guest) return {};
    if (caller.guest_of == session.session_id) {
        return fail(ErrorKind::forbidden, "Your invitation to this session has been revoked");
    }
    return may_see(session, caller);
}

Result<Role> may_join(const Session& session, const Caller& caller) {
    if (auto seen = may_attend(session, caller); !seen) return std::unexpected(seen.error());
    if (const auto role = part_of(session, caller)) return *role;
    return fail(ErrorKind::forbidden, "You are not authorized to join this session");
}

Result<void> may_start(const Session& session, const Caller& caller) {
    if (caller.is_admin() || part_of(session, caller) == Role::doctor) return {};
    return fail(ErrorKind::forbidden, "Only the doctor or admin can start the session");
}

Result<void> may_end(const Session& session, const Caller& caller) {
    if (caller.is_admin() || part_of(session, caller) == Role::doctor) return {};
    return fail(ErrorKind::forbidden, "Only the doctor or admin can end the session");
}

Result<void> may_admit(const Session& session, const Caller& caller) {
    if (part_of(session, caller) == Role::doctor) return {};
    return fail(ErrorKind::forbidden, "Only the assigned doctor decides who comes in");
}

Result<void> may_invite(const Session& session, const Caller& caller) {
    if (part_of(session, caller) == Role::doctor) return {};
    return fail(ErrorKind::forbidden, "Only the assigned doctor can invite guests");
}

Result<void> may_see_door(const Session& session, const Caller& caller) {
    if (caller.is_admin() || part_of(session, caller) == Role::doctor) return {};
    return fail(ErrorKind::forbidden, "Only the doctor or admin can see who waits and who is invited");
}

Result<void> may_transcribe(const Session& session, const Caller& caller) {
    if (part_of(session, caller) == Role::doctor) return {};
    return fail(ErrorKind::forbidden, "Only the assigned doctor can transcribe the session");
}

Result<void> may_write_notes(const Session& session, const Caller& caller) {
    if (part_of(session, caller) == Role::doctor) return {};
    return fail(ErrorKind::forbidden, "Only the assigned doctor can update notes");
}

Result<void> may_list_of(const Caller& caller, Role role, std::string_view user_id) {
    const bool in_role = role == Role::doctor ? caller.is_doctor() : caller.is_patient();
    if (caller.is_admin() || (in_role && caller.user_id == user_id)) return {};
    return fail(ErrorKind::forbidden, "You can only view your own sessions");
}

Result<void> may_see_usage(const Caller& caller) {
    if (caller.is_admin() || caller.is_doctor()) return {};
    return fail(ErrorKind::forbidden, "Only doctors and administrators can see usage figures");
}

}  // namespace consultation
