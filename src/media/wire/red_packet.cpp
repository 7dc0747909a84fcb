#include "media/wire/red_packet.hpp"

#include "media/wire/byte_io.hpp"

namespace media::wire {

namespace {
constexpr std::uint8_t kMore = 0x80;
constexpr std::size_t kHeaderSize = 4;
}  // namespace

std::optional<RedPacket> RedPacket::parse(core::BytesView payload) {
    RedPacket red;
    std::array<std::size_t, kMaxRedundant> sizes{};
    std::size_t at = 0;
    // RFC 2198 section 3: four bytes for each redundant block, one for the primary.
    while (at < payload.size() && (payload[at] & kMore) != 0) {
        if (red.count_ == kMaxRedundant || payload.size() - at < kHeaderSize) return std::nullopt;
        const std::uint32_t header = load_u32(&payload[at]);
        red.blocks_[red.count_].payload_type = static_cast<std::uint8_t>(header >> 24 & 0x7F);
        red.blocks_[red.count_].timestamp_offset = static_cast<std::uint16_t>(header >> 10 & 0x3FFF);
        sizes[red.count_++] = header & 0x3FF;
        at += kHeaderSize;
    }
    if (at >= payload.size()) return std::nullopt;
    red.blocks_[red.count_].payload_type = payload[at++];
    for (std::size_t i = 0; i < red.count_; ++i) {
        if (payload.size() - at < sizes[i]) return std::nullopt;
        red.blocks_[i].data = payload.subspan(at, sizes[i]);
        at += sizes[i];
    }
    red.blocks_[red.count_].data = payload.subspan(at);
    return red;
}

}  // namespace media::wire
