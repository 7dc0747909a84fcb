#include "api/text.hpp"

#include <gtest/gtest.h>

namespace api {
namespace {

TEST(Text, PercentDecodingRefusesBrokenEscapes) {
    EXPECT_EQ(percent_decoded("a%2Fb%20c+d"), "a/b c+d");
    for (const auto* broken : {"%", "%2", "%2x", "a%g0", "%%20"}) EXPECT_FALSE(percent_decoded(broken)) << broken;
}

TEST(Text, Utf8IsWhatRfc3629Says) {
    for (const auto* good :
         {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(good)) << good;
    }
    // A lone continuation, a cut sequence, overlong forms, a surrogate, beyond U+10FFFF, bytes that never occur.
    for (const auto* bad : {"\x80", "\xc3", "\xe2\x82", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xff", "\xf5\x80\x80\x80"}) {
        EXPECT_FALSE(is_utf8(bad));
        EXPECT_TRUE(is_utf8(with_valid_utf8(bad)));
    }
    EXPECT_EQ(with_valid_utf8("a\xffz"), "a\xef\xbf\xbdz");
}

TEST(Text, CharactersAreCodePointsAndCutsFallBetweenThem) {
    EXPECT_EQ(characters("\xc3\xa9t\xc3\xa9"), 3u);
    EXPECT_EQ(first_characters("\xc3\xa9t\xc3\xa9", 1), "\xc3\xa9");
    EXPECT_EQ(first_characters("\xc3\xa9t\xc3\xa9", 2), "\xc3\xa9t");
    EXPECT_EQ(first_characters("ab", 2), "ab");
    EXPECT_EQ(first_characters("ab", 0), "");
}

TEST(QueryString, DecodesAsFormsAreWritten) {
    const QueryString query{"a=1&b=x%20y+z&c&=nobody&a=2&d=%zz&e=%ff&&"};
    EXPECT_EQ(*query.find("a"), "2");
    EXPECT_EQ(*query.find("b"), "x y z");
    EXPECT_EQ(*query.find("c"), "");
    EXPECT_EQ(*query.find("d"), "%zz");
    EXPECT_EQ(*query.find("e"), "\xef\xbf\xbd");
    EXPECT_EQ(query.find("f"), nullptr);
}

}  // namespace
}  // namespace api
