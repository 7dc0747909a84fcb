#include "ceiling.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <deque>
#include <stdexcept>
#include <thread>

#include "core/bytes.hpp"
#include "media/transport/srtp.hpp"
#include "media/wire/byte_io.hpp"

namespace bench {

namespace {

using media::transport::SrtpProfile;
using media::transport::SrtpSession;

constexpr std::size_t kReceivers = 1000;  ///< Sessions and addresses: as if so many participants listened.
constexpr std::size_t kBatch = 64;
constexpr std::size_t kSegments = 32;
constexpr std::size_t kPacket = 2048;

void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

double thread_seconds() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

int udp_socket() {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw std::runtime_error("no UDP socket to be had");
    // With "don't fragment" the kernel need not think of an identification for each packet.
    const int probe = IP_PMTUDISC_PROBE;
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
    const int size = 64 * 1024 * 1024;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fd;
}

/// Takes and forgets what arrives, on a beat as the load tool does.
class Drain {
  public:
    explicit Drain(int core) : fd_(udp_socket()) {
        sockaddr_in any{};
        any.sin_family = AF_INET;
        socklen_t size = sizeof any;
        if (bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0)
            throw std::runtime_error("no port to be had");
        getsockname(fd_, reinterpret_cast<sockaddr*>(&any), &size);
        port_ = any.sin_port;
        thread_ = std::thread([this, core] {
            pin(core);
            run();
        });
    }
    ~Drain() {
        stop_ = true;
        thread_.join();
        close(fd_);
    }
    Drain(const Drain&) = delete;
    Drain& operator=(const Drain&) = delete;
    in_port_t port() const { return port_; }

