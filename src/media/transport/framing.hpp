// Packets over a byte stream, each preceded by its length in two bytes, big-endian (RFC 4571 section 2): ICE-TCP.
// Plain algorithm without I/O; owned by one TCP connection, used on its media thread only.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/bytes.hpp"

namespace media::transport {

/// Cuts a byte stream into packets. Allocates once, when it is made.
class FrameDecoder {
  public:
    /// Longer packets break the connection: no client sends them.
    static constexpr std::size_t kMaxPacket = 2048;

    /// Where the next bytes of the stream are to be put. Never empty unless the stream is broken.
    std::span<std::uint8_t> space() {
        return broken_ ? std::span<std::uint8_t>{} : std::span(buffer_).subspan(filled_);
    }

    /// Takes the first `count` bytes of `space()` and calls `packet(std::span<std::uint8_t>)` for each complete packet,
    /// which may be changed in place. False: the stream broke the rules and the connection has to be closed.
    /// Empty packets are skipped.
    template <class Packet>
    bool accept(std::size_t count, Packet&& packet) {
        if (broken_ || count > buffer_.size() - filled_) return false;
        filled_ += count;
        std::size_t begin = 0;
        while (filled_ - begin >= 2) {
            const std::size_t length = std::size_t{buffer_[begin]} << 8 | buffer_[begin + 1];
            if (length > kMaxPacket) {
                broken_ = true;
                return false;
            }
            if (filled_ - begin - 2 < length) break;
            if (length > 0) packet(std::span(buffer_).subspan(begin + 2, length));
            begin += 2 + length;
        }
        keep_from(begin);
        return true;
    }

  private:
    void keep_from(std::size_t begin);

    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(8 * (kMaxPacket + 2));
    std::size_t filled_ = 0;
    bool broken_ = false;
};

/// The two bytes that go before a packet of `size` bytes; `size` below 65536.
constexpr std::array<std::uint8_t, 2> frame_header(std::size_t size) {
    return {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
}

}  // namespace media::transport
