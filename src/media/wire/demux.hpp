// What a datagram on the shared port is, by its first bytes (RFC 7983 section 7, RFC 5761 section 4). Any thread.
#pragma once

#include <cstdint>

#include "core/bytes.hpp"

namespace media::wire {

enum class PacketKind : std::uint8_t { unknown, stun, dtls, rtp, rtcp };

constexpr PacketKind classify(core::BytesView datagram) {
    if (datagram.empty()) return PacketKind::unknown;
    const std::uint8_t first = datagram[0];
    if (first <= 3) return PacketKind::stun;
    if (first >= 20 && first <= 63) return PacketKind::dtls;
    if (first < 128 || first > 191 || datagram.size() < 2) return PacketKind::unknown;
    const std::uint8_t type = datagram[1] & 0x7F;
    return type >= 64 && type <= 95 ? PacketKind::rtcp : PacketKind::rtp;
}

/// An RTCP packet that is nothing but a generic NACK (RFC 4585 section 6.2.1, reduced size: RFC 5506). Its first bytes
/// are in clear under SRTCP as well.
constexpr bool is_lone_nack(core::BytesView rtcp) {
    return rtcp.size() >= 2 && (rtcp[0] & 0x1F) == 1 && rtcp[1] == 205;
}

}  // namespace media::wire
