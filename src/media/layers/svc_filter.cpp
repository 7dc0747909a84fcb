#include "media/layers/svc_filter.hpp"

#include <algorithm>

#include "media/wire/rtp.hpp"

namespace media::layers {

void SvcFilter::restart(std::uint32_t timestamp) {
    newest_ = 0;
    known_ = 1;
    changes_[0] = {timestamp, wanted_};
    picture_ = timestamp;
    may_raise_temporal_ = false;
    lowest_left_out_ = LayerLimit::kAll + 1;
}

void SvcFilter::change(std::uint32_t from, LayerLimit limit) {
    newest_ = static_cast<std::uint8_t>((newest_ + 1U) % kChanges);
    known_ = static_cast<std::uint8_t>(std::min<std::size_t>(known_ + 1U, kChanges));
    changes_[newest_] = {from, limit};
}

void SvcFilter::forget_the_distant() {
    // Timestamps can be told apart over half their space only, which a long call leaves behind.
    constexpr std::uint32_t kFar = 1U << 30;
    if (picture_ - newest().from < kFar) return;
    changes_[0] = {picture_ - kFar / 2, newest().limit};
    newest_ = 0;
    known_ = 1;
}

LayerLimit SvcFilter::limit_at(std::uint32_t timestamp) const {
    for (std::size_t age = 0; age < known_; ++age) {
        const Change& candidate = changes_[(newest_ + kChanges - age) % kChanges];
        if (!wire::newer_timestamp(candidate.from, timestamp)) return candidate.limit;
    }
    return changes_[known_ == kChanges ? (newest_ + 1U) % kChanges : 0].limit;  // The oldest that is remembered.
}

SvcFilter::Verdict SvcFilter::judge(const PacketLayer& layer, std::uint32_t timestamp) const {
    const LayerLimit limit = limit_at(timestamp);
    return {.forward = limit.holds(layer), .ends_picture = layer.ends_layer && layer.spatial == limit.spatial};
}

SvcFilter::Verdict SvcFilter::take(const PacketLayer& layer, std::uint32_t timestamp) {
    const bool new_picture = wire::newer_timestamp(timestamp, picture_);
    if (new_picture || timestamp == picture_) {
        LayerLimit limit = newest().limit;
        if (new_picture) {
            picture_ = timestamp;
            limit = {std::min(limit.spatial, wanted_.spatial), std::min(limit.temporal, wanted_.temporal)};
            if (may_raise_temporal_ || layer.temporal == 0) limit.temporal = wanted_.temporal;
            may_raise_temporal_ = false;
            lowest_left_out_ = LayerLimit::kAll + 1;
        }
        // Also when the first packet of the key picture comes later than the second.
        if (layer.key_picture && wanted_.spatial > limit.spatial && wanted_.spatial < lowest_left_out_) {
            limit.spatial = wanted_.spatial;
        }
        if (layer.ends_layer && layer.spatial == limit.spatial) {
            // It carried the marker: the picture is over for this receiver.
            lowest_left_out_ = std::min<std::uint8_t>(lowest_left_out_, layer.spatial + 1);
        }
        if (layer.spatial > limit.spatial) lowest_left_out_ = std::min(lowest_left_out_, layer.spatial);
        if (limit != newest().limit) change(timestamp, limit);
        forget_the_distant();
        if (layer.switching && layer.temporal <= limit.temporal) may_raise_temporal_ = true;
    }
    return judge(layer, timestamp);
}

}  // namespace media::layers
