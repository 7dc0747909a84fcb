#include "core/bytes.hpp"

#include <gtest/gtest.h>

#include <set>

namespace core {
namespace {

TEST(Bytes, Base64UrlGoesBothWaysAndRefusesOtherSpellings) {
    // RFC 4648 section 10, without padding.
    EXPECT_EQ(base64url(as_bytes("foobar")), "Zm9vYmFy");
    EXPECT_EQ(base64url(as_bytes("foob")), "Zm9vYg");
    EXPECT_EQ(as_text(from_base64url("Zm9vYg").value()), "foob");
    EXPECT_FALSE(from_base64url("Zm9vYg=="));
    EXPECT_FALSE(from_base64url("Zm9vYh"));  // The same bytes in a second spelling.
    EXPECT_FALSE(from_base64url("Z"));
}

TEST(Bytes, HmacIsRfc4231Case2) {
    EXPECT_EQ(hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Bytes, UuidsAreVersion4AndDiffer) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto id = uuid4();
        ASSERT_EQ(id.size(), 36u);
        EXPECT_EQ(id[14], '4');
        EXPECT_NE(std::string_view("89ab").find(id[19]), std::string_view::npos);
        seen.insert(id);
    }
    EXPECT_EQ(seen.size(), 100u);
}

}  // namespace
}  // namespace core
