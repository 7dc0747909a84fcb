#include "meetings/embedded/meeting_orders.hpp"

#include <algorithm>

namespace meetings::embedded {
namespace {

char digit(core::Flow flow) {
    return static_cast<char>('0' + static_cast<int>(flow));
}

core::Flow flow(char digit) {
    return static_cast<core::Flow>(digit - '0');
}

}  // namespace

std::string text_of(const core::Capabilities& capabilities) {
    return {digit(capabilities.audio), digit(capabilities.video), digit(capabilities.content)};
}

std::optional<core::Capabilities> capabilities_of(std::string_view text) {
    const bool sane = text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '3'; });
    if (!sane) return {};
    return core::Capabilities{flow(text[0]), flow(text[1]), flow(text[2])};
}

}  // namespace meetings::embedded
