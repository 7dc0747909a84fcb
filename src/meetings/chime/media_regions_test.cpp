#include "meetings/chime/media_regions.hpp"

#include <gtest/gtest.h>

namespace meetings::chime {
namespace {

TEST(MediaRegions, KnowsThePublishedOnesOnly) {
    EXPECT_EQ(media_regions().size(), 20u);
    for (const auto region : media_regions()) EXPECT_TRUE(is_media_region(region));
    for (const auto* odd : {"", "us-east-3", "US-EAST-1", "us-east-1 ", "local", "eu"})
        EXPECT_FALSE(is_media_region(odd));
}

TEST(MediaRegions, StayWithinThePartition) {
    EXPECT_TRUE(can_carry("us-east-1", "ap-south-1"));
    EXPECT_TRUE(can_carry("us-gov-west-1", "us-gov-east-1"));
    EXPECT_FALSE(can_carry("us-east-1", "us-gov-east-1"));
    EXPECT_FALSE(can_carry("us-gov-west-1", "us-east-1"));
    EXPECT_FALSE(can_carry("us-east-1", "nowhere"));
}

}  // namespace
}  // namespace meetings::chime
