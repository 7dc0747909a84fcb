// The Opus packets of one sender in the order of their time: they come in any order and are kept until newer ones need
// the room, so that a decoder can also look back.
//
// Owned by one Source; the meeting's thread only. All memory is taken at construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/bytes.hpp"

namespace media::mixing {

class PacketBuffer {
  public:
    /// 128 ms of the highest bit rate there is, two seconds of an ordinary one …
    static constexpr std::size_t kBytes = 8192;
    /// … but no more packets than these.
    static constexpr std::size_t kPackets = 64;

    struct Packet {
        std::int64_t timestamp = 0;  ///< Of the first sample; unwrapped, 48 kHz.
        std::uint32_t offset = 0;
        std::uint16_t size = 0;
        std::uint16_t samples = 0;
        bool redundant = false;  ///< Came as a redundant copy first.
        bool used = false;       ///< Has been decoded; kept to look back.
        std::int64_t end() const { return timestamp + samples; }
    };

    PacketBuffer() : bytes_(std::make_unique<std::uint8_t[]>(kBytes)) {}

    /// False: a packet with this timestamp is there already, or this one is too large. `unused` grows by the packets
    /// that were pushed out undecoded.
    bool insert(std::int64_t timestamp, std::size_t samples, core::BytesView payload, bool redundant,
                std::uint64_t& unused);
    void clear() { count_ = 0; }

    bool empty() const { return count_ == 0; }
    std::size_t count() const { return count_; }
    /// `index` < count(); the lower the older.
    const Packet& operator[](std::size_t index) const { return packets_[index]; }
    /// The first one of which something lies at or behind `timestamp`; count(): none.
    std::size_t find(std::int64_t timestamp) const;
    core::BytesView payload(const Packet& packet) const { return {bytes_.get() + packet.offset, packet.size}; }
    void mark_used(std::size_t index) { packets_[index].used = true; }

  private:
    void erase(std::size_t index, std::uint64_t& unused);

    std::unique_ptr<std::uint8_t[]> bytes_;
    std::array<Packet, kPackets> packets_{};  ///< By timestamp.
    std::size_t count_ = 0;
    std::size_t head_ = 0;  ///< Where the next payload goes; payloads lie in the order they came, round and round.
};

}  // namespace media::mixing
