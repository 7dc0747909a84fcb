#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "app/config_reader.hpp"
#include "core/bytes.hpp"

namespace app {
namespace {

constexpr std::size_t kLongestText = 64 * 1024;
constexpr std::size_t kLongestVersion = 64;

/// Valid UTF-8 without control characters other than line ends and tabs (RFC 3629).
bool is_text(std::string_view text) {
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = at + text.size();
    while (at != end) {
        const unsigned lead = *at++;
        if (lead < 0x80) {
            if (lead < 0x20 && lead != '\n' && lead != '\r' && lead != '\t') return false;
            continue;
        }
        const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || end - at < more) return false;
        unsigned code = lead & (0x3fU >> more);
        for (int i = 0; i < more; ++i, ++at) {
            if ((*at & 0xc0U) != 0x80) return false;
            code = code << 6U | (*at & 0x3fU);
        }
        constexpr unsigned kLeast[] = {0, 0x80, 0x800, 0x10000};
        if (code < kLeast[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    }
    return true;
}

std::optional<std::string> file_content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return {};
    std::string content(kLongestText + 1, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (file.bad()) return {};
    content.resize(static_cast<std::size_t>(file.gcount()));
    return content;
}

void read_consent(Reader& reader, BookingConfig& booking) {
    const auto version = reader.find("CONSENT_VERSION");
    const auto path = reader.find("CONSENT_TEXT_FILE");
    if (!version && !path) return;
    if (!version || version->size() > kLongestVersion ||
        !std::ranges::all_of(*version, [](char c) { return c > ' ' && c < 0x7f; })) {
        return reader.complain("CONSENT_VERSION",
                               "up to 64 visible ASCII characters, such as 2026-01, exactly when CONSENT_TEXT_FILE is "
                               "set");
    }
    auto text = path ? file_content(*path) : std::nullopt;
    if (!text || text->empty() || text->size() > kLongestText || !is_text(*text)) {
        return reader.complain("CONSENT_TEXT_FILE",
                               "a file that can be read, with the text of CONSENT_VERSION in UTF-8, at most 64 KiB");
    }
    auto digest = core::hex(core::sha256(core::as_bytes(*text)));
    booking.consent = service::ConsentText{*version, std::move(*text), std::move(digest)};
}

}  // namespace

void read_booking(Reader& reader, Config& config) {
    auto& booking = config.booking;
    read_consent(reader, booking);
    reader.boolean("PREVENT_OVERLAP", booking.prevent_overlap);
    reader.number("MAX_STREAMS", booking.max_streams, 1, 100'000);
}

}  // namespace app
