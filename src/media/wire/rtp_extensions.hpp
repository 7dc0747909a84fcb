// The header extensions a meeting uses: their names in SDP and their values in packets. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/bytes.hpp"

namespace media::wire {

namespace extension_uri {
inline constexpr std::string_view kAudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
inline constexpr std::string_view kAbsSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
inline constexpr std::string_view kTransportSequence =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
inline constexpr std::string_view kMid = "urn:ietf:params:rtp-hdrext:sdes:mid";
inline constexpr std::string_view kRid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
inline constexpr std::string_view kRepairedRid = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
inline constexpr std::string_view kDependencyDescriptor =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
}  // namespace extension_uri

/// RFC 6464 section 3: loudness as -dBov, 0 is loudest, 127 silence.
struct AudioLevel {
    std::uint8_t level = 127;
    bool voice = false;
    friend bool operator==(const AudioLevel&, const AudioLevel&) = default;
};
/// One byte, in the two-byte form also with padding behind it.
std::optional<AudioLevel> parse_audio_level(core::BytesView value);
std::uint8_t audio_level_byte(AudioLevel level);

/// Absolute send time: 24 bits, seconds with 18 fraction bits, wraps after 64 seconds.
std::optional<std::uint32_t> parse_abs_send_time(core::BytesView value);
/// The 24-bit form of a time since any fixed epoch.
std::uint32_t abs_send_time_from_us(std::int64_t us);
/// Microseconds of the 24-bit form, 0 to 64 s.
std::int64_t abs_send_time_to_us(std::uint32_t value);
std::array<std::uint8_t, 3> abs_send_time_bytes(std::uint32_t value);

/// Transport-wide sequence number, draft-holmer-rmcat-transport-wide-cc-extensions-01 section 2.
std::optional<std::uint16_t> parse_transport_sequence(core::BytesView value);
std::array<std::uint8_t, 2> transport_sequence_bytes(std::uint16_t sequence);

/// MID, RID and repaired RID (RFC 8843 section 15, RFC 8852 section 3): 1 to 16 characters of letters, digits, `-` and
/// `_`, in MIDs also the other token characters; null for anything else. The view lives as long as the packet.
std::optional<std::string_view> parse_mid(core::BytesView value);
std::optional<std::string_view> parse_rid(core::BytesView value);

}  // namespace media::wire
