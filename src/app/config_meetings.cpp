#include <algorithm>
#include <string>
#include <string_view>

#include "app/config_reader.hpp"

namespace app {
namespace {

constexpr std::size_t kMostUris = 16;
constexpr std::size_t kLongestUri = 256;
constexpr std::size_t kLongestSecret = 256;

/// RFC 7065, as browsers read it: `turn:` or `turns:`, a host, perhaps a port and `?transport=udp` or `tcp`.
bool is_turn_uri(std::string_view text) {
    const bool scheme = text.starts_with("turn:") || text.starts_with("turns:");
    const auto host = text.substr(std::min(text.find(':'), text.size() - 1) + 1);
    return scheme && text.size() <= kLongestUri && !host.empty() && !host.starts_with("//") &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

void read_turn(Reader& reader, Config& config) {
    auto& turn = config.turn;
    turn.uris = reader.list("TURN_URIS");
    reader.text("TURN_SECRET", turn.secret);
    reader.duration("TURN_LIFE_HOURS", turn.life, 1, 24 * 7);
    if (turn.uris.size() > kMostUris || !std::ranges::all_of(turn.uris, is_turn_uri)) {
        return reader.complain("TURN_URIS",
                               "addresses such as turn:turn.example.org:3478?transport=udp, with commas between them");
    }
    if (!turn.uris.empty() && (turn.secret.empty() || turn.secret.size() > kLongestSecret)) {
        return reader.complain("TURN_SECRET",
                               "the secret that the relays at TURN_URIS share with us (coturn's "
                               "static-auth-secret), or TURN_SECRET_FILE a file with it");
    }
    if (turn.uris.empty() && !turn.secret.empty()) {
        reader.complain("TURN_URIS", "the addresses of the relays that TURN_SECRET belongs to");
    }
}

}  // namespace app
