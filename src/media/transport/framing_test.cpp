#include "media/transport/framing.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace media::transport {
namespace {

core::Bytes framed(const std::vector<core::Bytes>& packets) {
    core::Bytes stream;
    for (const core::Bytes& packet : packets) {
        const auto header = frame_header(packet.size());
        stream.insert(stream.end(), header.begin(), header.end());
        stream.insert(stream.end(), packet.begin(), packet.end());
    }
    return stream;
}

/// Feeds the stream in pieces of at most `step` bytes; false when the decoder gave up.
bool feed(FrameDecoder& decoder, core::BytesView stream, std::size_t step, std::vector<core::Bytes>& packets) {
    while (!stream.empty()) {
        const auto space = decoder.space();
        const std::size_t count = std::min({step, stream.size(), space.size()});
        if (count == 0) return false;
        std::copy_n(stream.begin(), count, space.begin());
        stream = stream.subspan(count);
        if (!decoder.accept(count, [&](std::span<std::uint8_t> p) { packets.emplace_back(p.begin(), p.end()); })) {
            return false;
        }
    }
    return true;
}

TEST(Framing, HeaderIsTheLengthInTwoBytes) {
    EXPECT_EQ(frame_header(0x1234), (std::array<std::uint8_t, 2>{0x12, 0x34}));
    EXPECT_EQ(frame_header(7), (std::array<std::uint8_t, 2>{0, 7}));
}

TEST(Framing, PacketsComeOutWholeHoweverTheStreamIsCut) {
    std::vector<core::Bytes> sent;
    for (std::size_t size : {1U, 2U, 255U, 256U, 1200U, 2048U, 20U, 2048U, 2048U, 2048U, 2048U, 2048U, 2048U, 2048U}) {
        sent.emplace_back(size, static_cast<std::uint8_t>(size + sent.size()));
    }
    const core::Bytes stream = framed(sent);
    for (const std::size_t step : {1U, 2U, 3U, 7U, 1000U, 2050U, 100000U}) {
        FrameDecoder decoder;
        std::vector<core::Bytes> got;
        ASSERT_TRUE(feed(decoder, stream, step, got)) << step;
        EXPECT_EQ(got, sent) << step;
    }
}

TEST(Framing, EmptyPacketsAreSkipped) {
    FrameDecoder decoder;
    std::vector<core::Bytes> got;
    ASSERT_TRUE(feed(decoder, framed({{}, {1}, {}, {}, {2}}), 3, got));
    EXPECT_EQ(got, (std::vector<core::Bytes>{{1}, {2}}));
}

TEST(Framing, ATooLongPacketBreaksTheStreamForGood) {
    FrameDecoder decoder;
    std::vector<core::Bytes> got;
    core::Bytes stream = framed({{9}});
    const auto header = frame_header(FrameDecoder::kMaxPacket + 1);
    stream.insert(stream.end(), header.begin(), header.end());
    EXPECT_FALSE(feed(decoder, stream, 100, got));
    EXPECT_EQ(got, (std::vector<core::Bytes>{{9}}));
    EXPECT_TRUE(decoder.space().empty());
    EXPECT_FALSE(decoder.accept(0, [](std::span<std::uint8_t>) { FAIL(); }));
}

TEST(Framing, MoreThanTheSpaceIsNotBelieved) {
    FrameDecoder decoder;
    EXPECT_FALSE(decoder.accept(decoder.space().size() + 1, [](std::span<std::uint8_t>) { FAIL(); }));
}

}  // namespace
}  // namespace media::transport
