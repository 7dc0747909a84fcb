// The question behind service::StoreInsight::census, in words that both engines know.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "service/vitals.hpp"
#include "store/common/tables.hpp"

namespace store {

/// `cutoff`: the parameter's place, `$1` or `?1`. One row: counts by status, who waits, notifications and rows of the
/// audit trail without a place (at most 100,000 each), and when the oldest of those came about. Each condition is that
/// of an index.
inline std::string census_text(std::string_view cutoff) {
    std::string text = "SELECT ";
    for (const auto* status : {"SCHEDULED", "WAITING", "ACTIVE"}) {
        text.append("(SELECT count(*) FROM video_consultation_sessions WHERE status = '").append(status).append("'), ");
    }
    for (const auto* status : {"COMPLETED", "CANCELLED", "NO_SHOW"}) {
        text.append("(SELECT count(*) FROM video_consultation_sessions WHERE status = '")
            .append(status)
            .append("' AND retired_at IS NULL AND updated_at >= ")
            .append(cutoff)
            .append("), ");
    }
    return text +=
           "(SELECT count(*) FROM video_consultation_attendees a JOIN video_consultation_sessions s"
           "  ON s.session_id = a.session_id WHERE a.lobby = 'WAITING' AND s.status IN ('SCHEDULED', 'WAITING', "
           "'ACTIVE')),"
           " (SELECT count(*) FROM (SELECT 1 FROM video_consultation_meeting_notifications LIMIT 100000) n),"
           " (SELECT count(*) FROM (SELECT 1 FROM video_consultation_events WHERE position IS NULL LIMIT 100000) u),"
           " (SELECT event_timestamp FROM video_consultation_events WHERE position IS NULL ORDER BY sequence LIMIT 1)";
}

template <class Row>
service::Vitals::Census read_census(const Row& row, core::Time now) {
    detail::Columns<Row> in{row};
    service::Vitals::Census census;
    census.known = true;
    for (auto& count : census.sessions) count = in.number();
    census.waiting = in.number();
    census.notifications = in.number();
    census.unchained = in.number();
    if (const auto oldest = in.optional_time()) {
        census.oldest_unchained_seconds = std::max(0.0, std::chrono::duration<double>(now - *oldest).count());
    }
    return census;
}

}  // namespace store
