#include "core/time_zone.hpp"

#include <gtest/gtest.h>

namespace core {
namespace {

TEST(TimeZone, ReadsClockChangesTheSameWayAlways) {
    const auto zone = load_time_zone("Europe/Berlin");
    ASSERT_TRUE(zone) << zone.error().detail;
    const auto at = [&](const char* text) { return (*zone)(parse_iso8601(text)->local); };
    EXPECT_EQ(at("2026-01-25T14:00"), parse_utc("2026-01-25T13:00"));
    EXPECT_EQ(at("2026-07-25T14:00"), parse_utc("2026-07-25T12:00"));
    // 02:00 to 03:00 does not exist on this day: read with the offset of the winter, 03:30 on the clocks.
    for (int again = 0; again < 3; ++again) {
        EXPECT_EQ(at("2026-03-29T01:59:59"), parse_utc("2026-03-29T00:59:59"));
        EXPECT_EQ(at("2026-03-29T02:30"), parse_utc("2026-03-29T01:30"));
        EXPECT_EQ(at("2026-03-29T03:00"), parse_utc("2026-03-29T01:00"));
        // 02:00 to 03:00 happens twice: the first time is meant.
        EXPECT_EQ(at("2026-10-25T01:59:59"), parse_utc("2026-10-24T23:59:59"));
        EXPECT_EQ(at("2026-10-25T02:30"), parse_utc("2026-10-25T00:30"));
        EXPECT_EQ(at("2026-10-25T03:00"), parse_utc("2026-10-25T02:00"));
        EXPECT_EQ(at("2026-07-01T12:00"), parse_utc("2026-07-01T10:00"));
    }
}

TEST(TimeZone, NamesThatTheMachineDoesNotKnowAreRefused) {
    for (const auto* bad : {"", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe", "a b"}) {
        const auto zone = load_time_zone(bad);
        ASSERT_FALSE(zone) << bad;
        EXPECT_NE(zone.error().detail.find("DEFAULT_TIME_ZONE"), std::string::npos);
    }
    ASSERT_TRUE(load_time_zone("UTC"));
}

}  // namespace
}  // namespace core