  private:
    void run() {
        std::vector<std::array<std::uint8_t, kPacket>> rooms(kBatch);
        std::array<iovec, kBatch> pieces;
        std::array<mmsghdr, kBatch> messages{};
        for (std::size_t i = 0; i < kBatch; ++i) {
            pieces[i] = {rooms[i].data(), kPacket};
            messages[i].msg_hdr.msg_iov = &pieces[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        while (!stop_) {
            while (recvmmsg(fd_, messages.data(), kBatch, MSG_DONTWAIT, nullptr) == static_cast<int>(kBatch)) {
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    int fd_;
    in_port_t port_ = 0;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

/// The sending side: sessions, and batches of messages.
class Loop {
  public:
    Loop(const CeilingPlan& plan, in_port_t port) : plan_(plan), fd_(udp_socket()) {
        core::Bytes material(media::transport::keying_material_size(SrtpProfile::aead_aes_128_gcm));
        core::random_bytes(material);
        const auto keys = media::transport::split_keying_material(SrtpProfile::aead_aes_128_gcm, material);
        for (std::size_t i = 0; i < kReceivers; ++i) {
            sessions_.emplace_back(SrtpProfile::aead_aes_128_gcm, keys.client, keys.server);
            names_[i].sin_family = AF_INET;
            names_[i].sin_port = port;
            names_[i].sin_addr.s_addr = htonl(0x7F200001U + static_cast<std::uint32_t>(i));
        }
    }
    ~Loop() { close(fd_); }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    std::uint64_t turn() { return plan_.segmentation ? segmented() : plain(); }

  private:
    /// One encrypted packet at `to`; its size.
    std::size_t make(std::uint8_t* to, std::size_t receiver, std::size_t size) {
        const std::uint32_t number = next_++;
        to[0] = 0x80;
        to[1] = 98;
        media::wire::store_u16(to + 2, static_cast<std::uint16_t>(sequences_[receiver]++));
        media::wire::store_u32(to + 4, number);
        media::wire::store_u32(to + 8, 7);
        const auto packet = sessions_[receiver].protect_rtp({to, kPacket}, size);
        return packet ? packet->size() : 0;
    }
    std::uint64_t plain() {
        std::array<iovec, kBatch> pieces;
        std::array<mmsghdr, kBatch> messages{};
        for (std::size_t i = 0; i < kBatch; ++i) {
            const std::size_t receiver = next_ % kReceivers;
            pieces[i] = {rooms_[i].data(), make(rooms_[i].data(), receiver, plan_.sizes[at_++ % plan_.sizes.size()])};
            messages[i].msg_hdr = {&names_[receiver], sizeof(sockaddr_in), &pieces[i], 1, nullptr, 0, 0};
        }
        return send(messages.data(), kBatch);
    }
    /// Each message holds packets of one size for one receiver, as a burst of a stream does.
    std::uint64_t segmented() {
        constexpr std::size_t kMessages = kBatch / kSegments;
        std::array<iovec, kBatch> pieces;
        std::array<mmsghdr, kMessages> messages{};
        struct alignas(cmsghdr) Control {
            std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> bytes{};
        };
        std::array<Control, kMessages> control;
        for (std::size_t m = 0; m < kMessages; ++m) {
            const std::size_t receiver = turn_++ % kReceivers;
            const std::size_t size = plan_.sizes[at_++ % plan_.sizes.size()];
            std::uint16_t segment = 0;
            for (std::size_t i = m * kSegments; i < (m + 1) * kSegments; ++i) {
                segment = static_cast<std::uint16_t>(make(rooms_[i].data(), receiver, size));
                pieces[i] = {rooms_[i].data(), segment};
            }
            messages[m].msg_hdr = {&names_[receiver],
                                   sizeof(sockaddr_in),
                                   &pieces[m * kSegments],
                                   kSegments,
                                   control[m].bytes.data(),
                                   control[m].bytes.size(),
                                   0};
            cmsghdr* c = CMSG_FIRSTHDR(&messages[m].msg_hdr);
            c->cmsg_level = SOL_UDP;
            c->cmsg_type = UDP_SEGMENT;
            c->cmsg_len = CMSG_LEN(sizeof segment);
            std::memcpy(CMSG_DATA(c), &segment, sizeof segment);
        }
        return send(messages.data(), kMessages) * kSegments;
    }
    std::uint64_t send(mmsghdr* messages, std::size_t count) {
        std::size_t sent = 0;
        while (sent < count) {
            const int done = sendmmsg(fd_, messages + sent, static_cast<unsigned>(count - sent), 0);
            if (done < 0 && errno != EINTR) throw std::runtime_error(std::string("sendmmsg: ") + std::strerror(errno));
            if (done > 0) sent += static_cast<std::size_t>(done);
        }
        return sent;
    }

    const CeilingPlan& plan_;
    int fd_;
    std::deque<SrtpSession> sessions_;
    std::array<sockaddr_in, kReceivers> names_{};
    std::array<std::uint16_t, kReceivers> sequences_{};
    std::vector<std::array<std::uint8_t, kPacket>> rooms_ = std::vector<std::array<std::uint8_t, kPacket>>(kBatch);
    std::uint32_t next_ = 0;
    std::size_t at_ = 0;
    std::size_t turn_ = 0;
};

}  // namespace

Ceiling measure_ceiling(const CeilingPlan& plan) {
    using Clock = std::chrono::steady_clock;
    const Drain drain(plan.reader_core);
    Ceiling result;
    std::exception_ptr failure;
    std::thread sender([&] {
        try {
            pin(plan.sender_core);
            Loop loop(plan, drain.port());
            for (int i = 0; i < 100; ++i) loop.turn();
            const auto began = Clock::now();
            const double cpu_began = thread_seconds();
            std::uint64_t packets = 0;
            while (Clock::now() - began < std::chrono::duration<double>(plan.seconds)) packets += loop.turn();
            const std::chrono::duration<double> passed = Clock::now() - began;
            const double cpu = thread_seconds() - cpu_began;
            result = {static_cast<double>(packets) / cpu, cpu / passed.count()};
        } catch (...) {
            failure = std::current_exception();
        }
    });
    sender.join();
    if (failure) std::rethrow_exception(failure);
    return result;
}

}  // namespace bench
