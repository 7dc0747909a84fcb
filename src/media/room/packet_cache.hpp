// The last video packets of one source, kept once for all its receivers, to answer their NACKs.
//
// A ring by sequence number, allocated when the source is published. Owned by one source; the meeting's thread only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/bytes.hpp"
#include "media/layers/packet_layer.hpp"

namespace media::room {

class PacketCache {
  public:
    static constexpr std::size_t kPackets = 512;      ///< About two seconds at the highest camera rate.
    static constexpr std::size_t kMaxPayload = 1484;  ///< With header and RTX number within kMaxPacketSize.

    struct Header {
        std::int64_t sequence = -1;  ///< Unwrapped, of the source.
        std::uint32_t timestamp = 0;
        std::uint8_t codec = 0;  ///< Index into the source's codecs.
        bool marker = false;
        layers::PacketLayer layer{};
    };
    struct Packet : Header {
        std::uint16_t size = 0;
        std::array<std::uint8_t, kMaxPayload> bytes;
        core::BytesView payload() const { return {bytes.data(), size}; }
    };

    PacketCache() : packets_(kPackets) {}

    /// Keeps a copy; payloads that are too long are not kept. An older packet never replaces a newer one.
    void keep(const Header& header, core::BytesView payload);
    /// Null when it never came or is gone.
    const Packet* find(std::int64_t sequence) const;
    void clear();

  private:
    std::vector<Packet> packets_;
};

}  // namespace media::room
