// The dependency descriptor of a video packet: which spatial and temporal layer its frame belongs to, for codecs whose
// payload does not say (AV1), and where switching up is possible.
//
// RTP payload format for AV1, appendix A (Dependency Descriptor RTP Header Extension). The layers of a frame are named
// by a template; the templates come with a key frame's first packet and hold until the next ones. What forwarding does
// not need (frame differences, chains, resolutions) is read over. Bounded, allocates nothing. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/bytes.hpp"

namespace media::wire {

/// What a frame means to a decode target.
enum class DecodeIndication : std::uint8_t { absent = 0, discardable = 1, switching = 2, required = 3 };

/// The template structure that key frames carry.
struct DependencyStructure {
    static constexpr std::size_t kMaxTemplates = 64;
    static constexpr std::size_t kMaxDecodeTargets = 32;
    static constexpr std::uint8_t kMaxSpatialLayers = 4;  ///< More cannot be written.
    static constexpr std::uint8_t kMaxTemporalLayers = 8;

    struct Template {
        std::uint8_t spatial_id = 0;
        std::uint8_t temporal_id = 0;
        bool switching = false;  ///< Some decode target can be entered at such a frame.
    };
    std::uint8_t template_id_offset = 0;
    std::uint8_t decode_targets = 0;
    std::uint8_t chains = 0;
    std::uint8_t template_count = 0;
    std::uint8_t spatial_layers = 1;
    std::uint8_t temporal_layers = 1;
    std::array<Template, kMaxTemplates> templates{};
};

struct DependencyDescriptor {
    bool start_of_frame = false;
    bool end_of_frame = false;
    std::uint16_t frame_number = 0;
    std::uint8_t spatial_id = 0;
    std::uint8_t temporal_id = 0;
    bool switching = false;              ///< As in the template, or as this frame says itself.
    bool has_structure = false;          ///< A new one came with it and is now in `structure`.
    std::uint32_t active_targets = ~0U;  ///< Bit by bit the decode targets that are being sent.
};

/// Reads the extension's bytes. `structure` is the last one of the stream (null before the first) and is replaced when
/// the packet brings another. Null when the bytes are malformed or name a template that is not known; `structure` is
/// unchanged then.
std::optional<DependencyDescriptor> parse_dependency_descriptor(core::BytesView value,
                                                                std::optional<DependencyStructure>& structure);

}  // namespace media::wire
