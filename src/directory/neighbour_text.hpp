// What the clients of the platform's services share: addresses made of foreign ids, and plain values out of their JSON.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace directory {

/// `base` (slashes at its end do not matter), a fixed path such as `/doctor/`, and an id as one step of the path,
/// percent encoded (RFC 3986 section 2.1) so that it stays one step whatever it holds.
std::string address_of(std::string_view base, std::string_view path, std::string_view id = {});

/// A text that is not blank, without the blanks around it; at most 256 bytes, otherwise it is no name.
std::optional<std::string> name_in(const boost::json::object& object, std::string_view member);

/// A text, or a whole number in decimal: ids come as either.
std::optional<std::string> id_in(const boost::json::object& object, std::string_view member);

}  // namespace directory
