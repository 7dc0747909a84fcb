// What the people of a session are told while they look on: the rows of the audit trail that concern the call, without
// names and without free text. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "consultation/access.hpp"
#include "consultation/session.hpp"

namespace consultation {

/// The part of an audit row that news are made of.
struct Happening {
    std::int64_t sequence = 0;  ///< Grows with each row of a session, in the order in which they were committed.
    std::string event_id;
    std::string event_type;
    std::optional<std::string> user_id;
    std::optional<std::string> subject_id;  ///< Whom it was done to, where that is somebody else.
    Time at;

    bool operator==(const Happening&) const = default;
};

/// The types of audit rows that are told to somebody.
std::span<const std::string_view> told_event_types();

struct News {
    std::string_view type;               ///< `joined`, `left`, `ended` …
    std::optional<std::string> user_id;  ///< Whom it is about; null: nobody in particular, or the service itself.
    std::string_view role;               ///< `DOCTOR`, `PATIENT`, `GUEST`, `ADMIN`; empty without a user.
    Time at;
};

/// What `viewer`, who may see the session, is told of it; mostly one, and nothing where it is none of their business.
/// The doctor and administrators are told everything, others what concerns the call or themselves.
std::vector<News> news_of(const Happening& happening, const Session& session, const Caller& viewer);

/// `DOCTOR`, `PATIENT`, `GUEST`; `ADMIN` for anybody else.
std::string_view part_in(const Session& session, std::string_view user_id);

}  // namespace consultation
