// Where a video packet stands among the layers of its stream, and how much of a stream a receiver gets. Plain values.
#pragma once

#include <chrono>
#include <cstdint>

namespace media::layers {

/// Nothing here reads a clock: the time is brought.
using Time = std::chrono::steady_clock::time_point;

/// Of a packet. A stream without layers, or whose layers are not known, is all in layer 0/0.
struct PacketLayer {
    std::uint8_t spatial = 0;
    std::uint8_t temporal = 0;
    /// Last packet of this spatial layer's frame: the picture ends here for whoever gets nothing above.
    bool ends_layer = false;
    /// Later pictures of higher temporal layers need nothing older than this one.
    bool switching = false;
    /// Of the lowest layer of a picture that needs no picture before it.
    bool key_picture = false;
    bool operator==(const PacketLayer&) const = default;
};

/// The highest layers that are forwarded.
struct LayerLimit {
    static constexpr std::uint8_t kAll = 7;  ///< No layer has a higher number (RFC 9628 section 4.2: three bits).
    std::uint8_t spatial = kAll;
    std::uint8_t temporal = kAll;
    bool operator==(const LayerLimit&) const = default;
    bool holds(const PacketLayer& layer) const { return layer.spatial <= spatial && layer.temporal <= temporal; }
};

}  // namespace media::layers
