#include "directory/key_set.hpp"

#include <gtest/gtest.h>

#include "directory/test_keys.hpp"

namespace directory {
namespace {

using testing::set_of;
using testing::SigningKey;

const SigningKey& rsa() {
    static const auto key = SigningKey::rsa();
    return key;
}
const SigningKey& ec() {
    static const auto key = SigningKey::ec();
    return key;
}

std::string why_refused(const std::string& text) {
    const auto set = KeySet::parse(text);
    if (set) return "taken";
    EXPECT_EQ(set.error().kind, core::ErrorKind::bad_gateway);
    return set.error().detail.substr(set.error().detail.find(": ") + 2);
}

TEST(KeySet, ReadsKeysOfBothKinds) {
    const auto set = KeySet::parse(set_of({rsa().jwk(R"(,"kid":"a","use":"sig","alg":"RS256","x5t":"ignored")"),
                                           ec().jwk(R"(,"kid":"b","key_ops":["sign","verify"],"ext":true)")}));
    ASSERT_TRUE(set.has_value()) << set.error().detail;
    EXPECT_EQ(set->size(), 2U);
    const auto* found = set->find("a", KeyType::rsa, "RS256");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found, rsa().public_pem());
    found = set->find("b", KeyType::p256, "ES256");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found, ec().public_pem());
    EXPECT_EQ(set->find("a", KeyType::p256, "ES256"), nullptr);
    EXPECT_EQ(set->find("b", KeyType::rsa, "RS256"), nullptr);
    EXPECT_EQ(set->find("c", KeyType::rsa, "RS256"), nullptr);
    EXPECT_EQ(set->find("", KeyType::rsa, "RS256"), nullptr);
}

TEST(KeySet, WithoutANameOnlyTheOnlyKeyIsMeant) {
    const auto one = KeySet::parse(set_of({rsa().jwk(R"(,"kid":"a")"), ec().jwk()}));
    ASSERT_TRUE(one.has_value());
    EXPECT_NE(one->find({}, KeyType::rsa, "RS256"), nullptr);
    EXPECT_NE(one->find({}, KeyType::p256, "ES256"), nullptr);
    // A key without a name is not the one that a token names.
    EXPECT_EQ(one->find("b", KeyType::p256, "ES256"), nullptr);
    const auto two = KeySet::parse(set_of({rsa().jwk(R"(,"kid":"a")"), rsa().jwk(R"(,"kid":"b")")}));
    ASSERT_TRUE(two.has_value());
    EXPECT_EQ(two->find({}, KeyType::rsa, "RS256"), nullptr);
    EXPECT_NE(two->find("a", KeyType::rsa, "RS256"), nullptr);
}

TEST(KeySet, AKeyForAnotherAlgorithmIsNotGiven) {
    const auto set = KeySet::parse(set_of({rsa().jwk(R"(,"kid":"a","alg":"RS512")")}));
    ASSERT_TRUE(set.has_value());
    EXPECT_EQ(set->find("a", KeyType::rsa, "RS256"), nullptr);
    EXPECT_EQ(set->find({}, KeyType::rsa, "RS256"), nullptr);
}

TEST(KeySet, PassesOverWhatIsNotForThis) {
    const auto set = KeySet::parse(set_of({
        R"({"kty":"oct","kid":"secret","k":"c2VjcmV0"})",
        R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
        R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})",
        R"({"kid":"of no kind"})",
        rsa().jwk(R"(,"use":"enc")"),
        rsa().jwk(R"(,"key_ops":["encrypt"])"),
        rsa().jwk(R"(,"key_ops":"verify")"),
    }));
    ASSERT_TRUE(set.has_value()) << set.error().detail;
    EXPECT_EQ(set->size(), 0U);
    EXPECT_TRUE(KeySet::parse(R"({"keys":[]})").has_value());
}

TEST(KeySet, RefusesBrokenAndWeakKeys) {
    constexpr std::string_view kBroken = "a key is broken or too weak";
    EXPECT_EQ(why_refused(set_of({SigningKey::rsa(1024).jwk()})), kBroken);
    EXPECT_EQ(why_refused(set_of({R"({"kty":"RSA"})"})), kBroken);
    EXPECT_EQ(why_refused(set_of({R"({"kty":"RSA","n":1,"e":"AQAB"})"})), kBroken);
    EXPECT_EQ(why_refused(set_of({R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"})), kBroken);
    const auto with = [&](const SigningKey& key, const std::string& from, const std::string& to) {
        auto text = key.jwk();
        const auto at = text.find(from);
        EXPECT_NE(at, std::string::npos);
        return set_of({text.replace(at, from.size(), to)});
    };
    for (const auto* exponent : {"AQ", "AA", "", "AQAC", "AQAB=", "/w", "AQAAAAAAAAAAAAAAAQ"}) {
        EXPECT_EQ(why_refused(with(rsa(), "\"AQAB\"", "\"" + std::string{exponent} + "\"")), kBroken) << exponent;
    }
    // A point beside the curve, the point at infinity, coordinates of another length.
    const std::string zero = core::base64url(core::Bytes(32));
    EXPECT_EQ(why_refused(set_of({R"({"kty":"EC","crv":"P-256","x":")" + zero + R"(","y":")" + zero + "\"}"})),
              kBroken);
    const auto other = SigningKey::ec();
    const auto mixed = ec().jwk().substr(0, ec().jwk().find("\"y\"")) + other.jwk().substr(other.jwk().find("\"y\""));
    EXPECT_EQ(why_refused(set_of({mixed})), kBroken);
    EXPECT_EQ(why_refused(with(ec(), "\"x\":\"", "\"x\":\"AA")), kBroken);
    EXPECT_EQ(why_refused(set_of({R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"})), kBroken);
    // One such key spoils the set.
    EXPECT_EQ(why_refused(set_of({rsa().jwk(), R"({"kty":"RSA"})"})), kBroken);
}

TEST(KeySet, RefusesWhatIsNoSet) {
    for (const std::string text : {"", "[]", "null", "{", "{}x", "-----BEGIN PUBLIC KEY-----"}) {
        EXPECT_EQ(why_refused(text), "it is not one JSON object") << text;
    }
    EXPECT_EQ(why_refused(rsa().public_pem()), "it is not one JSON object");
    EXPECT_EQ(why_refused(R"({"keys":[],"keys":[]})"), "it is not one JSON object");
    EXPECT_EQ(why_refused("{}"), "it has no list of keys");
    EXPECT_EQ(why_refused(R"({"keys":{}})"), "it has no list of keys");
    EXPECT_EQ(why_refused(rsa().jwk()), "it has no list of keys");
    EXPECT_EQ(why_refused(R"({"keys":["a"]})"), "it lists something that is no key");
    EXPECT_EQ(why_refused(set_of({rsa().jwk(R"(,"kid":"a")"), rsa().jwk(R"(,"kid":"a")")})), "two keys have one name");
    EXPECT_EQ(why_refused(set_of({rsa().jwk(R"(,"kid":"a")"), ec().jwk(R"(,"kid":"a")")})), "taken");
    EXPECT_EQ(why_refused(set_of({rsa().jwk(",\"kid\":\"" + std::string(300, 'a') + "\"")})),
              "a key has too long a name");
    EXPECT_EQ(why_refused(R"({"keys":[]})" + std::string(70'000, ' ')), "it is too long");
    std::string many = R"({"keys":[{})";
    for (int i = 0; i < 64; ++i) many += ",{}";
    EXPECT_EQ(why_refused(many + "]}"), "it has too many keys");
}

}  // namespace
}  // namespace directory
