#include "media/room/packet_cache.hpp"

#include <algorithm>

namespace media::room {

void PacketCache::keep(std::int64_t sequence, std::uint32_t timestamp, bool marker, std::uint8_t codec,
                       core::BytesView payload) {
    if (payload.size() > kMaxPayload || sequence < 0) return;
    Packet& packet = packets_[static_cast<std::size_t>(sequence) % kPackets];
    if (packet.sequence > sequence) return;
    packet.sequence = sequence;
    packet.timestamp = timestamp;
    packet.size = static_cast<std::uint16_t>(payload.size());
    packet.codec = codec;
    packet.marker = marker;
    std::ranges::copy(payload, packet.bytes.begin());
}

const PacketCache::Packet* PacketCache::find(std::int64_t sequence) const {
    if (sequence < 0) return nullptr;
    const Packet& packet = packets_[static_cast<std::size_t>(sequence) % kPackets];
    return packet.sequence == sequence ? &packet : nullptr;
}

void PacketCache::clear() {
    for (Packet& packet : packets_) packet.sequence = -1;
}

}  // namespace media::room
