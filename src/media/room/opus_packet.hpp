// As much of Opus as forwarding needs: how long a packet lasts, and silence (RFC 6716 section 3.1). Any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/bytes.hpp"

namespace media::room {

/// 20 ms of digital silence: CELT, full band, mono, one frame.
inline constexpr std::array<std::uint8_t, 3> kOpusSilence{0xF8, 0xFF, 0xFE};

/// Duration of the whole packet; null when it is malformed or longer than the 120 ms that are allowed.
std::optional<std::chrono::microseconds> opus_duration(core::BytesView packet);

}  // namespace media::room
