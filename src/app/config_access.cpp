#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "app/config_reader.hpp"

namespace app {
namespace {

constexpr int kMostAMinute = 1'000'000;
constexpr std::string_view kAnyOrigin = "*";

/// As browsers write it in the field Origin: lower case, no path, no port that the scheme has anyway.
std::optional<std::string> parse_origin(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    const auto place = parse_place(text);
    if (!place || place->scheme.empty() || place->url != text) return {};
    const auto authority = place->scheme.size() + std::string_view{"://"}.size();
    if (text.find_first_of("/?#@", authority) != std::string::npos) return {};
    const std::string_view port = place->scheme == "https" ? ":443" : ":80";
    if (text.ends_with(port)) text.resize(text.size() - port.size());
    return text;
}

void read_origins(Reader& reader, AccessConfig& access) {
    const auto texts = reader.list("CORS_ORIGINS");
    if (texts.size() == 1 && texts[0] == kAnyOrigin) {
        access.any_origin = true;
        return;
    }
    for (const auto& text : texts) {
        if (text == kAnyOrigin) {
            return reader.complain("CORS_ORIGINS", "either * or origins by name: * allows no credentials, names do");
        }
        auto origin = parse_origin(text);
        if (!origin) {
            return reader.complain("CORS_ORIGINS",
                                   "origins such as https://clinic.example.org,http://localhost:3000, without a path "
                                   "and with commas between, or *");
        }
        if (std::ranges::find(access.origins, *origin) == access.origins.end()) {
            access.origins.push_back(std::move(*origin));
        }
    }
}

}  // namespace

void read_access(Reader& reader, Config& config) {
    auto& access = config.access;
    read_origins(reader, access);
    reader.boolean("RATE_LIMIT", access.is_limited);
    reader.number("RATE_LIMIT_READ", access.read, 0, kMostAMinute);
    reader.number("RATE_LIMIT_WRITE", access.write, 0, kMostAMinute);
    reader.number("RATE_LIMIT_JOIN", access.join, 0, kMostAMinute);
    reader.number("RATE_LIMIT_REFRESH", access.refresh, 0, kMostAMinute);
    reader.number("RATE_LIMIT_ADDRESS", access.address, 0, kMostAMinute);
    reader.number("RATE_LIMIT_ANONYMOUS", access.anonymous, 0, kMostAMinute);
    reader.number("RATE_LIMIT_FAILED", access.failed, 0, kMostAMinute);
}

}  // namespace app
