#include "meetings/chime/chime_names.hpp"

#include <algorithm>
#include <array>

#include "core/bytes.hpp"

namespace meetings::chime {
namespace {

constexpr std::size_t kMaxExternalId = 64, kMaxTagValue = 256;
constexpr std::string_view kAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Also à to ÿ, which have two bytes in UTF-8 and are left out for that.
constexpr std::string_view kExternalIdMarks = "-_&@+=,(){}[]/.:|'\"# ";
constexpr std::string_view kTagMarks = "_+-=.:/@ ";

bool consists_of(std::string_view text, std::string_view marks) {
    return std::ranges::all_of(text, [&](char c) { return kAlphanumeric.contains(c) || marks.contains(c); });
}

bool is_external_id(std::string_view text) {
    return text.size() >= 2 && text.size() <= kMaxExternalId && consists_of(text, kExternalIdMarks);
}

std::string digits_of(std::string_view text) {
    return core::hex(core::sha256(core::as_bytes(text)));
}

}  // namespace

bool is_chime_id(std::string_view text) {
    return text.size() >= 2 && text.size() <= 64 && consists_of(text, "-");
}

std::string external_user_id_for(std::string_view wanted) {
    static constexpr std::array<std::string_view, 3> kRoles{"doctor-", "patient-", "guest-"};
    const auto* const role = std::ranges::find_if(kRoles, [&](auto each) { return wanted.starts_with(each); });
    if (role != kRoles.end() && is_external_id(wanted)) return std::string{wanted};
    return std::string{role == kRoles.end() ? "patient-" : *role} + digits_of(wanted).substr(0, 32);
}

std::string external_meeting_id_for(std::string_view session_id) {
    constexpr std::string_view kPrefix = "pulseone-";
    auto id = std::string{kPrefix} + std::string{session_id};
    return is_external_id(id) ? id : std::string{kPrefix} + digits_of(session_id).substr(0, 32);
}

std::string request_token_for(std::string_view session_id, int generation) {
    auto token = std::string{session_id} + "-" + std::to_string(generation);
    const bool fits = token.size() <= 64 && consists_of(token, "-_");
    return fits ? token : digits_of(token);
}

std::string tag_value_for(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (out.size() == kMaxTagValue) break;
        // One mark for a character, however many bytes it has.
        if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;
        out += kAlphanumeric.contains(c) || kTagMarks.contains(c) ? c : '_';
    }
    return out;
}

}  // namespace meetings::chime
