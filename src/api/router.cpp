#include "api/router.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "api/text.hpp"

namespace api {
namespace {

std::string_view next_piece(std::string_view& path) {
    const auto end = std::min(path.find('/'), path.size());
    const auto piece = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    return piece;
}

/// At most two `{}` in a pattern.
struct Variables {
    std::string_view first, second;
};

/// What stands for each `{}` (empty where the pattern has none), or nullopt.
std::optional<Variables> matched(std::string_view pattern, std::string_view path) {
    if (std::ranges::count(pattern, '/') != std::ranges::count(path, '/')) return {};
    Variables variables;
    while (!pattern.empty() || !path.empty()) {
        const auto expected = next_piece(pattern);
        const auto given = next_piece(path);
        if (expected == "{}") {
            if (given.empty()) return {};
            (variables.first.empty() ? variables.first : variables.second) = given;
        } else if (expected != given) {
            return {};
        }
    }
    return variables;
}

std::string_view path_of(std::string_view target) {
    return target.substr(0, target.find('?'));
}

bool matches_any(std::span<const Pattern> table, std::string_view path) {
    return std::ranges::any_of(table, [&](const Pattern& p) { return matched(p.path, path).has_value(); });
}

}  // namespace

Routed route(std::span<const Pattern> table, std::string_view method, std::string_view target) {
    const auto mark = std::min(target.find('?'), target.size());
    const auto path = target.substr(0, mark);
    bool exists = false;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto variables = matched(table[i].path, path);
        if (!variables) continue;
        if (table[i].method == method) {
            auto piece = percent_decoded(variables->first);
            auto second = percent_decoded(variables->second);
            if (!piece || !second) return NoSuchPath{};
            return Found{i, std::move(*piece), std::move(*second)};
        }
        exists = true;
    }
    if (exists) return NoSuchMethod{methods_of(table, target)};
    if (path.size() > 1 && path.ends_with('/')) {
        const auto without = path.substr(0, path.size() - 1);
        if (const auto slash = without.rfind('/'); slash + 1 < without.size() && matches_any(table, without)) {
            return TrailingSlash{"../" + std::string{without.substr(slash + 1)} + std::string{target.substr(mark)}};
        }
    }
    return NoSuchPath{};
}

std::string methods_of(std::span<const Pattern> table, std::string_view target) {
    std::vector<std::string_view> methods;
    for (const auto& pattern : table) {
        if (std::ranges::find(methods, pattern.method) != methods.end()) continue;
        if (!matched(pattern.path, path_of(target))) continue;
        methods.push_back(pattern.method);
        if (pattern.method == "GET") methods.emplace_back("HEAD");
    }
    if (methods.empty()) return {};
    std::string text;
    for (const auto method : methods) text.append(method).append(", ");
    return text += "OPTIONS";
}

}  // namespace api
