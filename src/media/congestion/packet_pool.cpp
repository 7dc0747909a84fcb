#include "media/congestion/packet_pool.hpp"

namespace media::congestion {

WaitingPacket* PacketPool::take() {
    if (free_ == nullptr) {
        if (chunks_.size() * kChunk >= kMostPackets) return nullptr;
        // The bytes are written before they are read.
        chunks_.push_back(std::make_unique_for_overwrite<Chunk>());
        for (WaitingPacket& packet : *chunks_.back()) {
            packet.next = free_;
            free_ = &packet;
        }
    }
    WaitingPacket* packet = free_;
    free_ = packet->next;
    packet->next = nullptr;
    ++in_use_;
    return packet;
}

void PacketPool::give_back(WaitingPacket* packet) {
    packet->next = free_;
    free_ = packet;
    --in_use_;
}

}  // namespace media::congestion
