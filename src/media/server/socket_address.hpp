// Between the kernel's address structures and the plain values of the media rooms. Any thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "media/wire/address.hpp"

namespace media::server {

/// Which of the machine's addresses a datagram was sent to; the answer must come from there.
struct LocalAddress {
    std::array<std::uint8_t, 16> bytes{};  ///< Network order; IPv4 fills the first four.
    bool known = false;
};

/// Null for what is neither IPv4 nor IPv6.
std::optional<wire::TransportAddress> address_from(const sockaddr_storage& name);

/// Fills `out`; returns its length, 0 when a socket of this family cannot send there.
socklen_t write_sockaddr(const wire::TransportAddress& address, bool v6_socket, sockaddr_storage& out);

/// What the kernel says beside a datagram.
struct Control {
    LocalAddress local;
    std::optional<std::chrono::system_clock::time_point> arrived;
};
Control read_control(const msghdr& header);

/// Fills `out` with a control message that sets the source address; returns its length, 0 when the address is unknown.
std::size_t write_source(const LocalAddress& from, bool v6_socket, std::span<std::uint8_t> out);
/// Likewise: the message is cut into datagrams of this length (udp(7), UDP_SEGMENT).
std::size_t write_segment_size(std::uint16_t size, std::span<std::uint8_t> out);

}  // namespace media::server
