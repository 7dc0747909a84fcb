#include "api/router.hpp"

#include <algorithm>
#include <optional>

#include "api/text.hpp"

namespace api {
namespace {

std::string_view next_piece(std::string_view& path) {
    const auto end = std::min(path.find('/'), path.size());
    const auto piece = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    return piece;
}

/// The piece that stands for `{}` (empty when the pattern has none), or nullopt.
std::optional<std::string_view> matched(std::string_view pattern, std::string_view path) {
    if (std::ranges::count(pattern, '/') != std::ranges::count(path, '/')) return {};
    std::string_view variable;
    while (!pattern.empty() || !path.empty()) {
        const auto expected = next_piece(pattern);
        const auto given = next_piece(path);
        if (expected == "{}") {
            if (given.empty()) return {};
            variable = given;
        } else if (expected != given) {
            return {};
        }
    }
    return variable;
}

bool matches_any(std::span<const Pattern> table, std::string_view path) {
    return std::ranges::any_of(table, [&](const Pattern& p) { return matched(p.path, path).has_value(); });
}

}  // namespace

Routed route(std::span<const Pattern> table, std::string_view method, std::string_view target) {
    const auto mark = std::min(target.find('?'), target.size());
    const auto path = target.substr(0, mark);
    std::string allow;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto variable = matched(table[i].path, path);
        if (!variable) continue;
        if (table[i].method == method) {
            auto piece = percent_decoded(*variable);
            if (!piece) return NoSuchPath{};
            return Found{i, std::move(*piece)};
        }
        if (allow.find(table[i].method) == std::string::npos) {
            allow.append(allow.empty() ? "" : ", ").append(table[i].method);
        }
    }
    if (!allow.empty()) return NoSuchMethod{std::move(allow)};
    if (path.size() > 1 && path.ends_with('/')) {
        const auto without = path.substr(0, path.size() - 1);
        if (const auto slash = without.rfind('/'); slash + 1 < without.size() && matches_any(table, without)) {
            return TrailingSlash{"../" + std::string{without.substr(slash + 1)} + std::string{target.substr(mark)}};
        }
    }
    return NoSuchPath{};
}

}  // namespace api
