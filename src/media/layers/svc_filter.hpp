// Which packets of a layered stream one receiver gets, and when it may change layers without a broken picture:
//
//  - down at any picture's start;
//  - up in time at a picture of temporal layer 0, or behind one that says so;
//  - up in space at a key picture only: somebody has to ask for it.
//
// What was decided for a picture holds for its late packets too. A stream without layers passes whole. Owned by one
// subscription; the meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "media/layers/packet_layer.hpp"

namespace media::layers {

class SvcFilter {
  public:
    /// What the receiver is to get as soon as it may.
    void want(LayerLimit limit) { wanted_ = limit; }
    LayerLimit wanted() const { return wanted_; }
    /// What it gets now.
    LayerLimit limit() const { return newest().limit; }

    /// Begins at a key frame with this timestamp.
    void restart(std::uint32_t timestamp);

    struct Verdict {
        bool forward = false;
        bool ends_picture = false;  ///< The last packet of the picture as this receiver sees it: carries the marker.
    };
    /// A packet in the order of arrival; once each.
    Verdict take(const PacketLayer& layer, std::uint32_t timestamp);
    /// The same for a packet that was taken before.
    Verdict judge(const PacketLayer& layer, std::uint32_t timestamp) const;

    /// More spatial layers are wanted than can be had without a key picture.
    bool waits_for_key_frame() const { return wanted_.spatial > limit().spatial; }

  private:
    // Changes are at least a second apart upwards, and late packets are younger than two.
    static constexpr std::size_t kChanges = 8;
    struct Change {
        std::uint32_t from = 0;  ///< Timestamp of the first picture.
        LayerLimit limit;
    };
    const Change& newest() const { return changes_[newest_]; }
    LayerLimit limit_at(std::uint32_t timestamp) const;
    void change(std::uint32_t from, LayerLimit limit);
    void forget_the_distant();

    std::array<Change, kChanges> changes_{};
    std::uint8_t newest_ = 0;
    std::uint8_t known_ = 0;
    LayerLimit wanted_;
    std::uint32_t picture_ = 0;        ///< Timestamp of the newest picture seen.
    bool may_raise_temporal_ = false;  ///< The newest picture said that the next ones may have higher layers.
    /// Spatial layer of the newest picture that lacks a packet already: too late to begin with it.
    std::uint8_t lowest_left_out_ = LayerLimit::kAll + 1;
};

}  // namespace media::layers
