#include "net/address_ranges.hpp"

#include <gtest/gtest.h>

#include <string>

namespace net {
namespace {

namespace ip = boost::asio::ip;

bool holds(const std::string& range, const std::string& address) {
    const auto parsed = AddressRange::parse(range);
    EXPECT_TRUE(parsed.has_value()) << range;
    return parsed && parsed->contains(ip::make_address(address));
}

TEST(AddressRange, HoldsWhatSharesItsPrefix) {
    EXPECT_TRUE(holds("10.0.0.0/8", "10.255.3.4"));
    EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
    EXPECT_TRUE(holds("192.0.2.128/25", "192.0.2.129"));
    EXPECT_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
    EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
    EXPECT_FALSE(holds("192.0.2.7", "192.0.2.6"));
    EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
    EXPECT_TRUE(holds("192.0.2.9/24", "192.0.2.200")) << "bits behind the prefix do not count";
    EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(holds("::1", "::1"));
    EXPECT_TRUE(holds("[::1]", "::1"));
    EXPECT_TRUE(holds("fe80::/10", "fe80::1%1"));
}

TEST(AddressRange, AFamilyHoldsNothingOfTheOther) {
    EXPECT_FALSE(holds("::/0", "192.0.2.1"));
    EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(holds("192.0.2.0/24", "::ffff:192.0.2.1")) << "IPv4 in IPv6 clothes is IPv4";
    EXPECT_TRUE(holds("::ffff:192.0.2.1", "192.0.2.1"));
}

TEST(AddressRange, TakesNothingElse) {
    for (const auto* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/8 ",
                             "10.0.0", "10.0.0.256", "2001:db8::/129", "::ffff:10.0.0.0/104", "fe80::1%eth0",
                             "[192.0.2.1]", "[::1", "example.org", "10.0.0.0/+8", "1.2.3.4.5"}) {
        EXPECT_FALSE(AddressRange::parse(text).has_value()) << text;
    }
}

TEST(AddressRanges, HoldWhatAnyHolds) {
    AddressRanges ranges;
    EXPECT_TRUE(ranges.empty());
    EXPECT_FALSE(ranges.contains(ip::make_address("10.0.0.1")));
    ranges.add(*AddressRange::parse("10.0.0.0/8"));
    ranges.add(*AddressRange::parse("fd00::/8"));
    EXPECT_TRUE(ranges.contains(ip::make_address("10.0.0.1")));
    EXPECT_TRUE(ranges.contains(ip::make_address("fd12::1")));
    EXPECT_FALSE(ranges.contains(ip::make_address("192.0.2.1")));
}

}  // namespace
}  // namespace net
