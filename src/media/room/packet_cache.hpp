// The last video packets of one source, kept once for all its receivers, to answer their NACKs.
//
// The bytes stand one behind the other in a ring that is as long as about half a second of the stream, which is a first
// answer and a second one over a way of 200 ms; an index by sequence number says where. The ring is taken piece by
// piece while the stream shows how much it needs, so a quiet camera costs little, and after the first half second of a
// rate nothing is allocated. Owned by one source; the meeting's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "media/layers/packet_layer.hpp"

namespace media::room {

class PacketCache {
  public:
    static constexpr std::size_t kPackets = 512;      ///< Half a second at 10 Mbit/s.
    static constexpr std::size_t kMaxPayload = 1484;  ///< With header and RTX number within kMaxPacketSize.
    /// What the ring grows by, and what even a quiet stream has; and the most: all the packets of the index, were they
    /// all as long as can be.
    static constexpr std::size_t kStep = std::size_t{16} * 1024;
    static constexpr std::size_t kMostBytes = (kPackets * kMaxPayload + kStep - 1) / kStep * kStep;
    /// So much of the stream, by its RTP clock of 90 kHz, is to be there.
    static constexpr std::int32_t kKept = 45'000;

    struct Header {
        std::int64_t sequence = -1;  ///< Unwrapped, of the source.
        std::uint32_t timestamp = 0;
        std::uint8_t codec = 0;  ///< Index into the source's codecs.
        bool marker = false;
        layers::PacketLayer layer{};
    };
    struct Packet : Header {
        core::BytesView payload;  ///< Until the next `keep`.
    };

    PacketCache() : index_(kPackets) {}

    /// Keeps a copy; payloads that are too long are not kept. An older packet never replaces a newer one of the same
    /// place in the index.
    void keep(const Header& header, core::BytesView payload);
    /// Null when it never came or is gone.
    std::optional<Packet> find(std::int64_t sequence) const;
    /// The ring stays as long as it is.
    void clear();

    /// What its memory is worth at the moment.
    std::size_t bytes() const { return ring_.capacity() + index_.capacity() * sizeof(Entry); }

  private:
    struct Entry : Header {
        std::uint16_t size = 0;
        std::uint32_t offset = 0;  ///< In the ring.
        std::uint32_t lap = 0;     ///< How often the ring had been filled before.
    };
    void make_room(std::uint32_t timestamp, std::size_t size);
    /// Whether nothing has been written over it.
    bool intact(const Entry& entry) const {
        return entry.lap == lap_ || (entry.lap + 1 == lap_ && entry.offset >= write_);
    }

    std::vector<Entry> index_;
    std::vector<std::uint8_t> ring_;
    std::size_t write_ = 0;  ///< Where the next packet goes.
    std::uint32_t lap_ = 0;
    std::uint32_t lap_began_ = 0;  ///< The timestamp of its first packet.
};

}  // namespace media::room
