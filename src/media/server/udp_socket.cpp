#include "media/server/udp_socket.hpp"

#include <array>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>

namespace media::server {

namespace {

constexpr std::size_t kControl = 128;
constexpr int kKernelQueue = 4 * 1024 * 1024;
/// Batches read before other work of the thread gets its turn.
constexpr int kBatchesAtOnce = 8;

core::Error bind_error(const std::string& address, std::uint16_t port, const boost::system::error_code& error) {
    return {core::ErrorKind::unavailable,
            "cannot listen on UDP " + address + " port " + std::to_string(port) + ": " + error.message()};
}

}  // namespace

/// Room for one batch, and the kernel's view of it.
struct UdpSocket::Slots {
    std::array<std::array<std::uint8_t, kMaxDatagram>, kBatch> bytes;
    std::array<sockaddr_storage, kBatch> names;
    std::array<std::array<std::uint8_t, kControl>, kBatch> controls;
    std::array<iovec, kBatch> vectors;
    std::array<mmsghdr, kBatch> headers;

    Slots() {
        for (std::size_t i = 0; i < kBatch; ++i) prepare(i);
    }
    void prepare(std::size_t i) {
        vectors[i] = {bytes[i].data(), kMaxDatagram};
        headers[i] = {};
        headers[i].msg_hdr.msg_name = &names[i];
        headers[i].msg_hdr.msg_namelen = sizeof names[i];
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_control = controls[i].data();
        headers[i].msg_hdr.msg_controllen = kControl;
    }
};

core::Result<std::unique_ptr<UdpSocket>> UdpSocket::open(boost::asio::io_context& context, const std::string& address,
                                                         std::uint16_t port) {
    namespace ip = boost::asio::ip;
    boost::system::error_code error;
    const auto ip_address = ip::make_address(address, error);
    if (error) {
        return core::fail(core::ErrorKind::invalid, "not an IP address: " + address);
    }
    const ip::udp::endpoint endpoint(ip_address, port);
    ip::udp::socket socket(context);
    socket.open(endpoint.protocol(), error);
    if (error) return std::unexpected(bind_error(address, port, error));
    const int fd = socket.native_handle();
    const int on = 1;
    if (ip_address.is_v6()) {
        socket.set_option(ip::v6_only(true), error);
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    } else {
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    }
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    // The kernel grants what its limit allows; less is no reason to fail.
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kKernelQueue, sizeof kKernelQueue);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kKernelQueue, sizeof kKernelQueue);
    socket.bind(endpoint, error);
    if (error) return std::unexpected(bind_error(address, port, error));
    socket.non_blocking(true, error);
    if (error) return std::unexpected(bind_error(address, port, error));
    return std::unique_ptr<UdpSocket>(new UdpSocket(context, std::move(socket)));
}

UdpSocket::UdpSocket(boost::asio::io_context&, boost::asio::ip::udp::socket socket)
    : socket_(std::move(socket)), in_(std::make_unique<Slots>()), out_(socket_.local_endpoint().address().is_v6()) {
    const auto local = socket_.local_endpoint();
    port_ = local.port();
    v6_ = local.address().is_v6();
}

UdpSocket::~UdpSocket() = default;

void UdpSocket::start(UdpReceiver& receiver) {
    receiver_ = &receiver;
    wait();
}

void UdpSocket::wait() {
    socket_.async_wait(boost::asio::ip::udp::socket::wait_read, [this](const boost::system::error_code& error) {
        if (error) return;  // Cancelled: the socket is going away, and `this` may be gone.
        read_batches();
        wait();
    });
}

void UdpSocket::read_batches() {
    for (int round = 0; round < kBatchesAtOnce; ++round) {
        for (std::size_t i = 0; i < kBatch; ++i) in_->prepare(i);
        const int count = recvmmsg(socket_.native_handle(), in_->headers.data(), kBatch, MSG_DONTWAIT, nullptr);
        if (count <= 0) {
            if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) ++counters_.read_errors;
            receiver_->on_batch_end({});
            break;
        }
        const auto now = transport::Instant::clock::now();
        const auto wall = std::chrono::system_clock::now();
        transport::Duration behind{};
        for (int n = 0; n < count; ++n) {
            const auto i = static_cast<std::size_t>(n);
            const mmsghdr& header = in_->headers[i];
            if (header.msg_hdr.msg_flags & MSG_TRUNC) {
                ++counters_.truncated;
                continue;
            }
            const auto from = address_from(in_->names[i]);
            if (!from) continue;
            ++counters_.received;
            counters_.bytes_received += header.msg_len;
            Datagram datagram{std::span(in_->bytes[i]).first(header.msg_len), *from, {}, now};
            const auto control = read_control(header.msg_hdr);
            datagram.to = control.local;
            if (control.arrived) {
                const auto age = wall - *control.arrived;
                // A step of the wall clock in between must not make the past out of the present.
                if (age > std::chrono::nanoseconds(0) && age < std::chrono::seconds(1)) datagram.arrived = now - age;
            }
            behind = std::chrono::duration_cast<transport::Duration>(now - datagram.arrived);
            receiver_->on_datagram(*this, datagram);
        }
        const bool more = static_cast<std::size_t>(count) == kBatch;
        receiver_->on_batch_end(more ? behind : transport::Duration{});
        if (!more) break;
    }
}

void UdpSocket::queue(core::BytesView bytes, const wire::TransportAddress& to, const LocalAddress& from) {
    if (out_.full()) flush();
    if (!out_.add(bytes, to, from)) {
        ++counters_.not_sent;
        return;
    }
    counters_.bytes_queued += bytes.size();
}

void UdpSocket::flush() {
    const SendBatch::Outcome outcome = out_.send(socket_.native_handle());
    counters_.sent += outcome.sent;
    counters_.not_sent += outcome.not_sent;
    counters_.messages += outcome.messages;
}

}  // namespace media::server
