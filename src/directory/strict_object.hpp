// JSON objects from strangers, read so that two readers can never understand them differently: RFC 8259 to the letter,
// valid UTF-8, nothing behind the end, no name twice (also not in inner objects), bounded depth. Any thread.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

namespace directory {

std::optional<boost::json::object> parse_strict_object(std::string_view text);

}  // namespace directory
