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
constexpr std::array<std::string_view, 2> kRoles{"DOCTOR", "PATIENT"};
constexpr std::array<std::string_view, 2> kProviders{"embedded", "chime"};
constexpr std::array<std::string_view, 2> kJobKinds{"END_MEETING", "REMOVE_ATTENDEE"};

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
std::string_view to_text(Provider provider) {
    return kProviders[static_cast<std::size_t>(provider)];
}
std::string_view to_text(Job::Kind kind) {
    return kJobKinds[static_cast<std::size_t>(kind)];
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
std::optional<Provider> provider_from(std::string_view text) {
    return find<Provider>(kProviders, text);
}
std::optional<Job::Kind> job_kind_from(std::string_view text) {
    return find<Job::Kind>(kJobKinds, text);
}

}  // namespace consultation
