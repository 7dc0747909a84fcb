#include "media/room/packet_cache.hpp"

#include <algorithm>

namespace media::room {

void PacketCache::keep(const Header& header, core::BytesView payload) {
    if (payload.size() > kMaxPayload || header.sequence < 0) return;
    Entry& entry = index_[static_cast<std::size_t>(header.sequence) % kPackets];
    if (entry.sequence > header.sequence) return;
    make_room(header.timestamp, payload.size());
    static_cast<Header&>(entry) = header;
    entry.size = static_cast<std::uint16_t>(payload.size());
    entry.offset = static_cast<std::uint32_t>(write_);
    entry.lap = lap_;
    std::ranges::copy(payload, ring_.begin() + static_cast<std::ptrdiff_t>(write_));
    write_ += payload.size();
}

/// At the ring's end: it grows there when it was filled too fast, or else begins anew. What it holds stays in place.
void PacketCache::make_room(std::uint32_t timestamp, std::size_t size) {
    if (write_ == 0) lap_began_ = timestamp;
    if (write_ + size <= ring_.size()) return;
    const bool too_short = static_cast<std::int32_t>(timestamp - lap_began_) < kKept;
    if (ring_.empty() || (too_short && ring_.size() < kMostBytes)) {
        ring_.reserve(ring_.size() + kStep);  // Exactly: `resize` alone would take twice as much.
        ring_.resize(ring_.size() + kStep);
        return;
    }
    ++lap_;
    write_ = 0;
    lap_began_ = timestamp;
}

std::optional<PacketCache::Packet> PacketCache::find(std::int64_t sequence) const {
    if (sequence < 0) return std::nullopt;
    const Entry& entry = index_[static_cast<std::size_t>(sequence) % kPackets];
    if (entry.sequence != sequence || !intact(entry)) return std::nullopt;
    return Packet{entry, core::BytesView(ring_).subspan(entry.offset, entry.size)};
}

void PacketCache::clear() {
    for (Entry& entry : index_) entry.sequence = -1;
    write_ = 0;
}

}  // namespace media::room
