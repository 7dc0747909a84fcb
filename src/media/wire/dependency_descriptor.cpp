#include "media/wire/dependency_descriptor.hpp"

#include <algorithm>
#include <bit>

namespace media::wire {

namespace {

/// Most significant bit first; beyond the end it reads zeros and says so.
class BitReader {
  public:
    explicit BitReader(core::BytesView bytes) : bytes_(bytes) {}

    std::uint32_t bits(unsigned count) {
        std::uint32_t value = 0;
        for (; count > 0; --count) value = value << 1 | (bit() ? 1U : 0U);
        return value;
    }
    bool bit() {
        const std::size_t at = position_++;
        if (at / 8 >= bytes_.size()) {
            overrun_ = true;
            return false;
        }
        return (bytes_[at / 8] >> (7 - at % 8) & 1) != 0;
    }
    /// `ns(n)` of the AV1 specification, section 4.10.7: a number below `n`.
    std::uint32_t non_symmetric(std::uint32_t n) {
        const auto width = static_cast<unsigned>(std::bit_width(n));
        const std::uint32_t shorter = (1U << width) - n;
        const std::uint32_t value = bits(width - 1);
        return value < shorter ? value : (value << 1 | (bit() ? 1U : 0U)) - shorter;
    }
    bool overrun() const { return overrun_; }

  private:
    core::BytesView bytes_;
    std::size_t position_ = 0;
    bool overrun_ = false;
};

bool is_switching(std::uint32_t indication) {
    return indication == static_cast<std::uint32_t>(DecodeIndication::switching);
}

/// template_layers: the templates in rising order of layers.
bool read_layers(BitReader& in, DependencyStructure& structure) {
    enum Next : std::uint8_t { same_layer, next_temporal, next_spatial, no_more };
    DependencyStructure::Template current;
    while (true) {
        if (in.overrun() || structure.template_count == DependencyStructure::kMaxTemplates) return false;
        structure.templates[structure.template_count++] = current;
        structure.spatial_layers = std::max<std::uint8_t>(structure.spatial_layers, current.spatial_id + 1);
        structure.temporal_layers = std::max<std::uint8_t>(structure.temporal_layers, current.temporal_id + 1);
        switch (in.bits(2)) {
            case next_temporal:
                if (++current.temporal_id == DependencyStructure::kMaxTemporalLayers) return false;
                break;
            case next_spatial:
                current.temporal_id = 0;
                if (++current.spatial_id == DependencyStructure::kMaxSpatialLayers) return false;
                break;
            case no_more:
                return !in.overrun();
            default:
                break;
        }
    }
}

void skip_template_frame_differences(BitReader& in, const DependencyStructure& structure) {
    for (std::size_t i = 0; i < structure.template_count && !in.overrun(); ++i) {
        while (in.bit()) in.bits(4);
    }
}

void read_chains(BitReader& in, DependencyStructure& structure) {
    structure.chains = static_cast<std::uint8_t>(in.non_symmetric(structure.decode_targets + 1U));
    if (structure.chains == 0) return;
    for (std::size_t i = 0; i < structure.decode_targets; ++i) in.non_symmetric(structure.chains);
    for (std::size_t i = 0; i < std::size_t{structure.template_count} * structure.chains; ++i) in.bits(4);
}

std::optional<DependencyStructure> read_structure(BitReader& in) {
    DependencyStructure structure;
    structure.template_id_offset = static_cast<std::uint8_t>(in.bits(6));
    structure.decode_targets = static_cast<std::uint8_t>(in.bits(5) + 1);
    if (!read_layers(in, structure)) return std::nullopt;
    for (std::size_t i = 0; i < structure.template_count && !in.overrun(); ++i) {
        for (std::size_t target = 0; target < structure.decode_targets; ++target) {
            if (is_switching(in.bits(2))) structure.templates[i].switching = true;
        }
    }
    skip_template_frame_differences(in, structure);
    read_chains(in, structure);
    if (in.bit()) {  // Resolutions.
        for (std::size_t i = 0; i < structure.spatial_layers; ++i) in.bits(32);
    }
    if (in.overrun()) return std::nullopt;
    return structure;
}

}  // namespace

std::optional<DependencyDescriptor> parse_dependency_descriptor(core::BytesView value,
                                                                std::optional<DependencyStructure>& structure) {
    constexpr std::size_t kMandatory = 3;
    if (value.size() < kMandatory) return std::nullopt;
    BitReader in(value);
    DependencyDescriptor result;
    result.start_of_frame = in.bit();
    result.end_of_frame = in.bit();
    const std::uint32_t template_id = in.bits(6);
    result.frame_number = static_cast<std::uint16_t>(in.bits(16));

    std::optional<DependencyStructure> brought;
    bool own_indications = false;
    if (value.size() > kMandatory) {
        result.has_structure = in.bit();
        const bool targets_follow = in.bit();
        own_indications = in.bit();
        in.bits(2);  // Own frame differences and chains stand behind all that is read here.
        if (result.has_structure) {
            brought = read_structure(in);
            if (!brought) return std::nullopt;
        }
        const auto& known = brought ? brought : structure;
        if (targets_follow && known) result.active_targets = in.bits(known->decode_targets);
    }
    const auto& known = brought ? brought : structure;
    if (!known) return std::nullopt;
    const std::uint32_t index = (template_id + 64 - known->template_id_offset) % 64;
    if (index >= known->template_count) return std::nullopt;
    const DependencyStructure::Template& used = known->templates[index];
    result.spatial_id = used.spatial_id;
    result.temporal_id = used.temporal_id;
    result.switching = used.switching;
    if (own_indications) {
        result.switching = false;
        for (std::size_t target = 0; target < known->decode_targets; ++target) {
            if (is_switching(in.bits(2))) result.switching = true;
        }
    }
    if (in.overrun()) return std::nullopt;
    if (brought) structure = brought;
    return result;
}

}  // namespace media::wire
