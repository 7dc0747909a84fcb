#include "media/layers/layer_rates.hpp"

#include <algorithm>

namespace media::layers {

void LayerRates::take(const PacketLayer& layer, std::size_t bytes) {
    const std::size_t spatial = std::min<std::uint8_t>(layer.spatial, kSpatial - 1);
    const std::size_t temporal = std::min<std::uint8_t>(layer.temporal, kTemporal - 1);
    cells_[spatial][temporal].bytes += bytes;
}

void LayerRates::turn(Time now) {
    const auto us = since_ ? std::chrono::duration_cast<std::chrono::microseconds>(now - *since_).count() : 0;
    if (us > 0) {
        std::uint64_t total = 0;
        spatial_layers_ = temporal_layers_ = 1;
        for (std::uint8_t spatial = 0; spatial < kSpatial; ++spatial) {
            for (std::uint8_t temporal = 0; temporal < kTemporal; ++temporal) {
                Cell& cell = cells_[spatial][temporal];
                const std::uint64_t measured = cell.bytes * 8'000'000 / static_cast<std::uint64_t>(us);
                const std::uint64_t smoothed = cell.bps == 0 || measured == 0 ? measured : (cell.bps + measured) / 2;
                cell.bps = static_cast<std::uint32_t>(std::min<std::uint64_t>(smoothed, UINT32_MAX));
                total += cell.bps;
                if (cell.bps == 0) continue;
                spatial_layers_ = std::max<std::uint8_t>(spatial_layers_, spatial + 1);
                temporal_layers_ = std::max<std::uint8_t>(temporal_layers_, temporal + 1);
            }
        }
        total_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(total, UINT32_MAX));
    }
    for (auto& row : cells_) {
        for (Cell& cell : row) cell.bytes = 0;
    }
    since_ = now;
}

std::uint32_t LayerRates::up_to(LayerLimit limit) const {
    std::uint64_t total = 0;
    for (std::size_t spatial = 0; spatial < kSpatial && spatial <= limit.spatial; ++spatial) {
        for (std::size_t temporal = 0; temporal < kTemporal && temporal <= limit.temporal; ++temporal) {
            total += cells_[spatial][temporal].bps;
        }
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(total, UINT32_MAX));
}

}  // namespace media::layers
