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
    drop_replaced(change.usage, [](const auto& a, const auto& b) { return a.user_id == b.user_id; });
}

}  // namespace store
