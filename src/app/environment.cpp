#include "app/environment.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

extern char** environ;

namespace app {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool is_name(std::string_view text) {
    return !text.empty() && (text.front() < '0' || text.front() > '9') && std::ranges::all_of(text, [](char c) {
        return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
}

// Only a comment may follow the closing quote.
std::optional<std::string> unquote(std::string_view text) {
    const char quote = text.front();
    std::string value;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == quote) {
            const auto rest = trim(text.substr(i + 1));
            return rest.empty() || rest.front() == '#' ? std::optional{value} : std::nullopt;
        }
        if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) {
            ++i;
            if (text[i] != 'n' && text[i] != '"' && text[i] != '\\') value += '\\';
            value += text[i] == 'n' ? '\n' : text[i];
        } else {
            value += text[i];
        }
    }
    return {};
}

std::optional<std::string> value_of(std::string_view text) {
    if (!text.empty() && (text.front() == '"' || text.front() == '\'')) return unquote(text);
    // A number sign inside a word belongs to it: passwords have them.
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '#' && (i == 0 || kBlank.contains(text[i - 1]))) return std::string{trim(text.substr(0, i))};
    }
    return std::string{text};
}

}  // namespace

void Environment::layer(const Values& values) {
    for (const auto& [name, value] : values) {
        if (!value.empty()) values_.emplace(name, value);
    }
}

std::optional<std::string> Environment::find(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional{found->second};
}

Environment::Values process_environment() {
    Environment::Values values;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        const auto sign = text.find('=');
        if (sign != std::string_view::npos) values.emplace(text.substr(0, sign), text.substr(sign + 1));
    }
    return values;
}

core::Result<Environment::Values> parse_env_file(std::string_view text, std::string_view name) {
    Environment::Values values;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        if (line.starts_with("export ")) line = trim(line.substr(7));
        const auto sign = line.find('=');
        const auto key = trim(line.substr(0, sign));
        auto value = sign == std::string_view::npos ? std::nullopt : value_of(trim(line.substr(sign + 1)));
        if (!value || !is_name(key)) {
            return core::fail(core::ErrorKind::invalid,
                              std::string{name} + " line " + std::to_string(number) + ": expected NAME=value");
        }
        values.insert_or_assign(std::string{key}, std::move(*value));
    }
    return values;
}

core::Result<Environment::Values> read_env_file(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return Environment::Values{};
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) return core::fail(core::ErrorKind::invalid, path + " cannot be read; check its permissions");
    return parse_env_file(text.str(), path);
}

}  // namespace app
