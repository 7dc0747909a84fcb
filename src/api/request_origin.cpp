#include "api/request_origin.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "api/text.hpp"

namespace api {
namespace {

constexpr std::string_view kReason = "X-Break-Glass-Reason";
constexpr std::size_t kShortestReason = 10;
constexpr std::size_t kLongestReason = 500;

std::optional<std::string> reason_of(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (!is_utf8(text) || std::ranges::any_of(text, is_control)) return {};
    const auto length = characters(text);
    if (length < kShortestReason || length > kLongestReason) return {};
    return std::string{text};
}

}  // namespace

void note_origin(consultation::Caller& caller, const net::Request& request) {
    caller.address = request.remote_address;
    caller.request_id = request.request_id;
    if (request.has_header(kReason)) caller.break_glass_reason = reason_of(request.header(kReason));
}

}  // namespace api
