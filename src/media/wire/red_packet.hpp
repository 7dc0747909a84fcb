// Redundant audio (RFC 2198): one payload, and in front of it copies of earlier ones. A view; nothing is copied or
// allocated. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/bytes.hpp"

namespace media::wire {

struct RedBlock {
    std::uint8_t payload_type = 0;
    std::uint16_t timestamp_offset = 0;  ///< So much earlier than the packet's timestamp; 0 for the primary.
    core::BytesView data{};
};

class RedPacket {
  public:
    /// Copies in one packet; more of them make it malformed.
    static constexpr std::size_t kMaxRedundant = 8;

    /// Reads an RTP payload (without padding); null when a header or a block goes beyond its end. Blocks may be empty.
    static std::optional<RedPacket> parse(core::BytesView payload);

    const RedBlock& primary() const { return blocks_[count_]; }
    /// In the order written: the oldest first.
    std::span<const RedBlock> redundant() const { return std::span(blocks_).first(count_); }

  private:
    RedPacket() = default;

    std::array<RedBlock, kMaxRedundant + 1> blocks_{};  ///< The primary behind the redundant ones.
    std::size_t count_ = 0;
};

}  // namespace media::wire
