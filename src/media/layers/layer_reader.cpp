#include "media/layers/layer_reader.hpp"

#include "media/wire/codec_payload.hpp"

namespace media::layers {

LayerReader::Read LayerReader::read(wire::CodecKind codec, core::BytesView payload,
                                    std::optional<core::BytesView> descriptor) {
    Read result;
    if (codec == wire::CodecKind::vp9) {
        const auto vp9 = wire::parse_vp9(payload);
        if (!vp9) return result;
        result.starts_key_frame = vp9->starts_keyframe();
        result.layer = {.spatial = vp9->spatial_id,
                        .temporal = vp9->temporal_id,
                        .ends_layer = vp9->end_of_frame,
                        .switching = vp9->switching_up,
                        .key_picture = !vp9->inter_predicted && vp9->spatial_id == 0};
        return result;
    }
    result.starts_key_frame = wire::starts_keyframe(codec, payload);
    result.layer.key_picture = result.starts_key_frame;
    if (codec != wire::CodecKind::av1 || !descriptor) return result;
    const auto read = wire::parse_dependency_descriptor(*descriptor, structure_);
    if (!read) return result;
    result.layer.spatial = read->spatial_id;
    result.layer.temporal = read->temporal_id;
    result.layer.ends_layer = read->end_of_frame;
    result.layer.switching = read->switching;
    return result;
}

}  // namespace media::layers
