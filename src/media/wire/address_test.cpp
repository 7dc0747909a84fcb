#include "media/wire/address.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

#include "media/wire/demux.hpp"

namespace media::wire {
namespace {

TEST(TransportAddress, ReadsAndWritesBothFamilies) {
    EXPECT_EQ(TransportAddress::parse("192.0.2.1", 5)->ip_text(), "192.0.2.1");
    EXPECT_EQ(TransportAddress::parse("2001:db8:0:0::1", 5)->ip_text(), "2001:db8::1");
    EXPECT_EQ(TransportAddress::parse("192.0.2.1", 5), TransportAddress::v4(192, 0, 2, 1, 5));
    for (const auto* text : {"", "192.0.2", "192.0.2.256", "host", "::g", "[::1]", "1:2:3:4:5:6:7:8:9"}) {
        EXPECT_FALSE(TransportAddress::parse(text, 1)) << text;
    }
    EXPECT_FALSE(TransportAddress::parse(std::string(200, '1'), 1));
}

TEST(TransportAddress, UnmapsOnlyMappedAddresses) {
    EXPECT_EQ(TransportAddress::parse("::ffff:192.0.2.1", 7)->unmapped(), TransportAddress::v4(192, 0, 2, 1, 7));
    const auto v6 = *TransportAddress::parse("2001:db8::1", 7);
    EXPECT_EQ(v6.unmapped(), v6);
}

TEST(TransportAddress, EveryPartCountsForEqualityAndHash) {
    const std::unordered_set<TransportAddress> set{
        TransportAddress::v4(1, 2, 3, 4, 5), TransportAddress::v4(1, 2, 3, 4, 6), TransportAddress::v4(1, 2, 3, 5, 5),
        *TransportAddress::parse("102:304::", 5), TransportAddress::v4(1, 2, 3, 4, 5)};
    EXPECT_EQ(set.size(), 4U);
    std::unordered_set<std::size_t> hashes;
    for (const auto& address : set) hashes.insert(std::hash<TransportAddress>{}(address));
    EXPECT_EQ(hashes.size(), 4U);
}

TEST(Demux, FollowsRfc7983) {
    const auto kind = [](std::initializer_list<std::uint8_t> bytes) { return classify(core::Bytes(bytes)); };
    EXPECT_EQ(kind({}), PacketKind::unknown);
    EXPECT_EQ(kind({0, 1}), PacketKind::stun);
    EXPECT_EQ(kind({3}), PacketKind::stun);
    EXPECT_EQ(kind({4, 0}), PacketKind::unknown);
    EXPECT_EQ(kind({20}), PacketKind::dtls);
    EXPECT_EQ(kind({63}), PacketKind::dtls);
    EXPECT_EQ(kind({64, 0}), PacketKind::unknown);
    EXPECT_EQ(kind({128}), PacketKind::unknown);
    EXPECT_EQ(kind({128, 111}), PacketKind::rtp);
    EXPECT_EQ(kind({128, 0x80 | 111}), PacketKind::rtp);
    EXPECT_EQ(kind({0x90, 63}), PacketKind::rtp);
    EXPECT_EQ(kind({128, 200}), PacketKind::rtcp);
    EXPECT_EQ(kind({0x8F, 206}), PacketKind::rtcp);
    EXPECT_EQ(kind({128, 192}), PacketKind::rtcp);
    EXPECT_EQ(kind({128, 223}), PacketKind::rtcp);
    EXPECT_EQ(kind({191, 224}), PacketKind::rtp);
    EXPECT_EQ(kind({192, 200}), PacketKind::unknown);
}

TEST(Demux, RequestForRepeatsIsToldByItsFirstBytes) {
    EXPECT_TRUE(is_lone_nack(core::Bytes{0x81, 205, 0, 3}));
    EXPECT_TRUE(is_lone_nack(core::Bytes{0xA1, 205})) << "padded";
    EXPECT_FALSE(is_lone_nack(core::Bytes{0x8F, 205, 0, 3})) << "transport-wide feedback";
    EXPECT_FALSE(is_lone_nack(core::Bytes{0x81, 206, 0, 2})) << "a key frame is asked for";
    EXPECT_FALSE(is_lone_nack(core::Bytes{0x81, 201, 0, 7})) << "a report stands first";
    EXPECT_FALSE(is_lone_nack(core::Bytes{0x81}));
}

}  // namespace
}  // namespace media::wire
