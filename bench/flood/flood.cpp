// Floods a media port with datagrams that nobody asked for: see kUsage. Prints how many it sent, as JSON.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr const char* kUsage =
    R"(bench_flood KIND ADDRESS PORT RATE SECONDS
    KIND     rubbish  any bytes, of any length
             stun     connectivity checks of somebody unknown, with a password that is none
             dtls     first flights of handshakes
             srtp     what looks like encrypted media
    ADDRESS  of 127.0.0.0/8; the datagrams come from 256 ports of as many addresses there
    RATE     datagrams a second
)";

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kSockets = 256;
constexpr std::size_t kLongest = 1400;

class Maker {
  public:
    explicit Maker(std::string kind) : kind_(std::move(kind)) {
        if (kind_ != "rubbish" && kind_ != "stun" && kind_ != "dtls" && kind_ != "srtp") {
            throw std::runtime_error("no such kind: " + kind_);
        }
    }

    /// The next datagram; its length.
    std::size_t write(std::span<std::uint8_t, kLongest> out) {
        if (kind_ == "stun") return write_stun(out);
        if (kind_ == "dtls") return write_dtls(out);
        const std::size_t size = kind_ == "srtp" ? 1100 : 1 + random_() % kLongest;
        fill(out.first(size));
        if (kind_ == "srtp") {
            out[0] = 0x80;
            out[1] = 96 + random_() % 20;
        }
        return size;
    }

  private:
    void fill(std::span<std::uint8_t> out) {
        for (std::size_t i = 0; i < out.size(); i += 4) {
            const std::uint32_t word = random_();
            std::memcpy(&out[i], &word, std::min<std::size_t>(4, out.size() - i));
        }
    }
    static void store_u16(std::span<std::uint8_t> out, std::size_t at, std::size_t value) {
        out[at] = static_cast<std::uint8_t>(value >> 8);
        out[at + 1] = static_cast<std::uint8_t>(value);
    }
    /// RFC 8489: a binding request with USERNAME, MESSAGE-INTEGRITY and FINGERPRINT, the last two made up.
    std::size_t write_stun(std::span<std::uint8_t> out) {
        constexpr std::size_t kSize = 20 + 4 + 12 + 4 + 20 + 4 + 4;
        fill(out.first(kSize));
        store_u16(out, 0, 0x0001);
        store_u16(out, 2, kSize - 20);
        constexpr std::array<std::uint8_t, 4> kCookie = {0x21, 0x12, 0xa4, 0x42};
        std::memcpy(&out[4], kCookie.data(), kCookie.size());
        store_u16(out, 20, 0x0006);
        store_u16(out, 22, 12);
        for (std::size_t i = 0; i < 12; ++i)
            out[24 + i] = i == 7 ? ':' : static_cast<std::uint8_t>('a' + out[24 + i] % 26);
        store_u16(out, 36, 0x0008);
        store_u16(out, 38, 20);
        store_u16(out, 60, 0x8028);
        store_u16(out, 62, 4);
        return kSize;
    }
    /// RFC 6347: a handshake record with a first fragment of a ClientHello.
    std::size_t write_dtls(std::span<std::uint8_t> out) {
        constexpr std::size_t kBody = 1200;
        const std::size_t size = 13 + 12 + kBody;
        fill(out.first(size));
        constexpr std::array<std::uint8_t, 11> kRecord = {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0};
        std::memcpy(out.data(), kRecord.data(), kRecord.size());
        store_u16(out, 11, 12 + kBody);
        constexpr std::array<std::uint8_t, 9> kHandshake = {1, 0, 5, 220, 0, 0, 0, 0, 0};
        std::memcpy(&out[13], kHandshake.data(), kHandshake.size());
        out[22] = 0;
        store_u16(out, 23, kBody);
        return size;
    }

    std::string kind_;
    std::minstd_rand random_{1};
};

int bound_socket(std::uint32_t number) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(0x7f640001U + number);
    if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
        throw std::runtime_error(std::string("no socket: ") + std::strerror(errno));
    }
    return fd;
}

std::uint64_t flood(const std::string& kind, const sockaddr_in& to, double rate, double seconds) {
    Maker maker(kind);
    std::vector<int> sockets;
    for (std::uint32_t i = 0; i < kSockets; ++i) sockets.push_back(bound_socket(i));
    std::vector<std::array<std::uint8_t, kLongest>> bytes(kBatch);
    std::array<iovec, kBatch> vectors{};
    std::array<mmsghdr, kBatch> headers{};
    sockaddr_in name = to;
    std::uint64_t sent = 0;
    std::uint64_t asked = 0;
    const auto begun = Clock::now();
    const auto end = begun + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    for (std::size_t turn = 0; Clock::now() < end; ++turn) {
        for (std::size_t i = 0; i < kBatch; ++i) {
            vectors[i] = {bytes[i].data(), maker.write(bytes[i])};
            headers[i] = {};
            headers[i].msg_hdr.msg_iov = &vectors[i];
            headers[i].msg_hdr.msg_iovlen = 1;
            headers[i].msg_hdr.msg_name = &name;
            headers[i].msg_hdr.msg_namelen = sizeof name;
        }
        const int count = sendmmsg(sockets[turn % kSockets], headers.data(), kBatch, 0);
        if (count > 0) sent += static_cast<std::uint64_t>(count);
        asked += kBatch;
        std::this_thread::sleep_until(begun + std::chrono::duration_cast<Clock::duration>(
                                                  std::chrono::duration<double>(static_cast<double>(asked) / rate)));
    }
    for (const int fd : sockets) close(fd);
    return sent;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    try {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(std::stoul(argv[3])));
        if (inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 || (ntohl(to.sin_addr.s_addr) >> 24) != 127) {
            throw std::runtime_error("only addresses of this machine (127.0.0.0/8) are flooded");
        }
        const double seconds = std::stod(argv[5]);
        const std::uint64_t sent = flood(argv[1], to, std::stod(argv[4]), seconds);
        std::printf("{\"sent\":%llu,\"a_second\":%.0f}\n", static_cast<unsigned long long>(sent),
                    static_cast<double>(sent) / seconds);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_flood: %s\n", error.what());
        return 1;
    }
}
