// JSON from strangers as a tree: one value, bounded depth, no number that JSON could not show again. Sizes are bounded
// by the server. Any thread.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string_view>

#include "api/faults.hpp"

namespace api {

/// Nullopt, and a fault that says where and why, when the text is no JSON. The value lives in `memory`.
std::optional<boost::json::value> parse_json(std::string_view text, boost::json::storage_ptr memory, Faults& faults);

/// The text member of that name; empty when there is none.
std::string_view text_member(const boost::json::object& object, std::string_view name);

}  // namespace api
