// For tests: dependency descriptors as an AV1 encoder writes them, built bit by bit after appendix A of the RTP payload
// format for AV1.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.hpp"

namespace media::wire::samples {

/// Most significant bit first; the last byte is filled up with zeros.
class BitWriter {
  public:
    BitWriter& put(std::uint32_t value, unsigned count) {
        while (count-- > 0) {
            if (used_ % 8 == 0) bytes_.push_back(0);
            bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (value >> count & 1) << (7 - used_ % 8));
            ++used_;
        }
        return *this;
    }
    const core::Bytes& bytes() const { return bytes_; }

  private:
    core::Bytes bytes_;
    unsigned used_ = 0;
};

struct FrameStart {
    bool start = true;
    bool end = true;
    std::uint8_t template_id = 0;
    std::uint16_t frame = 0;
};

inline void put_mandatory(BitWriter& out, const FrameStart& frame) {
    out.put(frame.start ? 1 : 0, 1).put(frame.end ? 1 : 0, 1).put(frame.template_id, 6).put(frame.frame, 16);
}

/// What most packets carry.
inline core::Bytes short_descriptor(const FrameStart& frame) {
    BitWriter out;
    put_mandatory(out, frame);
    return out.bytes();
}

struct LayerTemplate {
    std::uint8_t spatial = 0;
    std::uint8_t temporal = 0;
    std::string_view indications;           ///< A letter for each decode target: - D S R.
    std::vector<std::uint8_t> differences;  ///< To the frames it needs.
};

/// One spatial layer, three temporal ones: two templates for the lowest (key and not), one, two.
inline std::vector<LayerTemplate> l1t3() {
    return {{0, 0, "SSS", {}}, {0, 0, "SSS", {4}}, {0, 1, "-DS", {2}}, {0, 2, "--D", {1}}, {0, 2, "--D", {1, 3}}};
}
/// Two of each.
inline std::vector<LayerTemplate> l2t2() {
    return {{0, 0, "SSSS", {}},  {0, 0, "SSSS", {4}},    {0, 1, "-D-R", {2}},
            {1, 0, "--SS", {1}}, {1, 0, "--SS", {4, 1}}, {1, 1, "---D", {2, 1}}};
}

/// What a key frame's first packet carries. One chain, resolutions of 640x360 for each spatial layer.
inline core::Bytes key_descriptor(const FrameStart& frame, std::uint8_t offset,
                                  const std::vector<LayerTemplate>& templates, bool targets = false) {
    const auto target_count = static_cast<unsigned>(templates.front().indications.size());
    BitWriter out;
    put_mandatory(out, frame);
    out.put(1, 1).put(targets ? 1 : 0, 1).put(0, 3);
    out.put(offset, 6).put(target_count - 1, 5);
    for (std::size_t i = 1; i < templates.size(); ++i) {
        const bool same_space = templates[i].spatial == templates[i - 1].spatial;
        const bool same_time = templates[i].temporal == templates[i - 1].temporal;
        out.put(!same_space ? 2U : !same_time ? 1U : 0U, 2);
    }
    out.put(3, 2);
    for (const LayerTemplate& one : templates) {
        for (const char letter : one.indications) {
            out.put(static_cast<std::uint32_t>(std::string_view("-DSR").find(letter)), 2);
        }
    }
    for (const LayerTemplate& one : templates) {
        for (const std::uint8_t difference : one.differences) out.put(1, 1).put(difference - 1U, 4);
        out.put(0, 1);
    }
    // ns(n) below n = 2^(w) - m; a chain count of 1 out of target_count + 1 possible values.
    unsigned width = 0;
    while (((target_count + 1) >> width) != 0) ++width;
    const unsigned shorter = (1U << width) - (target_count + 1);
    if (1 < shorter) {
        out.put(1, width - 1);
    } else {
        out.put(1 + shorter, width);
    }
    // Which chain protects a target: of one there is nothing to say.
    for (std::size_t i = 0; i < templates.size(); ++i) out.put(1, 4);
    out.put(1, 1);
    const unsigned spatial_layers = templates.back().spatial + 1U;
    for (unsigned i = 0; i < spatial_layers; ++i) out.put(639, 16).put(359, 16);
    if (targets) out.put((1U << target_count) - 1, target_count);
    return out.bytes();
}

}  // namespace media::wire::samples
