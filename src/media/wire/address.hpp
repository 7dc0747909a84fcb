// Where a datagram came from or goes to, as a plain value: no socket types, so machines without sockets can use it.
// A value type; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace media::wire {

struct TransportAddress {
    std::array<std::uint8_t, 16> bytes{};  ///< Network order; IPv4 fills the first four, the rest stays zero.
    bool is_v6 = false;
    std::uint16_t port = 0;

    static constexpr TransportAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                                         std::uint16_t port) {
        TransportAddress address;
        address.bytes[0] = a;
        address.bytes[1] = b;
        address.bytes[2] = c;
        address.bytes[3] = d;
        address.port = port;
        return address;
    }

    /// Reads `192.0.2.1` or `2001:db8::1` (no brackets, no zone).
    static std::optional<TransportAddress> parse(std::string_view ip, std::uint16_t port);

    std::span<const std::uint8_t> ip() const { return {bytes.data(), is_v6 ? 16U : 4U}; }

    /// The address alone, as SDP wants it: `192.0.2.1`, `2001:db8::1`.
    std::string ip_text() const;

    /// IPv4 for an IPv4-mapped IPv6 address (what a dual-stack socket reports), itself otherwise.
    TransportAddress unmapped() const;

    friend bool operator==(const TransportAddress&, const TransportAddress&) = default;
    friend auto operator<=>(const TransportAddress&, const TransportAddress&) = default;
};

}  // namespace media::wire

template <>
struct std::hash<media::wire::TransportAddress> {
    std::size_t operator()(const media::wire::TransportAddress& address) const noexcept {
        std::uint64_t low = 0;
        std::uint64_t high = 0;
        std::memcpy(&low, address.bytes.data(), 8);
        std::memcpy(&high, address.bytes.data() + 8, 8);
        std::uint64_t mixed = low ^ (high * 0x9E3779B97F4A7C15ULL) ^ (std::uint64_t{address.port} << 40) ^
                              (std::uint64_t{address.is_v6} << 63);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
        return static_cast<std::size_t>(mixed ^ (mixed >> 31));
    }
};
