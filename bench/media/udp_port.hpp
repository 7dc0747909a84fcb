// One UDP socket that stands for thousands of clients: each has an IP address of its own and all share the port, so a
// server sees as many peers, while packets leave and arrive in batches. The loopback interface answers for every
// address of 127.0.0.0/8, so nothing has to be configured.
//
// The socket is read on a beat, never waited for: a reader that sleeps would have to be woken by whoever sends, and on
// one machine that is the server, whose CPU time is what is measured. Arrival times are the kernel's, so the beat does
// not show in them. Owned by one worker, used on its thread only.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "measure.hpp"

namespace bench {

class UdpPort {
  public:
    static constexpr std::size_t kDatagram = 2048;
    static constexpr std::size_t kBatch = 64;

    /// `base` is the IPv4 address (host order) of client 0. Throws std::runtime_error when the socket cannot be had.
    explicit UdpPort(std::uint32_t base);
    ~UdpPort();
    UdpPort(const UdpPort&) = delete;
    UdpPort& operator=(const UdpPort&) = delete;

    /// Where the next datagram is to be written: `kDatagram` bytes, valid until `commit` or the next call.
    std::span<std::uint8_t> room();
    /// Queues the first `size` bytes of it, from this client's address.
    void commit(std::size_t size, std::uint32_t client, const sockaddr_in& to);
    void flush();

    /// Calls `each(client, std::span<std::uint8_t> datagram, Nanos arrived)` for what has come, at most a few thousand.
    template <class Each>
    void receive(Each&& each) {
        for (int round = 0; round < 64; ++round) {
            const std::size_t count = read_batch();
            for (std::size_t i = 0; i < count; ++i) {
                const Arrival a = arrival(i);
                if (a.known) each(a.client, a.bytes, a.at);
            }
            if (count < kBatch) return;
        }
    }

    /// Datagrams that did not fit into the socket's buffer, since it was made.
    std::uint64_t drops() const;
    std::uint64_t send_failures() const { return send_failures_; }
    /// `ADDRESS PORT` of that client.
    std::string name_of(std::uint32_t client) const;
    static std::uint32_t parse_address(const char* text);

  private:
    struct Slots;
    struct Arrival {
        std::span<std::uint8_t> bytes;
        std::uint32_t client = 0;
        Nanos at = 0;
        bool known = false;
    };
    std::size_t read_batch();
    Arrival arrival(std::size_t index) const;

    std::uint32_t base_;
    int fd_ = -1;
    std::uint16_t port_ = 0;
    std::unique_ptr<Slots> in_;
    std::unique_ptr<Slots> out_;
    std::size_t queued_ = 0;
    std::uint64_t send_failures_ = 0;
};

}  // namespace bench
