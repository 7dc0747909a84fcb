// Which code answers which path. Pure; a table of patterns, looked through in order.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace api {

/// `{}` in a pattern stands for one piece of a path that is not empty.
struct Pattern {
    std::string_view method;
    std::string_view path;
};

struct Found {
    std::size_t index = 0;  ///< In the table.
    std::string piece;      ///< What stood for `{}`, decoded; any bytes.
    std::string second{};   ///< The same for a second `{}`.
};
struct NoSuchPath {};
struct NoSuchMethod {
    std::string allow;  ///< For the header, as `methods_of` has it.
};
struct TrailingSlash {
    std::string location;  ///< Relative, so that it also holds behind a gateway that cuts off a prefix.
};
using Routed = std::variant<Found, NoSuchPath, NoSuchMethod, TrailingSlash>;

/// `target` is path and query as sent.
Routed route(std::span<const Pattern> table, std::string_view method, std::string_view target);

/// For the header Allow: `GET, HEAD, POST, OPTIONS`. HEAD goes where GET does, OPTIONS everywhere. Empty: there is no
/// such path.
std::string methods_of(std::span<const Pattern> table, std::string_view target);

}  // namespace api
