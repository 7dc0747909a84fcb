// What a codec line of SDP is, independent of how a browser words it: payload types are mapped between participants by
// codec and profile, never by comparing fmtp text (browsers word the same codec differently). Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace media::wire {

enum class CodecKind : std::uint8_t { other, opus, vp8, vp9, h264, av1, rtx, red, ulpfec, flexfec, telephone_event };

/// A payload type of one m-line: rtpmap, fmtp and rtcp-fb together.
struct Codec {
    std::uint8_t payload_type = 0;
    std::string name{};  ///< As written: `opus`, `VP9`, `H264`, `rtx`.
    std::uint32_t clock_rate = 0;
    std::uint8_t channels = 1;
    std::string fmtp{};                   ///< Text behind the payload type; empty: none.
    std::vector<std::string> feedback{};  ///< `nack`, `nack pli`, `ccm fir`, `transport-cc`, `goog-remb` …

    bool has_feedback(std::string_view what) const;
    friend bool operator==(const Codec&, const Codec&) = default;
};

/// The value of `name=value` in a fmtp text (names compared without case), or null.
std::optional<std::string_view> fmtp_parameter(std::string_view fmtp, std::string_view name);

/// Equal identities can be forwarded into each other.
struct CodecIdentity {
    CodecKind kind = CodecKind::other;
    std::uint8_t profile = 0;             ///< VP9 profile-id, AV1 profile; 0 when not written.
    std::uint8_t packetization_mode = 0;  ///< H.264; 0 when not written.
    std::uint16_t h264_profile = 0;       ///< First two bytes of profile-level-id; 0x4200 when not written.
    friend bool operator==(const CodecIdentity&, const CodecIdentity&) = default;
};
CodecIdentity codec_identity(const Codec& codec);

/// The payload type an RTX line repeats (`apt`), or null.
std::optional<std::uint8_t> rtx_apt(const Codec& codec);

/// The signalling number of a video codec for the intersection of what everybody can decode: VP8 1, H.264 baseline 2,
/// constrained baseline 3, main 4, high 5, constrained high 6 (packetization mode 1 only), VP9 profile 0 = 8,
/// AV1 main 11. Null for everything that has no number.
std::optional<std::uint32_t> codec_capability(const CodecIdentity& identity);

/// The line's payload type with this identity (the first), or null.
const Codec* find_codec(const std::vector<Codec>& codecs, const CodecIdentity& identity);
/// The RTX line that repeats `payload_type`, or null.
const Codec* find_rtx(const std::vector<Codec>& codecs, std::uint8_t payload_type);

}  // namespace media::wire
