// Datagrams that leave together: one system call for all (sendmmsg), and where several of one length go to one place
// one message for them, which the kernel or the network card cuts up (UDP generic segmentation offload, udp(7)
// UDP_SEGMENT). Order within a destination is kept.
//
// Owned by a UdpSocket and used on its thread only. Allocated once.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>

#include "core/bytes.hpp"
#include "media/server/socket_address.hpp"
#include "media/wire/address.hpp"

namespace media::server {

class SendBatch {
  public:
    static constexpr std::size_t kMaxDatagram = 2048;
    static constexpr std::size_t kDatagrams = 64;

    /// `segmentation`: whether the kernel is asked to cut messages up; given up by itself where it cannot.
    explicit SendBatch(bool v6_socket, bool segmentation = true);
    ~SendBatch();
    SendBatch(const SendBatch&) = delete;
    SendBatch& operator=(const SendBatch&) = delete;

    bool full() const { return datagrams_ == kDatagrams; }
    /// Copies it. False: too long or empty, or a socket of this family cannot send there.
    bool add(core::BytesView bytes, const wire::TransportAddress& to, const LocalAddress& from);

    struct Outcome {
        std::uint64_t sent = 0;
        std::uint64_t not_sent = 0;  ///< The kernel's queue was full, or there was no way there.
        std::uint64_t messages = 0;
    };
    /// Never blocks. Empty afterwards.
    Outcome send(int fd);

  private:
    struct Room;
    struct Message;

    Message* open_message(const wire::TransportAddress& to, const LocalAddress& from, std::size_t size);
    Message* new_message(const wire::TransportAddress& to, const LocalAddress& from, std::size_t size);
    void prepare();
    Outcome send_singly(int fd, std::size_t message);

    std::unique_ptr<Room> room_;
    std::size_t datagrams_ = 0;
    std::size_t messages_ = 0;
    bool v6_;
    bool segmentation_;
};

}  // namespace media::server
