#include "store/postgres/values.hpp"

#include <gtest/gtest.h>

#include <string>

namespace store::postgres {
namespace {

using namespace std::string_literals;

/// One dimension, two records: (text 'ab', null) and ().
std::string two_records() {
    return "\0\0\0\1\0\0\0\0\0\0\x08\xC9\0\0\0\2\0\0\0\1"
           "\0\0\0\x16\0\0\0\2\0\0\0\x19\0\0\0\2ab\0\0\0\x19\xFF\xFF\xFF\xFF"
           "\0\0\0\4\0\0\0\0"s;
}

TEST(Values, NumbersOfEverySize) {
    EXPECT_EQ(number_of("\1"s), 1);
    EXPECT_EQ(number_of("\xFF\xFE"s), -2);
    EXPECT_EQ(number_of("\x80\0\0\0"s), -2147483648LL);
    EXPECT_EQ(number_of("\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s), 9223372036854775807LL);
    EXPECT_THROW(number_of("\0\0\0"s), std::runtime_error);
    EXPECT_THROW(number_of(""), std::runtime_error);
}

TEST(Values, RealNumbers) {
    EXPECT_EQ(real_of("\x40\x2D\0\0\0\0\0\0"s), 14.5);
    EXPECT_EQ(real_of("\xBF\xF0\0\0\0\0\0\0"s), -1.0);
    EXPECT_THROW(real_of("\0\0\0\0"s), std::runtime_error);
    EXPECT_THROW(real_of(""), std::runtime_error);
}

TEST(Values, TimesCountFrom2000) {
    EXPECT_EQ(core::format_rfc3339(time_of("\0\0\0\0\0\0\0\1"s)), "2000-01-01T00:00:00.000001Z");
    EXPECT_EQ(core::format_rfc3339(time_of("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s)), "1999-12-31T23:59:59.999999Z");
    EXPECT_EQ(time_of("\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s).time_since_epoch().count(), 9223372036854775807LL);
}

TEST(Values, RecordsOfAnArray) {
    const auto bytes = two_records();
    const auto records = records_of(bytes);
    ASSERT_TRUE(records.has_value());
    ASSERT_EQ(records->size(), 2U);
    EXPECT_EQ((*records)[0].size(), 2U);
    EXPECT_EQ((*records)[0].text(0), "ab");
    EXPECT_TRUE((*records)[0].null(1));
    EXPECT_EQ((*records)[1].size(), 0U);
    EXPECT_TRUE(records_of("\0\0\0\0\0\0\0\0\0\0\x08\xC9"s)->empty());
}

TEST(Values, EveryCutAndEveryAdditionIsNoticed) {
    const auto whole = two_records();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(records_of(whole.substr(0, length)).has_value()) << length;
    }
    EXPECT_FALSE(records_of(whole + "x").has_value());
}

}  // namespace
}  // namespace store::postgres
