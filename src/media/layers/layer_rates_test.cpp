#include "media/layers/layer_rates.hpp"

#include <gtest/gtest.h>

#include "media/layers/stream_clock.hpp"

namespace media::layers {
namespace {

using namespace std::chrono_literals;

TEST(LayerRates, EachLayerIsMeasured) {
    LayerRates rates;
    Time now{1h};
    rates.turn(now);
    EXPECT_EQ(rates.bps(), 0U);
    for (int second = 0; second < 3; ++second) {
        rates.take({.spatial = 0, .temporal = 0}, 10'000);
        rates.take({.spatial = 0, .temporal = 1}, 5'000);
        rates.take({.spatial = 1, .temporal = 0}, 20'000);
        rates.take({.spatial = 7, .temporal = 7}, 40'000);
        rates.turn(now += 1s);
    }
    EXPECT_EQ(rates.bps(), 600'000U);
    EXPECT_EQ(rates.up_to({0, 0}), 80'000U);
    EXPECT_EQ(rates.up_to({0, 7}), 120'000U);
    EXPECT_EQ(rates.up_to({1, 0}), 240'000U);
    EXPECT_EQ(rates.up_to({7, 7}), 600'000U);
    EXPECT_EQ(rates.spatial_layers(), LayerRates::kSpatial);
    EXPECT_TRUE(rates.layered());

    rates.take({}, 10'000);
    rates.turn(now += 1s);
    EXPECT_EQ(rates.spatial_layers(), 1);
    EXPECT_FALSE(rates.layered());
    rates.turn(now += 1s);
    EXPECT_EQ(rates.bps(), 0U) << "silent";
}

TEST(StreamClock, TranslatesBetweenLayersOfOneCamera) {
    StreamClock low;
    StreamClock high;
    EXPECT_FALSE(low.translate(high, 0));
    // Reports 0.5 s apart, one before and one behind the wrap of the other's timestamps.
    low.on_sender_report((std::uint64_t{3'900'000'000} << 32) | 0x4000'0000, 4'294'960'000);
    EXPECT_FALSE(low.translate(high, 0));
    high.on_sender_report((std::uint64_t{3'900'000'000} << 32) | 0xC000'0000, 1000);
    // One second after its report high shows 91000; that is 1.5 s behind low's report.
    EXPECT_EQ(low.translate(high, 91'000), static_cast<std::uint32_t>(4'294'960'000 + 135'000));
    EXPECT_EQ(high.translate(low, static_cast<std::uint32_t>(4'294'960'000 + 135'000)), 91'000U);
    low.restart();
    EXPECT_FALSE(high.translate(low, 0));
}

}  // namespace
}  // namespace media::layers
