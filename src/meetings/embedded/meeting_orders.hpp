// What one node asks of another about a meeting: the kinds of service::MeetingOrder. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/capabilities.hpp"

namespace meetings::embedded {

inline constexpr std::string_view kEndOrder = "end";
inline constexpr std::string_view kRemoveOrder = "remove";              ///< An attendee.
inline constexpr std::string_view kCapabilitiesOrder = "capabilities";  ///< Of an attendee; detail: the text below.

inline constexpr std::string_view kTranscriptOrder = "transcript";  ///< Detail: the frame in base64url.

/// `AVC`, a digit for each of audio, video and content: 1 sends, 2 receives, 3 both, 0 neither.
std::string text_of(const core::Capabilities& capabilities);
std::optional<core::Capabilities> capabilities_of(std::string_view text);

}  // namespace meetings::embedded
