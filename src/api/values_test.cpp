#include "api/values.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace api {
namespace {

using core::parse_utc;

TEST(WholeNumber, ReadsWhatPeopleAndFormsWrite) {
    EXPECT_EQ(whole_number("30"), 30);
    EXPECT_EQ(whole_number(" +30 "), 30);
    EXPECT_EQ(whole_number("-7"), -7);
    EXPECT_EQ(whole_number("30.00"), 30);
    EXPECT_EQ(whole_number(30.0), 30);
    EXPECT_EQ(whole_number("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
}

TEST(WholeNumber, SaysWhatIsWrong) {
    for (const auto* bad : {"", " ", "abc", "3 0", "30.", ".0", "30.5", "+-3", "--3", "0x1e", "1e2", "30,0", "+"}) {
        const auto read = whole_number(bad);
        ASSERT_FALSE(read) << bad;
        EXPECT_EQ(read.error(), NotWhole::not_a_number) << bad;
    }
    EXPECT_EQ(whole_number("9223372036854775808").error(), NotWhole::too_big);
    EXPECT_EQ(whole_number(30.5).error(), NotWhole::fraction);
    EXPECT_EQ(whole_number(1e300).error(), NotWhole::too_big);
    EXPECT_EQ(whole_number(std::numeric_limits<double>::infinity()).error(), NotWhole::too_big);
    EXPECT_EQ(whole_number(std::numeric_limits<double>::quiet_NaN()).error(), NotWhole::too_big);
}

TEST(GivenTimes, KeepTheirZoneOrGetTheDefault) {
    const core::ZoneResolver colombo = [](auto local) {
        return core::Time{local.time_since_epoch()} - std::chrono::minutes{330};
    };
    EXPECT_EQ(time_from_text("2026-01-25T14:00:00Z", colombo)->time, parse_utc("2026-01-25T14:00:00"));
    EXPECT_EQ(time_from_text("2026-01-25 14:00:00+01:00", colombo)->time, parse_utc("2026-01-25T13:00:00"));
    EXPECT_EQ(time_from_text("2026-01-25T14:00:00", colombo)->time, parse_utc("2026-01-25T08:30:00"));
    const auto date = time_from_text("2026-01-25", colombo);
    EXPECT_EQ(date->time, parse_utc("2026-01-24T18:30:00"));
    EXPECT_TRUE(date->date_only);
    EXPECT_EQ(time_from_text("2026", colombo).error(), "input is too short");
}

TEST(GivenTimes, StayInTheCalendarInUtc) {
    EXPECT_TRUE(time_from_text("9999-12-31T23:59:59Z", core::utc_zone()));
    EXPECT_FALSE(time_from_text("9999-12-31T23:59:59-01:00", core::utc_zone()));
    EXPECT_TRUE(time_from_text("0001-01-01", core::utc_zone()));
    EXPECT_FALSE(time_from_text("0001-01-01T00:00:00+01:00", core::utc_zone()));
}

TEST(UnixTimes, AreSecondsOrWhenVeryLargeMilliseconds) {
    const auto expected = parse_utc("2026-01-25T14:00:00");
    EXPECT_EQ(*time_from_unix(std::int64_t{1769349600}), expected);
    EXPECT_EQ(*time_from_unix(std::int64_t{1769349600000}), expected);
    EXPECT_EQ(*time_from_unix(1769349600.25), *expected + std::chrono::milliseconds{250});
    EXPECT_EQ(*time_from_unix(1769349600000.5), *expected + std::chrono::microseconds{500});
    EXPECT_EQ(*time_from_unix(std::int64_t{-1}), parse_utc("1969-12-31T23:59:59"));
    EXPECT_EQ(*time_from_unix(std::int64_t{-20'000'000'001}), parse_utc("1969-05-14T12:26:39.999"));
    EXPECT_EQ(time_from_unix(std::int64_t{253'402'300'800'000}).error(),
              "dates after 9999 are not supported as unix timestamps");
    EXPECT_EQ(time_from_unix(std::int64_t{-11'676'096'001}).error(),
              "dates before 1600 are not supported as unix timestamps");
    for (const double far :
         {1e300, -1e300, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_FALSE(time_from_unix(far));
    }
    for (const std::int64_t far :
         {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        EXPECT_FALSE(time_from_unix(far));
    }
}

}  // namespace
}  // namespace api
