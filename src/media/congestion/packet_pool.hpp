// Memory for packets that wait to be sent, shared by all receivers of a meeting.
//
// Grows by chunks of blocks up to a bound and keeps them; nothing is allocated per packet. Owned by the meeting's
// packet plane; the meeting's thread only. Blocks must not outlive their pool.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace media::congestion {

/// Free bytes in front of a waiting packet: what is stamped on it at the last moment is written there.
inline constexpr std::size_t kHeadRoom = 8;

struct WaitingPacket {
    /// The longest packet, and behind it room for a trailer of encryption.
    static constexpr std::size_t kMaxPacket = 1500;
    static constexpr std::size_t kTailRoom = 160;

    WaitingPacket* next = nullptr;
    std::chrono::steady_clock::time_point since{};
    std::uint16_t size = 0;
    std::array<std::uint8_t, kHeadRoom + kMaxPacket + kTailRoom> room;
    std::span<std::uint8_t> packet() { return std::span(room).subspan(kHeadRoom, size); }
};

class PacketPool {
  public:
    /// About 3.4 MB: some fifty receivers with full queues.
    static constexpr std::size_t kMostPackets = 2048;

    /// Null when everything is in use.
    WaitingPacket* take();
    void give_back(WaitingPacket* packet);
    std::size_t in_use() const { return in_use_; }

  private:
    static constexpr std::size_t kChunk = 32;
    using Chunk = std::array<WaitingPacket, kChunk>;

    std::vector<std::unique_ptr<Chunk>> chunks_;
    WaitingPacket* free_ = nullptr;
    std::size_t in_use_ = 0;
};

}  // namespace media::congestion
