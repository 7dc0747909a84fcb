// As much of the video payload formats as forwarding needs: where a key frame begins, and VP9's layers.
//
// VP8: RFC 7741 section 4.2; VP9: RFC 9628 section 4.2; H.264: RFC 6184 sections 5.4 to 5.8; AV1: RTP payload format
// for AV1, section 4.4. Bounded, allocates nothing. Any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.hpp"
#include "media/wire/codec.hpp"

namespace media::wire {

struct Vp8Payload {
    bool start_of_frame = false;  ///< S = 1 and partition 0.
    bool keyframe = false;        ///< Only known (and set) at the start of a frame.
    std::uint8_t temporal_id = 0;
};
std::optional<Vp8Payload> parse_vp8(core::BytesView payload);

struct Vp9Payload {
    bool inter_predicted = false;  ///< P: needs an earlier picture.
    bool layered = false;          ///< L: temporal_id and spatial_id are meaningful.
    bool flexible = false;         ///< F.
    bool start_of_frame = false;   ///< B: first packet of this spatial layer's frame.
    bool end_of_frame = false;     ///< E: last packet of this spatial layer's frame.
    bool switching_up = false;     ///< U: later pictures of higher temporal layers need nothing before this one.
    bool inter_layer = false;      ///< D: needs the next lower spatial layer.
    std::uint8_t temporal_id = 0;
    std::uint8_t spatial_id = 0;
    std::optional<std::uint16_t> picture_id{};
    /// First packet of a key picture: everything before it can be forgotten.
    bool starts_keyframe() const { return start_of_frame && !inter_predicted && spatial_id == 0; }
};
std::optional<Vp9Payload> parse_vp9(core::BytesView payload);

/// True when decoding can begin with the packet that has this payload. H.264: it holds parameter sets (they stand
/// before an IDR picture) or the first bytes of an IDR slice. AV1: it starts a new coded video sequence (N bit). False
/// for audio, malformed and unknown payloads.
bool starts_keyframe(CodecKind codec, core::BytesView payload);

}  // namespace media::wire
