#include "consultation/news.hpp"

#include <algorithm>
#include <array>

namespace consultation {
namespace {

enum class Audience {
    all,      ///< Everybody in the session.
    subject,  ///< The doctor and administrators, and whom it is about.
    staff,    ///< The doctor and administrators.
};

struct Kind {
    std::string_view event_type;
    std::string_view news;
    Audience audience;
};

constexpr auto kKinds = std::to_array<Kind>({
    {"USER_WAITING", "waiting", Audience::subject},
    {"USER_STOPPED_WAITING", "stopped_waiting", Audience::subject},
    {"USER_ADMITTED", "admitted", Audience::subject},
    {"USER_DENIED", "denied", Audience::subject},
    {"USER_REMOVED", "removed", Audience::subject},
    {"USER_JOINED", "joined", Audience::all},
    {"USER_LEFT", "left", Audience::all},
    {"SESSION_ENDED", "ended", Audience::all},
    {"SESSION_CANCELLED", "cancelled", Audience::all},
    {"SESSION_NO_SHOW", "missed", Audience::all},
    {"SESSION_RESCHEDULED", "rescheduled", Audience::all},
    {"GUEST_INVITED", "invited", Audience::staff},
    {"INVITATION_REVOKED", "invitation_revoked", Audience::staff},
    {"INVITATION_USED", "invitation_used", Audience::staff},
});

constexpr auto kEventTypes = [] {
    std::array<std::string_view, kKinds.size()> types;
    std::ranges::transform(kKinds, types.begin(), &Kind::event_type);
    return types;
}();

bool is_staff(const Session& session, const Caller& viewer) {
    return viewer.is_admin() || part_of(session, viewer) == Role::doctor;
}

}  // namespace

std::span<const std::string_view> told_event_types() {
    return kEventTypes;
}

std::string_view part_in(const Session& session, std::string_view user_id) {
    if (user_id == session.doctor_id) return to_text(Role::doctor);
    if (user_id == session.patient_id) return to_text(Role::patient);
    const auto found = std::ranges::find(session.attendees, user_id, &Attendee::user_id);
    return found == session.attendees.end() ? std::string_view{"ADMIN"} : to_text(found->role);
}

std::vector<News> news_of(const Happening& happening, const Session& session, const Caller& viewer) {
    const auto kind = std::ranges::find(kKinds, happening.event_type, &Kind::event_type);
    if (kind == kKinds.end()) return {};
    const auto& about = happening.subject_id ? happening.subject_id : happening.user_id;
    const bool own = about && *about == viewer.user_id;
    const bool told =
        is_staff(session, viewer) || kind->audience == Audience::all || (kind->audience == Audience::subject && own);
    if (!told) return {};
    std::vector<News> news;
    const std::string_view role = about ? part_in(session, *about) : std::string_view{};
    // No row of its own says so: the first to come in is what starts a session.
    if (kind->news == "joined" && session.actual_start_time == happening.at) {
        news.push_back({"started", about, role, happening.at});
    }
    news.push_back({kind->news, about, role, happening.at});
    return news;
}

}  // namespace consultation
