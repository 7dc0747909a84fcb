// IP addresses and ranges of them, as an operator writes them down.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace net {

/// The address of an IP literal: `192.0.2.1`, `2001:db8::1`, the latter also in brackets. IPv4 in IPv6 clothes
/// (`::ffff:192.0.2.1`) comes as IPv4. No zone (`%eth0`), no port.
std::optional<boost::asio::ip::address> parse_address(std::string_view text);

/// `::ffff:192.0.2.1` as `192.0.2.1`; everything else as it is.
boost::asio::ip::address without_mapping(const boost::asio::ip::address& address);

/// One address, or all that share its first bits (CIDR, RFC 4632 and RFC 4291 section 2.3).
class AddressRange {
  public:
    /// `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`. Bits behind the prefix do not count.
    static std::optional<AddressRange> parse(std::string_view text);

    bool contains(const boost::asio::ip::address& address) const;

  private:
    std::array<std::uint8_t, 16> bytes_{};
    bool is_v6_ = false;
    unsigned bits_ = 0;
};

/// Whether the address can be anybody's on the Internet, by the IANA special-purpose registries (RFC 6890): not this
/// machine, a private network, the own link, a group, or an IPv6 form that leads to such an IPv4 address.
bool is_public(const boost::asio::ip::address& address);

/// Several ranges. Set up before the threads start, then read by any.
class AddressRanges {
  public:
    void add(const AddressRange& range) { ranges_.push_back(range); }
    bool empty() const { return ranges_.empty(); }
    bool contains(const boost::asio::ip::address& address) const;

  private:
    std::vector<AddressRange> ranges_;
};

}  // namespace net
