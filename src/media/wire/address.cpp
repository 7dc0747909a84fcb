#include "media/wire/address.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace media::wire {

std::optional<TransportAddress> TransportAddress::parse(std::string_view ip, std::uint16_t port) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (ip.empty() || ip.size() >= text.size() || ip.find('\0') != std::string_view::npos) return std::nullopt;
    std::ranges::copy(ip, text.begin());
    TransportAddress address;
    address.port = port;
    address.is_v6 = ip.find(':') != std::string_view::npos;
    if (inet_pton(address.is_v6 ? AF_INET6 : AF_INET, text.data(), address.bytes.data()) != 1) return std::nullopt;
    return address;
}

std::string TransportAddress::ip_text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size()) == nullptr) return {};
    return text.data();
}

TransportAddress TransportAddress::unmapped() const {
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (!is_v6 || !std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return *this;
    return v4(bytes[12], bytes[13], bytes[14], bytes[15], port);
}

}  // namespace media::wire
