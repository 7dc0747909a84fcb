#include "store/common/list_query.hpp"

#include <array>
#include <string_view>

namespace store {
namespace {

constexpr std::array<std::string_view, 6> kConditions{
    "doctor_id = ",           "patient_id = ", "status = ", "booking_type = ", "scheduled_start_time >= ",
    "scheduled_start_time < "};
constexpr unsigned kOldestFirst = 1U << kConditions.size();

}  // namespace

unsigned list_shape(const service::SessionQuery& query) {
    const std::array<bool, 6> set{query.doctor_id.has_value(),  query.patient_id.has_value(),
                                  query.status.has_value(),     query.booking_type.has_value(),
                                  query.start_from.has_value(), query.start_before.has_value()};
    unsigned shape = query.oldest_first ? kOldestFirst : 0;
    for (std::size_t i = 0; i < set.size(); ++i) {
        if (set[i]) shape |= 1U << i;
    }
    return shape;
}

ListText list_text(unsigned shape, char mark, std::string_view collation) {
    ListText text;
    for (std::size_t i = 0; i < kConditions.size(); ++i) {
        if ((shape & (1U << i)) == 0) continue;
        text.where += text.where.empty() ? " WHERE " : " AND ";
        text.where.append(kConditions[i]).append(1, mark).append(std::to_string(text.next++));
    }
    const std::string_view direction = (shape & kOldestFirst) != 0 ? " ASC" : " DESC";
    text.order.append(" ORDER BY scheduled_start_time").append(direction);
    text.order.append(", session_id").append(collation).append(direction);
    return text;
}

}  // namespace store
