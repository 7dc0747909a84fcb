#include "store/common/tables.hpp"

#include <algorithm>
#include <tuple>

namespace store {

void sort_attendees(std::vector<consultation::Attendee>& attendees) {
    std::ranges::sort(attendees, {},
                      [](const consultation::Attendee& a) { return std::tie(a.role, a.invited_at, a.row_id); });
}

}  // namespace store
