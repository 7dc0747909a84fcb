// Finds a packet's layer: VP9 says it in its payload descriptor (RFC 9628 section 4.2), AV1 in the dependency
// descriptor (RTP payload format for AV1, appendix A), whose templates are remembered from the last key frame. Other
// codecs have no layers here.
//
// Owned by one source; the meeting's thread only. Allocates nothing.
#pragma once

#include <optional>

#include "core/bytes.hpp"
#include "media/layers/packet_layer.hpp"
#include "media/wire/codec.hpp"
#include "media/wire/dependency_descriptor.hpp"

namespace media::layers {

class LayerReader {
  public:
    struct Read {
        PacketLayer layer;
        bool starts_key_frame = false;  ///< Decoding can begin with this packet.
    };
    /// `descriptor`: the dependency descriptor's bytes, if the packet has one.
    Read read(wire::CodecKind codec, core::BytesView payload, std::optional<core::BytesView> descriptor);

  private:
    std::optional<wire::DependencyStructure> structure_;
};

}  // namespace media::layers
