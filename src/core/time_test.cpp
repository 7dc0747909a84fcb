#include "core/time.hpp"

#include <gtest/gtest.h>

namespace core {
namespace {

TEST(Time, FormatsWithZoneAndSixFractionDigitsOnlyWhenNeeded) {
    const auto time = parse_utc("2026-01-25T14:00:00").value();
    EXPECT_EQ(format_rfc3339(time), "2026-01-25T14:00:00Z");
    EXPECT_EQ(format_rfc3339(time + std::chrono::microseconds{934643}), "2026-01-25T14:00:00.934643Z");
    EXPECT_EQ(format_zoneless(time + std::chrono::microseconds{42}), "2026-01-25T14:00:00.000042");
}

TEST(Time, ReadsZonesFractionsAndBareDates) {
    EXPECT_EQ(parse_utc("2026-01-25T14:00:00+05:30"), parse_utc("2026-01-25 08:30"));
    EXPECT_EQ(parse_utc("2026-01-25T14:00:00.123456789Z"), parse_utc("2026-01-25T14:00:00.123456"));
    EXPECT_EQ(parse_utc("2026-01-25"), parse_utc("2026-01-25T00:00:00-00"));
    EXPECT_FALSE(parse_iso8601("2026-01-25T14:00:00")->utc_offset);
}

TEST(Time, SaysWhyATextIsNotATime) {
    std::string why;
    for (const auto* bad :
         {"", "2026", "2026-13-01", "2026-02-30", "2026-01-25T", "2026-01-25T25:00", "2026-01-25T14:00:60",
          "2026-01-25T14:00:00.", "2026-01-25T14:00:00+24:00", "2026-01-25T14:00:00Zx", "0000-01-01"}) {
        why.clear();
        EXPECT_FALSE(parse_iso8601(bad, &why)) << bad;
        EXPECT_FALSE(why.empty()) << bad;
    }
}

}  // namespace
}  // namespace core
