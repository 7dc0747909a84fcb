#include "consultation/session.hpp"

#include <algorithm>
#include <array>

namespace consultation {
namespace {

template <class Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view text) {
    const auto found = std::ranges::find(names, text);
    if (found == names.end()) return {};
    return static_cast<Enum>(found - names.begin());
}

constexpr std::array<std::string_view, 2> kBookingTypes{"CLINIC_BASED", "DIRECT_DOCTOR"};
constexpr std::array<std::string_view, 6> kStatuses{"SCHEDULED", "WAITING",   "ACTIVE",
                                                    "COMPLETED", "CANCELLED", "NO_SHOW"};
constexpr std::array<std::string_view, 3> kRoles{"DOCTOR", "PATIENT", "GUEST"};
constexpr std::array<std::string_view, 4> kGuestKinds{"INTERPRETER", "RELATIVE", "CLINICIAN", "OTHER"};
constexpr std::array<std::string_view, 5> kLobbies{"NONE", "WAITING", "ADMITTED", "DENIED", "REMOVED"};
constexpr std::array<std::string_view, 2> kProviders{"embedded", "chime"};
constexpr std::array<std::string_view, 2> kJobKinds{"END_MEETING", "REMOVE_ATTENDEE"};
constexpr std::array<std::string_view, 2> kAuditKinds{"life", "access"};

}  // namespace

std::string_view to_text(BookingType type) {
    return kBookingTypes[static_cast<std::size_t>(type)];
}
std::string_view to_text(Status status) {
    return kStatuses[static_cast<std::size_t>(status)];
}
std::string_view to_text(Role role) {
    return kRoles[static_cast<std::size_t>(role)];
}
std::string_view to_text(GuestKind kind) {
    return kGuestKinds[static_cast<std::size_t>(kind)];
}
std::string_view to_text(Lobby lobby) {
    return kLobbies[static_cast<std::size_t>(lobby)];
}
std::string_view to_text(Provider provider) {
    return kProviders[static_cast<std::size_t>(provider)];
}
std::string_view to_text(Job::Kind kind) {
    return kJobKinds[static_cast<std::size_t>(kind)];
}

std::string_view to_text(AuditEntry::Kind kind) {
    return kAuditKinds[static_cast<std::size_t>(kind)];
}

std::optional<BookingType> booking_type_from(std::string_view text) {
    return find<BookingType>(kBookingTypes, text);
}
std::optional<Status> status_from(std::string_view text) {
    return find<Status>(kStatuses, text);
}
std::optional<Role> role_from(std::string_view text) {
    return find<Role>(kRoles, text);
}
std::optional<GuestKind> guest_kind_from(std::string_view text) {
    return find<GuestKind>(kGuestKinds, text);
}
std::optional<Lobby> lobby_from(std::string_view text) {
    return find<Lobby>(kLobbies, text);
}
std::optional<Provider> provider_from(std::string_view text) {
    return find<Provider>(kProviders, text);
}
std::optional<Job::Kind> job_kind_from(std::string_view text) {
    return find<Job::Kind>(kJobKinds, text);
}
std::optional<AuditEntry::Kind> audit_kind_from(std::string_view text) {
    return find<AuditEntry::Kind>(kAuditKinds, text);
}

}  // namespace consultation
