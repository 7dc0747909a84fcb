// How many bits a second each layer of a stream takes, from what arrived. Owned by one source; the meeting's thread
// only. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "media/layers/packet_layer.hpp"

namespace media::layers {

class LayerRates {
  public:
    /// Higher layers are counted with the highest of these.
    static constexpr std::uint8_t kSpatial = 4;
    static constexpr std::uint8_t kTemporal = 4;

    void take(const PacketLayer& layer, std::size_t bytes);
    /// Call about once a second.
    void turn(Time now);

    /// Of all layers together; 0: not known yet, or nothing came.
    std::uint32_t bps() const { return total_; }
    /// Of the layers up to these.
    std::uint32_t up_to(LayerLimit limit) const;
    /// Layers that came lately, counted from the lowest; at least 1.
    std::uint8_t spatial_layers() const { return spatial_layers_; }
    std::uint8_t temporal_layers() const { return temporal_layers_; }
    bool layered() const { return spatial_layers_ > 1 || temporal_layers_ > 1; }

  private:
    struct Cell {
        std::uint64_t bytes = 0;
        std::uint32_t bps = 0;
    };
    std::array<std::array<Cell, kTemporal>, kSpatial> cells_{};
    std::uint32_t total_ = 0;
    std::uint8_t spatial_layers_ = 1;
    std::uint8_t temporal_layers_ = 1;
    std::optional<Time> since_;
};

}  // namespace media::layers
