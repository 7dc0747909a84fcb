#include "net/address_ranges.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace net {
namespace ip = boost::asio::ip;
namespace {

constexpr std::size_t kLongestLiteral = 45;  // `ffff:` six times and an IPv4 address.

/// The bytes, and how many of the 16 are used.
std::pair<std::array<std::uint8_t, 16>, unsigned> bytes_of(const ip::address& address) {
    std::array<std::uint8_t, 16> bytes{};
    if (address.is_v6()) return {address.to_v6().to_bytes(), 16};
    std::ranges::copy(address.to_v4().to_bytes(), bytes.begin());
    return {bytes, 4};
}

}  // namespace

ip::address without_mapping(const ip::address& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

std::optional<ip::address> parse_address(std::string_view text) {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
        if (text.find(':') == std::string_view::npos) return {};
    }
    if (text.empty() || text.size() > kLongestLiteral || text.find('%') != std::string_view::npos) return {};
    boost::system::error_code error;
    const auto address = ip::make_address(std::string{text}, error);
    if (error) return {};
    return without_mapping(address);
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return {};
    AddressRange range;
    const auto [bytes, count] = bytes_of(*address);
    range.bytes_ = bytes;
    range.is_v6_ = address->is_v6();
    range.bits_ = count * 8;
    if (slash == std::string_view::npos) return range;
    const auto length = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [stop, failed] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (failed != std::errc{} || stop != length.data() + length.size() || bits > range.bits_) return {};
    // A prefix of the mapped form would count bits that the IPv4 address does not have.
    if (!range.is_v6_ && text.substr(0, slash).find(':') != std::string_view::npos) return {};
    range.bits_ = bits;
    return range;
}

bool AddressRange::contains(const ip::address& address) const {
    const auto plain = without_mapping(address);
    if (plain.is_v6() != is_v6_) return false;
    const auto [bytes, count] = bytes_of(plain);
    const auto whole = bits_ / 8;
    if (!std::equal(bytes_.begin(), bytes_.begin() + whole, bytes.begin())) return false;
    const auto rest = bits_ % 8;
    return rest == 0 || (bytes_[whole] >> (8 - rest)) == (bytes[whole] >> (8 - rest));
}

bool is_public(const ip::address& address) {
    static const auto special = [] {
        constexpr std::string_view kSpecial[] = {
            "0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24",   "192.0.2.0/24",  "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/4",   "240.0.0.0/4",    "::/96",          "64:ff9b:1::/48", "100::/64",
            "2001::/23",      "2001:db8::/32", "fc00::/7",       "fe80::/10",      "fec0::/10",      "ff00::/8"};
        AddressRanges ranges;
        for (const auto text : kSpecial) ranges.add(*AddressRange::parse(text));
        return ranges;
    }();
    if (special.contains(address)) return false;
    const auto plain = without_mapping(address);
    if (plain.is_v4()) return true;
    // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address to go on to.
    static const auto nat64 = *AddressRange::parse("64:ff9b::/96");
    static const auto six_to_four = *AddressRange::parse("2002::/16");
    const auto bytes = plain.to_v6().to_bytes();
    const std::size_t inner = nat64.contains(plain) ? 12 : (six_to_four.contains(plain) ? 2 : bytes.size());
    if (inner == bytes.size()) return true;
    ip::address_v4::bytes_type four{};
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(inner), four.size(), four.begin());
    return is_public(ip::address_v4(four));
}

bool AddressRanges::contains(const ip::address& address) const {
    return std::ranges::any_of(ranges_, [&](const AddressRange& range) { return range.contains(address); });
}

}  // namespace net
