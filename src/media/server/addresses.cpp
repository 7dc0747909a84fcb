#include "media/server/addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace media::server {

namespace {

constexpr std::size_t kMaxAddresses = 16;

/// Text form, or empty when the address is of no use to a client.
std::string usable_text(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, address, sizeof v4);
        if (!inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size())) return {};
        return text.data();
    }
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, address, sizeof v6);
        if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) return {};
        if (!inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size())) return {};
        return text.data();
    }
    return {};
}

}  // namespace

std::vector<std::string> machine_addresses() {
    std::vector<std::string> outward;
    std::vector<std::string> loopback;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return {"127.0.0.1"};
    for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
        if (!entry->ifa_addr || !(entry->ifa_flags & IFF_UP)) continue;
        std::string text = usable_text(entry->ifa_addr);
        if (text.empty()) continue;
        auto& into = entry->ifa_flags & IFF_LOOPBACK ? loopback : outward;
        if (std::ranges::find(into, text) == into.end()) into.push_back(std::move(text));
    }
    freeifaddrs(list);
    outward.insert(outward.end(), loopback.begin(), loopback.end());
    if (outward.size() > kMaxAddresses) outward.resize(kMaxAddresses);
    if (outward.empty()) outward.emplace_back("127.0.0.1");
    return outward;
}

bool machine_has_v6() {
    const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
    close(fd);
    return bound;
}

}  // namespace media::server
