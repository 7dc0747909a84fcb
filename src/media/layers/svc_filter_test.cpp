#include "media/layers/svc_filter.hpp"

#include <gtest/gtest.h>

namespace media::layers {
namespace {

constexpr std::uint32_t kFrame = 3000;

class Filter : public ::testing::Test {
  protected:
    /// Shows a picture of `spatial` layers, two packets each; returns how many layers passed whole.
    int picture(std::uint8_t temporal, bool key = false, std::uint8_t spatial = 3, bool switching = false) {
        timestamp += kFrame;
        int passed = 0;
        for (std::uint8_t layer = 0; layer < spatial; ++layer) {
            PacketLayer packet{.spatial = layer,
                               .temporal = temporal,
                               .ends_layer = false,
                               .switching = switching,
                               .key_picture = key && layer == 0};
            const auto first = filter.take(packet, timestamp);
            packet.ends_layer = true;
            const auto last = filter.take(packet, timestamp);
            EXPECT_EQ(first.forward, last.forward);
            EXPECT_FALSE(first.ends_picture);
            if (last.forward) EXPECT_EQ(last.ends_picture, layer == filter.limit().spatial);
            passed += last.forward ? 1 : 0;
        }
        return passed;
    }
    void start(LayerLimit limit = {}) {
        filter.want(limit);
        filter.restart(timestamp += kFrame);
    }
    std::uint32_t timestamp = 4'294'900'000;  // Wraps soon.
    SvcFilter filter;
};

TEST_F(Filter, EverythingPassesUnlessSomethingElseIsWanted) {
    start();
    for (int i = 0; i < 100; ++i) EXPECT_EQ(picture(static_cast<std::uint8_t>(i % 3)), 3);
    EXPECT_FALSE(filter.waits_for_key_frame());
}

TEST_F(Filter, DownAtTheNextPicture) {
    start({2, 2});
    EXPECT_EQ(picture(2), 3);
    filter.want({0, 1});
    // In the middle of the picture nothing changes.
    EXPECT_TRUE(filter.take({.spatial = 2, .temporal = 2}, timestamp).forward);
    EXPECT_EQ(picture(2), 0);
    EXPECT_EQ(picture(1), 1);
    EXPECT_EQ(picture(0), 1);
    EXPECT_EQ(filter.limit(), (LayerLimit{0, 1}));
}

TEST_F(Filter, UpInTimeAtTheLowestLayer) {
    start({2, 0});
    filter.want({2, 2});
    EXPECT_FALSE(filter.waits_for_key_frame());
    EXPECT_EQ(picture(2), 0);
    EXPECT_EQ(picture(1), 0);
    EXPECT_EQ(picture(2), 0);
    EXPECT_EQ(picture(0), 3);
    EXPECT_EQ(picture(2), 3);
    EXPECT_EQ(picture(1), 3);
}

TEST_F(Filter, UpInTimeBehindASwitchingPoint) {
    start({2, 1});
    filter.want({2, 2});
    EXPECT_EQ(picture(2, false, 3, true), 0) << "a switching point that is not forwarded helps nobody";
    EXPECT_EQ(picture(2), 0);
    EXPECT_EQ(picture(1, false, 3, true), 3);
    EXPECT_EQ(picture(2), 3);
}

TEST_F(Filter, UpInSpaceAtAKeyPictureOnly) {
    start({0, 2});
    filter.want({2, 2});
    EXPECT_TRUE(filter.waits_for_key_frame());
    for (int i = 0; i < 20; ++i) EXPECT_EQ(picture(static_cast<std::uint8_t>(i % 3)), 1);
    EXPECT_EQ(picture(0, true), 3);
    EXPECT_FALSE(filter.waits_for_key_frame());
    EXPECT_EQ(picture(1), 3);
}

TEST_F(Filter, KeyPictureWhosePacketsComeInAnyOrder) {
    start({0, 2});
    filter.want({1, 2});
    timestamp += kFrame;
    EXPECT_FALSE(filter.take({.spatial = 1}, timestamp).forward) << "not known yet to be a key picture";
    EXPECT_TRUE(filter.take({.spatial = 0, .key_picture = true}, timestamp).forward);
    EXPECT_FALSE(filter.take({.spatial = 1}, timestamp).forward) << "lacks its first packet";
    EXPECT_TRUE(filter.waits_for_key_frame());
    timestamp += kFrame;
    EXPECT_TRUE(filter.take({.spatial = 0, .key_picture = true}, timestamp).forward);
    EXPECT_FALSE(filter.take({.spatial = 2}, timestamp).forward);
    EXPECT_TRUE(filter.take({.spatial = 0, .key_picture = true}, timestamp).forward) << "its first packet, late";
    EXPECT_TRUE(filter.take({.spatial = 1}, timestamp).forward);
}

TEST_F(Filter, LatePacketsAreJudgedByTheirOwnPicture) {
    start({2, 2});
    picture(0);
    const std::uint32_t before = timestamp;
    filter.want({0, 0});
    picture(0);
    const std::uint32_t narrow = timestamp;
    filter.want({0, 2});
    picture(0);
    const std::uint32_t wide = timestamp;
    EXPECT_TRUE(filter.take({.spatial = 2, .temporal = 2, .ends_layer = true}, before).ends_picture);
    EXPECT_FALSE(filter.take({.spatial = 1}, narrow).forward);
    EXPECT_TRUE(filter.take({.spatial = 0, .ends_layer = true}, narrow).ends_picture);
    EXPECT_FALSE(filter.take({.spatial = 0, .temporal = 1}, narrow).forward);
    EXPECT_TRUE(filter.take({.spatial = 0, .temporal = 2}, wide).forward);
    EXPECT_EQ(filter.limit(), (LayerLimit{0, 2})) << "late packets change nothing";
}

TEST_F(Filter, HoldsOverADayWithoutAChange) {
    start({1, 2});
    for (int i = 0; i < 40; ++i) {
        timestamp += 0x1000'0000;
        ASSERT_EQ(picture(2), 2) << i;
    }
}

}  // namespace
}  // namespace media::layers
