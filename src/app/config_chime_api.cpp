#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "app/config_reader.hpp"
#include "events/webhook_call.hpp"

namespace app {
namespace {

constexpr std::size_t kMostKeys = 1000;
constexpr std::size_t kShortestSecret = 16;
constexpr std::string_view kWanted =
    "id:secret pairs with commas between them, ids of letters and digits, secrets of at least 16 characters";

bool is_key_id(std::string_view text) {
    constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    return !text.empty() && text.size() <= 128 && text.find_first_not_of(kCharacters) == std::string_view::npos;
}

bool is_secret(std::string_view text) {
    return text.size() >= kShortestSecret && text.size() <= 256 &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kWhite = " \t\r";
    const auto begin = text.find_first_not_of(kWhite);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kWhite) - begin + 1);
}

/// One line, or the variable's value: `id:secret,id:secret`; what follows `#` at its begin is a remark. False:
/// malformed.
bool read_keys(std::string_view text, ChimeApiConfig& api) {
    text = trimmed(text);
    if (text.starts_with('#')) return true;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        const auto pair = trimmed(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
        if (pair.empty()) continue;
        const auto colon = std::min(pair.find(':'), pair.size());
        const auto id = pair.substr(0, colon);
        const auto secret = pair.substr(std::min(colon + 1, pair.size()));
        if (!is_key_id(id) || !is_secret(secret) || api.keys.size() == kMostKeys) return false;
        if (!api.keys.emplace(id, secret).second) return false;
    }
    return true;
}

void read_key_file(Reader& reader, const std::string& path, ChimeApiConfig& api) {
    constexpr std::string_view kName = "CHIME_API_KEYS_FILE";
    std::ifstream file(path);
    if (!file) return reader.complain(kName, "a file that can be read, with id:secret pairs, one a line");
    for (std::string line; std::getline(file, line);) {
        if (!read_keys(line, api)) return reader.complain(kName, kWanted);
    }
}

void read_notifications(Reader& reader, Config& config) {
    auto& api = config.chime_api;
    reader.text("CHIME_NOTIFICATIONS_URL", api.notifications_url);
    reader.text("CHIME_NOTIFICATIONS_API_KEY", api.notifications_api_key);
    if (api.notifications_url.empty()) return;
    if (!api.notifications_url.starts_with("http://") && !api.notifications_url.starts_with("https://")) {
        reader.complain("CHIME_NOTIFICATIONS_URL", "a URL such as https://events.example.org/chime");
    }
    if (!events::webhook_key(config.webhook_secret)) {
        reader.complain("WEBHOOK_SECRET", "a secret that signs what goes to CHIME_NOTIFICATIONS_URL");
    }
    if (!std::ranges::all_of(api.notifications_api_key, [](char c) { return c >= ' ' && c < 0x7f; })) {
        reader.complain("CHIME_NOTIFICATIONS_API_KEY", "visible ASCII characters");
    }
}

}  // namespace

void read_chime_api(Reader& reader, Config& config) {
    auto& api = config.chime_api;
    const auto given = reader.find("CHIME_API_KEYS");
    if (given && !read_keys(*given, api)) return reader.complain("CHIME_API_KEYS", kWanted);
    if (const auto path = reader.find("CHIME_API_KEYS_FILE")) read_key_file(reader, *path, api);
    if (!api.keys.empty() && config.meeting_provider == ProviderMode::chime) {
        reader.complain("MEETING_PROVIDER", "auto or embedded, since CHIME_API_KEYS makes meetings on this server");
    }
    reader.duration("CHIME_MEETING_EMPTY_MINUTES", api.empty_for, 1, 24 * 60);
    reader.duration("CHIME_MEETING_MAX_HOURS", api.longest, 1, 30 * 24);
    read_notifications(reader, config);
}

}  // namespace app
