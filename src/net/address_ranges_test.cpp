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

TEST(AddressRanges, PublicAddressesAreThoseOfEverybody) {
    for (const auto* text : {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "223.255.255.255",
                             "2a00:1450::1", "64:ff9b::808:808", "2002:808:808::1"}) {
        EXPECT_TRUE(is_public(*parse_address(text))) << text;
    }
    for (const auto* text : {"0.0.0.0",
                             "10.1.2.3",
                             "100.64.0.1",
                             "127.0.0.1",
                             "127.255.0.1",
                             "169.254.169.254",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.1.1",
                             "198.18.0.1",
                             "224.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::ffff:10.0.0.1",
                             "::127.0.0.1",
                             "fc00::1",
                             "fd00:ec2::254",
                             "fe80::1",
                             "ff02::1",
                             "2001:db8::1",
                             "64:ff9b::a00:1",
                             "64:ff9b::7f00:1",
                             "2002:a9fe:a9fe::1",
                             "2002:7f00:1::"}) {
        EXPECT_FALSE(is_public(*parse_address(text))) << text;
    }
}

}  // namespace
}  // namespace net
