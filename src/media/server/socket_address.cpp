#include "media/server/socket_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace media::server {

namespace {

template <class T>
std::size_t write_control(std::span<std::uint8_t> out, int level, int type, const T& value) {
    if (out.size() < CMSG_SPACE(sizeof value)) return 0;
    std::ranges::fill(out.first(CMSG_SPACE(sizeof value)), std::uint8_t{0});
    cmsghdr header{};
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(out.data(), &header, sizeof header);
    std::memcpy(out.data() + CMSG_LEN(0), &value, sizeof value);
    return CMSG_SPACE(sizeof value);
}

}  // namespace

std::optional<wire::TransportAddress> address_from(const sockaddr_storage& name) {
    wire::TransportAddress address;
    if (name.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &name, sizeof v4);
        std::memcpy(address.bytes.data(), &v4.sin_addr, 4);
        address.port = ntohs(v4.sin_port);
        return address;
    }
    if (name.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &name, sizeof v6);
        std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
        address.is_v6 = true;
        address.port = ntohs(v6.sin6_port);
        return address.unmapped();
    }
    return std::nullopt;
}

socklen_t write_sockaddr(const wire::TransportAddress& address, bool v6_socket, sockaddr_storage& out) {
    if (address.is_v6 != v6_socket) return 0;
    if (v6_socket) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
        std::memcpy(&out, &v6, sizeof v6);
        return sizeof v6;
    }
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), 4);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
}

Control read_control(const msghdr& header) {
    Control control;
    msghdr copy = header;  // The macros want a pointer to a mutable header.
    for (cmsghdr* c = CMSG_FIRSTHDR(&copy); c; c = CMSG_NXTHDR(&copy, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(c), sizeof info);
            std::memcpy(control.local.bytes.data(), &info.ipi_addr, 4);
            control.local.known = true;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(c), sizeof info);
            std::memcpy(control.local.bytes.data(), &info.ipi6_addr, 16);
            control.local.known = true;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            timespec time{};
            std::memcpy(&time, CMSG_DATA(c), sizeof time);
            control.arrived =
                std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
                    std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)));
        }
    }
    return control;
}

std::size_t write_source(const LocalAddress& from, bool v6_socket, std::span<std::uint8_t> out) {
    if (!from.known) return 0;
    if (v6_socket) {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, from.bytes.data(), 16);
        return write_control(out, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, from.bytes.data(), 4);
    return write_control(out, IPPROTO_IP, IP_PKTINFO, info);
}

std::size_t write_segment_size(std::uint16_t size, std::span<std::uint8_t> out) {
    return write_control(out, IPPROTO_UDP, UDP_SEGMENT, size);
}

}  // namespace media::server
