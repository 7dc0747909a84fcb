// Any bytes as a row of dependency descriptors of one stream: what is read stays within its bounds, and what is refused
// changes nothing.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "media/wire/dependency_descriptor.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace media::wire;
    core::BytesView rest(data, size);
    std::optional<DependencyStructure> structure;
    while (!rest.empty()) {
        const std::size_t length = std::min<std::size_t>(rest[0], rest.size() - 1);
        const core::Bytes value(rest.begin() + 1, rest.begin() + 1 + static_cast<std::ptrdiff_t>(length));
        rest = rest.subspan(1 + length);
        const bool had_one = structure.has_value();
        const std::uint8_t offset = structure ? structure->template_id_offset : 0;
        const auto read = parse_dependency_descriptor(value, structure);
        if (!read) {
            if (structure.has_value() != had_one || (had_one && structure->template_id_offset != offset)) std::abort();
            continue;
        }
        if (!structure || structure->template_count > DependencyStructure::kMaxTemplates ||
            structure->decode_targets > DependencyStructure::kMaxDecodeTargets ||
            read->spatial_id >= structure->spatial_layers || read->temporal_id >= structure->temporal_layers ||
            structure->spatial_layers > DependencyStructure::kMaxSpatialLayers ||
            structure->temporal_layers > DependencyStructure::kMaxTemporalLayers) {
            std::abort();
        }
    }
    return 0;
}
