// Retransmission payload format (RFC 4588 section 4): the original packet's payload behind its sequence number, on an
// SSRC, payload type and number space of its own. Nothing here allocates. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "media/wire/rtp.hpp"

namespace media::wire {

/// The sequence number of the packet that is repeated; null for padding on the RTX SSRC (nothing repeated).
std::optional<std::uint16_t> rtx_original_sequence(const RtpView& rtx);

/// Makes the repeated packet out of an RTX packet without copying the payload: the header moves two bytes towards it.
/// Extensions and padding stay. Returns where the packet is now inside `packet`, or an empty span when it repeats
/// nothing.
std::span<std::uint8_t> unwrap_rtx(std::span<std::uint8_t> packet, std::uint32_t media_ssrc,
                                   std::uint8_t media_payload_type);

struct RtxHeader {
    std::uint8_t payload_type = 0;
    std::uint16_t sequence = 0;
    std::uint32_t ssrc = 0;
};
/// Wraps a packet that was sent before: marker, timestamp and payload of the original, own extensions. Returns the
/// size, or 0 when `out` is too small.
std::size_t write_rtx(std::span<std::uint8_t> out, const RtpView& original, const RtxHeader& header,
                      std::span<const RtpExtension> extensions = {});

}  // namespace media::wire
