#include "store/common/change_text.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>

namespace store {
namespace {

/// Drops every element that a later one replaces.
template <class T, class Same>
void drop_replaced(std::vector<T>& rows, Same same) {
    for (auto row = rows.begin(); row != rows.end();) {
        const bool replaced =
            std::any_of(std::next(row), rows.end(), [&](const T& later) { return same(*row, later); });
        row = replaced ? rows.erase(row) : std::next(row);
    }
}

}  // namespace

std::string payload_of(const consultation::Event& event) {
    boost::json::object data;
    data.reserve(event.data.size());
    for (const auto& [key, value] : event.data) {
        std::visit([&](const auto& held) { data[key] = held; }, value);
    }
    return boost::json::serialize(data);
}

void keep_last(consultation::Change& change) {
    drop_replaced(change.intervals, [](const auto& a, const auto& b) { return a.interval_id == b.interval_id; });
    drop_replaced(change.usage,
                  [](const auto& a, const auto& b) { return a.user_id == b.user_id && a.provider == b.provider; });
    drop_replaced(change.meetings, [](const auto& a, const auto& b) { return a.meeting_id == b.meeting_id; });
    drop_replaced(change.jobs, [](const auto& a, const auto& b) { return a.job_id == b.job_id; });
}

std::string_view attendee_id_of(const consultation::Change& change, std::string_view user_id) {
    const auto& attendees = change.after.attendees;
    const auto found = std::ranges::find(attendees, user_id, &consultation::Attendee::user_id);
    return found == attendees.end() ? std::string_view{} : std::string_view{found->chime_attendee_id};
}

}  // namespace store
