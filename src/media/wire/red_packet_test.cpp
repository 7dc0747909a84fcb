#include "media/wire/red_packet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace media::wire {
namespace {

using core::Bytes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RedPacket, PrimaryAlone) {
    const Bytes payload{111, 0xF8, 1, 2};
    const auto red = RedPacket::parse(payload);
    ASSERT_TRUE(red);
    EXPECT_THAT(red->redundant(), IsEmpty());
    EXPECT_EQ(red->primary().payload_type, 111);
    EXPECT_EQ(red->primary().timestamp_offset, 0);
    EXPECT_THAT(red->primary().data, ElementsAre(0xF8, 1, 2));
}

TEST(RedPacket, TwoOlderFramesInFront) {
    // 1920 and 960 samples earlier, 2 and 3 bytes long.
    const Bytes payload{0x80 | 111, 0x1E, 0x00, 2, 0x80 | 111, 0x0F, 0x00, 3, 111, 1, 2, 3, 4, 5, 6};
    const auto red = RedPacket::parse(payload);
    ASSERT_TRUE(red);
    ASSERT_EQ(red->redundant().size(), 2U);
    EXPECT_EQ(red->redundant()[0].payload_type, 111);
    EXPECT_EQ(red->redundant()[0].timestamp_offset, 1920);
    EXPECT_THAT(red->redundant()[0].data, ElementsAre(1, 2));
    EXPECT_EQ(red->redundant()[1].timestamp_offset, 960);
    EXPECT_THAT(red->redundant()[1].data, ElementsAre(3, 4, 5));
    EXPECT_THAT(red->primary().data, ElementsAre(6));
}

TEST(RedPacket, LargestOffsetAndLength) {
    Bytes payload{0x80 | 1, 0xFF, 0xFF, 0xFF, 2};
    payload.resize(5 + 1023, 7);
    const auto red = RedPacket::parse(payload);
    ASSERT_TRUE(red);
    EXPECT_EQ(red->redundant()[0].timestamp_offset, 16'383);
    EXPECT_EQ(red->redundant()[0].data.size(), 1023U);
    EXPECT_THAT(red->primary().data, IsEmpty());
    payload.pop_back();
    EXPECT_FALSE(RedPacket::parse(payload)) << "the block goes beyond the end";
}

TEST(RedPacket, TruncatedHeadersAreRefused) {
    EXPECT_FALSE(RedPacket::parse({}));
    const Bytes whole{0x80 | 111, 0x0F, 0x00, 0, 111};
    EXPECT_TRUE(RedPacket::parse(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(RedPacket::parse(core::BytesView(whole).first(size))) << size;
    }
}

TEST(RedPacket, MoreBlocksThanAnybodySendsAreRefused) {
    const auto with = [](std::size_t blocks) {
        Bytes payload;
        for (std::size_t i = 0; i < blocks; ++i) payload.insert(payload.end(), {0x80 | 111, 0x0F, 0x00, 0});
        payload.push_back(111);
        return payload;
    };
    EXPECT_TRUE(RedPacket::parse(with(RedPacket::kMaxRedundant)));
    EXPECT_FALSE(RedPacket::parse(with(RedPacket::kMaxRedundant + 1)));
}

}  // namespace
}  // namespace media::wire
