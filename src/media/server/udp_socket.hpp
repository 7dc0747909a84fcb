// One bound UDP socket, read and written in batches (recvmmsg, sendmmsg).
//
// Owned by a MediaThread and used on it only; the event loop must outlive it. After `open` nothing is allocated per
// datagram. The address a datagram was sent to is kept, so that on a machine with several addresses the answer leaves
// from the one the peer has checked.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "media/server/send_batch.hpp"
#include "media/server/socket_address.hpp"
#include "media/transport/path.hpp"

namespace media::server {

struct UdpCounters {
    std::uint64_t received = 0;
    std::uint64_t bytes_received = 0, bytes_queued = 0;  ///< Of datagrams, without IP and UDP headers.
    std::uint64_t truncated = 0;                         ///< Longer than a datagram may be; dropped.
    std::uint64_t sent = 0;
    std::uint64_t messages = 0;  ///< What they were given to the kernel in.
    std::uint64_t not_sent = 0;  ///< The kernel's queue was full, or there was no route; dropped.
    std::uint64_t read_errors = 0;
};

/// One received datagram. The bytes may be changed in place; they are gone when the receiver returns.
struct Datagram {
    std::span<std::uint8_t> bytes;
    wire::TransportAddress from;
    LocalAddress to;
    transport::Instant arrived;  ///< By the kernel's clock, moved to the monotonic one.
};

class UdpReceiver {
  public:
    virtual ~UdpReceiver() = default;
    virtual void on_datagram(class UdpSocket& socket, const Datagram& datagram) = 0;
    /// After the last datagram of a batch: time to flush what was queued. `behind`: how long the datagrams that follow
    /// have waited already; none: zero.
    virtual void on_batch_end(transport::Duration behind) = 0;
};

class UdpSocket {
  public:
    static constexpr std::size_t kMaxDatagram = SendBatch::kMaxDatagram;
    static constexpr std::size_t kBatch = 32;

    /// `address` is an IP address; `port` 0 takes a free one.
    static core::Result<std::unique_ptr<UdpSocket>> open(boost::asio::io_context& context, const std::string& address,
                                                         std::uint16_t port);
    UdpSocket(const UdpSocket&) = delete;
    UdpSocket& operator=(const UdpSocket&) = delete;

    std::uint16_t port() const { return port_; }
    bool is_v6() const { return v6_; }

    /// Begins to read. `receiver` must stay until the event loop has stopped or the socket is gone.
    void start(UdpReceiver& receiver);
    /// Copies the datagram into the batch; a full batch is sent at once.
    void queue(core::BytesView bytes, const wire::TransportAddress& to, const LocalAddress& from);
    void flush();

    const UdpCounters& counters() const { return counters_; }

  private:
    struct Slots;
    UdpSocket(boost::asio::io_context& context, boost::asio::ip::udp::socket socket);
    void wait();
    void read_batches();

    boost::asio::ip::udp::socket socket_;
    std::uint16_t port_ = 0;
    bool v6_ = false;
    UdpReceiver* receiver_ = nullptr;
    std::unique_ptr<Slots> in_;
    SendBatch out_;
    UdpCounters counters_;

  public:
    ~UdpSocket();
};

}  // namespace media::server
