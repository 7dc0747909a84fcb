#include "media/room/packet_cache.hpp"

#include <algorithm>

namespace media::room {

void PacketCache::keep(const Header& header, core::BytesView payload) {
    if (payload.size() > kMaxPayload || header.sequence < 0) return;
    Packet& packet = packets_[static_cast<std::size_t>(header.sequence) % kPackets];
    if (packet.sequence > header.sequence) return;
    static_cast<Header&>(packet) = header;
    packet.size = static_cast<std::uint16_t>(payload.size());
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
