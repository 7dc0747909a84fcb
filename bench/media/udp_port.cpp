#include "udp_port.hpp"

#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace bench {

namespace {
/// A tenth of a second of 300,000 packets a second, with the kernel's own overhead for each.
constexpr int kSocketBuffer = 96 * 1024 * 1024;
constexpr std::size_t kControl = CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(timespec));
}  // namespace

struct UdpPort::Slots {
    std::array<std::array<std::uint8_t, kDatagram>, kBatch> bytes;
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> pieces{};
    std::array<sockaddr_in, kBatch> names{};
    struct alignas(cmsghdr) Control {
        std::array<char, kControl> bytes{};
    };
    std::array<Control, kBatch> control{};

    Slots() {
        for (std::size_t i = 0; i < kBatch; ++i) {
            pieces[i] = {bytes[i].data(), kDatagram};
            msghdr& m = messages[i].msg_hdr;
            m.msg_iov = &pieces[i];
            m.msg_iovlen = 1;
            m.msg_name = &names[i];
            m.msg_namelen = sizeof(sockaddr_in);
            m.msg_control = control[i].bytes.data();
            m.msg_controllen = kControl;
        }
    }
};

UdpPort::UdpPort(std::uint32_t base) : base_(base), in_(std::make_unique<Slots>()), out_(std::make_unique<Slots>()) {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    if (fd_ < 0 || bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) {
        throw std::runtime_error("no UDP socket to be had");
    }
    socklen_t size = sizeof any;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&any), &size);
    port_ = ntohs(any.sin_port);
    const int on = 1;
    setsockopt(fd_, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    // With "don't fragment" the kernel need not think of an identification for each packet.
    const int probe = IP_PMTUDISC_PROBE;
    setsockopt(fd_, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
    for (const auto& [forced, plain] : {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}}) {
        if (setsockopt(fd_, SOL_SOCKET, forced, &kSocketBuffer, sizeof kSocketBuffer) != 0) {
            setsockopt(fd_, SOL_SOCKET, plain, &kSocketBuffer, sizeof kSocketBuffer);
        }
    }
    for (std::size_t i = 0; i < kBatch; ++i) {
        msghdr& m = out_->messages[i].msg_hdr;
        m.msg_controllen = CMSG_SPACE(sizeof(in_pktinfo));
        cmsghdr* c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    }
}

UdpPort::~UdpPort() {
    close(fd_);
}

std::uint32_t UdpPort::parse_address(const char* text) {
    in_addr address{};
    if (inet_pton(AF_INET, text, &address) != 1) throw std::runtime_error(std::string("not an IPv4 address: ") + text);
    return ntohl(address.s_addr);
}

std::string UdpPort::name_of(std::uint32_t client) const {
    const in_addr address{htonl(base_ + client)};
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &address, text.data(), text.size());
    return std::string(text.data()) + " " + std::to_string(port_);
}

std::span<std::uint8_t> UdpPort::room() {
    if (queued_ == kBatch) flush();
    return out_->bytes[queued_];
}

void UdpPort::commit(std::size_t size, std::uint32_t client, const sockaddr_in& to) {
    out_->pieces[queued_].iov_len = size;
    out_->names[queued_] = to;
    in_pktinfo from{};
    from.ipi_spec_dst.s_addr = htonl(base_ + client);
    std::memcpy(CMSG_DATA(CMSG_FIRSTHDR(&out_->messages[queued_].msg_hdr)), &from, sizeof from);
    ++queued_;
}

void UdpPort::flush() {
    std::size_t sent = 0;
    while (sent < queued_) {
        const int count = sendmmsg(fd_, &out_->messages[sent], static_cast<unsigned>(queued_ - sent), 0);
        if (count > 0) {
            sent += static_cast<std::size_t>(count);
        } else if (errno != EINTR) {
            ++send_failures_;
            ++sent;
        }
    }
    queued_ = 0;
}

std::size_t UdpPort::read_batch() {
    for (mmsghdr& m : in_->messages) m.msg_hdr.msg_controllen = kControl;
    const int count = recvmmsg(fd_, in_->messages.data(), kBatch, MSG_DONTWAIT, nullptr);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

UdpPort::Arrival UdpPort::arrival(std::size_t index) const {
    mmsghdr& message = in_->messages[index];
    Arrival result{.bytes = std::span(in_->bytes[index]).first(message.msg_len)};
    for (cmsghdr* c = CMSG_FIRSTHDR(&message.msg_hdr); c; c = CMSG_NXTHDR(&message.msg_hdr, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            in_pktinfo info;
            std::memcpy(&info, CMSG_DATA(c), sizeof info);
            result.client = ntohl(info.ipi_addr.s_addr) - base_;
            result.known = true;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            timespec at;
            std::memcpy(&at, CMSG_DATA(c), sizeof at);
            result.at = at.tv_sec * kSecond + at.tv_nsec;
        }
    }
    return result;
}

std::uint64_t UdpPort::drops() const {
    std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
    socklen_t size = sizeof info;
    if (getsockopt(fd_, SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0) return 0;
    return info[SK_MEMINFO_DROPS];
}

}  // namespace bench
