#include "media/wire/codec_payload.hpp"

#include "media/wire/byte_io.hpp"

namespace media::wire {

namespace {

namespace nal {
constexpr std::uint8_t kIdrSlice = 5;
constexpr std::uint8_t kSequenceParameters = 7;
constexpr std::uint8_t kStapA = 24;
constexpr std::uint8_t kFuA = 28;
}  // namespace nal

constexpr bool begins_decoding(std::uint8_t nal_type) {
    return nal_type == nal::kIdrSlice || nal_type == nal::kSequenceParameters;
}

bool h264_starts_keyframe(core::BytesView payload) {
    if (payload.empty()) return false;
    const std::uint8_t type = payload[0] & 0x1F;
    if (type == nal::kFuA) return payload.size() >= 2 && (payload[1] & 0x80) != 0 && begins_decoding(payload[1] & 0x1F);
    if (type != nal::kStapA) return begins_decoding(type);
    payload = payload.subspan(1);
    while (payload.size() > 2) {
        const std::size_t size = load_u16(payload.data());
        if (size == 0 || size > payload.size() - 2) return false;
        if (begins_decoding(payload[2] & 0x1F)) return true;
        payload = payload.subspan(2 + size);
    }
    return false;
}

bool av1_starts_keyframe(core::BytesView payload) {
    // Aggregation header: Z Y W W N. With Z the first element continues one of the packet before.
    return payload.size() >= 2 && (payload[0] & 0x80) == 0 && (payload[0] & 0x08) != 0;
}

}  // namespace

std::optional<Vp8Payload> parse_vp8(core::BytesView payload) {
    if (payload.empty()) return std::nullopt;
    const std::uint8_t first = payload[0];
    std::size_t at = 1;
    Vp8Payload vp8;
    if ((first & 0x80) != 0) {  // X
        if (at >= payload.size()) return std::nullopt;
        const std::uint8_t present = payload[at++];
        if ((present & 0x80) != 0) {  // I: picture id of one or two bytes
            if (at >= payload.size()) return std::nullopt;
            at += (payload[at] & 0x80) != 0 ? 2 : 1;
        }
        if ((present & 0x40) != 0) ++at;  // L: TL0PICIDX
        if ((present & 0x30) != 0) {      // T or K
            if (at >= payload.size()) return std::nullopt;
            if ((present & 0x20) != 0) vp8.temporal_id = payload[at] >> 6;
            ++at;
        }
    }
    if (at >= payload.size()) return std::nullopt;
    vp8.start_of_frame = (first & 0x10) != 0 && (first & 0x07) == 0;
    vp8.keyframe = vp8.start_of_frame && (payload[at] & 0x01) == 0;
    return vp8;
}

std::optional<Vp9Payload> parse_vp9(core::BytesView payload) {
    if (payload.empty()) return std::nullopt;
    const std::uint8_t flags = payload[0];
    std::size_t at = 1;
    Vp9Payload vp9{.inter_predicted = (flags & 0x40) != 0,
                   .layered = (flags & 0x20) != 0,
                   .flexible = (flags & 0x10) != 0,
                   .start_of_frame = (flags & 0x08) != 0,
                   .end_of_frame = (flags & 0x04) != 0};
    if ((flags & 0x80) != 0) {  // I
        if (at >= payload.size()) return std::nullopt;
        if ((payload[at] & 0x80) != 0) {
            if (payload.size() - at < 2) return std::nullopt;
            vp9.picture_id = static_cast<std::uint16_t>(load_u16(&payload[at]) & 0x7FFF);
            at += 2;
        } else {
            vp9.picture_id = payload[at];
            at += 1;
        }
    }
    if (vp9.layered) {
        if (at >= payload.size()) return std::nullopt;
        vp9.temporal_id = payload[at] >> 5;
        vp9.switching_up = (payload[at] & 0x10) != 0;
        vp9.spatial_id = payload[at] >> 1 & 7;
        vp9.inter_layer = (payload[at] & 0x01) != 0;
    }
    return vp9;
}

bool starts_keyframe(CodecKind codec, core::BytesView payload) {
    switch (codec) {
        case CodecKind::vp8: {
            const auto vp8 = parse_vp8(payload);
            return vp8 && vp8->keyframe;
        }
        case CodecKind::vp9: {
            const auto vp9 = parse_vp9(payload);
            return vp9 && vp9->starts_keyframe();
        }
        case CodecKind::h264:
            return h264_starts_keyframe(payload);
        case CodecKind::av1:
            return av1_starts_keyframe(payload);
        default:
            return false;
    }
}

}  // namespace media::wire
