#include "api/rate_key.hpp"

#include <gtest/gtest.h>

#include <string>

namespace api {
namespace {

// The key 00 01 … 0f and texts 00 01 … of the paper's appendix A and its reference vectors.
TEST(RateKeys, HashIsSipHash) {
    constexpr std::uint64_t kLow = 0x0706050403020100, kHigh = 0x0f0e0d0c0b0a0908;
    std::string text;
    EXPECT_EQ(siphash(kLow, kHigh, text), 0x726fdb47dd0e0e31U);
    for (char c = 0; c < 15; ++c) text += c;
    EXPECT_EQ(siphash(kLow, kHigh, text), 0xa129ca6149be45e5U);
}

TEST(RateKeys, ProcessesWithOneSecretAgreeAndOthersDoNot) {
    const RateKeys one("a secret"), same("a secret"), other("another");
    EXPECT_EQ(one.of_user(1, "34"), same.of_user(1, "34"));
    EXPECT_NE(one.of_user(1, "34"), other.of_user(1, "34"));
    EXPECT_NE(one.of_user(1, "34"), one.of_user(2, "34"));
    EXPECT_NE(one.of_user(1, "34"), one.of_user(1, "35"));
}

TEST(RateKeys, OfIpv6OnlyTheNetworkCounts) {
    const RateKeys keys("a secret");
    const auto of = [&](std::string_view text) { return keys.of_address(1, text); };
    EXPECT_EQ(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    EXPECT_NE(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    EXPECT_NE(of("192.0.2.1"), of("192.0.2.2"));
    EXPECT_EQ(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    EXPECT_EQ(of("fe80::1%eth0"), of("fe80::1%eth0"));
    EXPECT_NE(of(""), of("192.0.2.1"));
}

}  // namespace
}  // namespace api
