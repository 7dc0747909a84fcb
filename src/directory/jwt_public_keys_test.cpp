// Tokens signed with private keys: the right key, the right algorithm, and no way to mistake one for another.
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "directory/jwt_verifier.hpp"
#include "directory/test_keys.hpp"

namespace directory {
namespace {

using std::chrono::seconds;
using testing::encoded;
using testing::set_of;
using testing::SigningKey;

constexpr const char* kBadToken = "Invalid authentication credentials";
constexpr std::string_view kClaims = R"({"user_id":"34","role":"DOCTOR","exp":1800000100})";

class FixedClock final : public core::Clock {
  public:
    core::Time now() const override { return core::Time{seconds{1'800'000'000}}; }
};

class Keys final : public PublicKeys {
  public:
    explicit Keys(const std::string& text) { show(text); }
    void show(const std::string& text) {
        auto set = KeySet::parse(text);
        if (!set) throw std::runtime_error(set.error().detail);
        place()->put(std::move(*set));
    }
    void missed() const override { ++misses; }

    mutable int misses = 0;
};

std::string hmac_token(std::string_view header, const std::string& key) {
    const auto text = encoded(header) + "." + encoded(kClaims);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         mac.data(), &size);
    return text + "." + core::base64url({mac.data(), size});
}

class JwtPublicKeysTest : public ::testing::Test {
  protected:
    static const SigningKey& rsa() {
        static const auto key = SigningKey::rsa();
        return key;
    }
    static const SigningKey& other_rsa() {
        static const auto key = SigningKey::rsa();
        return key;
    }
    static const SigningKey& ec() {
        static const auto key = SigningKey::ec();
        return key;
    }

    JwtVerifier verifier(JwtAlgorithm algorithm) const {
        return JwtVerifier{{.secret = "", .algorithm = algorithm, .keys = &keys}, clock};
    }
    std::string verdict(JwtAlgorithm algorithm, const std::string& token) const {
        const auto caller = verifier(algorithm).verify(token);
        return caller ? caller->role + " " + caller->user_id : caller.error().detail;
    }

    FixedClock clock;
    Keys keys{set_of({rsa().jwk(R"(,"kid":"r1")"), other_rsa().jwk(R"(,"kid":"r2")"), ec().jwk(R"(,"kid":"e1")")})};
};

TEST_F(JwtPublicKeysTest, TheNamedKeyDecides) {
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, rsa().token(R"({"alg":"RS256","kid":"r1"})", kClaims)), "DOCTOR 34");
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, other_rsa().token(R"({"alg":"RS256","kid":"r2"})", kClaims)), "DOCTOR 34");
    EXPECT_EQ(verdict(JwtAlgorithm::es256, ec().token(R"({"alg":"ES256","kid":"e1"})", kClaims)), "DOCTOR 34");
    EXPECT_EQ(keys.misses, 0);
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, rsa().token(R"({"alg":"RS256","kid":"r2"})", kClaims)), kBadToken);
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, rsa().token(R"({"alg":"RS256","kid":null})", kClaims)), kBadToken);
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, rsa().token(R"({"alg":"RS256","kid":["r1"]})", kClaims)), kBadToken);
    EXPECT_EQ(keys.misses, 0);
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, rsa().token(R"({"alg":"RS256","kid":"r3"})", kClaims)), kBadToken);
    EXPECT_EQ(keys.misses, 1);
    // What a token brings along is no key of ours.
    EXPECT_EQ(verdict(JwtAlgorithm::es256,
                      SigningKey::ec().token(R"({"alg":"ES256","kid":"e1","jwk":)" + ec().jwk() + "}", kClaims)),
              kBadToken);
}

TEST_F(JwtPublicKeysTest, WithoutANameTheOnlyKeyDecides) {
    EXPECT_EQ(verdict(JwtAlgorithm::es256, ec().token(R"({"alg":"ES256"})", kClaims)), "DOCTOR 34");
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, rsa().token(R"({"alg":"RS256"})", kClaims)), kBadToken);
    keys.show(set_of({}));
    EXPECT_EQ(verdict(JwtAlgorithm::es256, ec().token(R"({"alg":"ES256"})", kClaims)), kBadToken);
}

TEST_F(JwtPublicKeysTest, APublicKeyIsNoSecret) {
    for (const auto& secret : {rsa().public_pem(), rsa().public_pem() + "\n", rsa().jwk(), rsa().jwk(R"(,"kid":"r1")"),
                               std::string{}, ec().public_pem()}) {
        for (const auto* header : {R"({"alg":"HS256","kid":"r1"})", R"({"alg":"RS256","kid":"r1"})",
                                   R"({"alg":"HS256"})", R"({"alg":"ES256","kid":"e1"})"}) {
            const auto token = hmac_token(header, secret);
            EXPECT_EQ(verdict(JwtAlgorithm::rs256, token), kBadToken) << header;
            EXPECT_EQ(verdict(JwtAlgorithm::es256, token), kBadToken) << header;
        }
    }
}

TEST_F(JwtPublicKeysTest, ASecretIsNoPublicKey) {
    const JwtVerifier shared({.secret = rsa().public_pem(), .algorithm = JwtAlgorithm::hs256, .keys = &keys}, clock);
    EXPECT_TRUE(shared.verify(hmac_token(R"({"alg":"HS256"})", rsa().public_pem())).has_value());
    for (const auto* header : {R"({"alg":"RS256","kid":"r1"})", R"({"alg":"HS256","kid":"r1"})"}) {
        EXPECT_FALSE(shared.verify(rsa().token(header, kClaims)).has_value()) << header;
    }
}

TEST_F(JwtPublicKeysTest, OneAlgorithmAndNoOther) {
    const auto rs = rsa().token(R"({"alg":"RS256","kid":"r1"})", kClaims);
    const auto es = ec().token(R"({"alg":"ES256","kid":"e1"})", kClaims);
    EXPECT_EQ(verdict(JwtAlgorithm::es256, rs), kBadToken);
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, es), kBadToken);
    for (const auto* header :
         {R"({"alg":"ES256","kid":"r1"})", R"({"alg":"RS512","kid":"r1"})", R"({"alg":"PS256","kid":"r1"})",
          R"({"alg":"none","kid":"r1"})", R"({"kid":"r1"})", R"({"alg":"RS256","kid":"r1","crit":["exp"]})",
          R"({"alg":"RS256","alg":"RS256","kid":"r1"})", R"({"alg":"RS256","kid":"e1"})"}) {
        EXPECT_EQ(verdict(JwtAlgorithm::rs256, rsa().token(header, kClaims)), kBadToken) << header;
        EXPECT_EQ(verdict(JwtAlgorithm::es256, ec().token(header, kClaims)), kBadToken) << header;
    }
    const auto unsigned_token = encoded(R"({"alg":"none"})") + "." + encoded(kClaims) + ".";
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, unsigned_token), kBadToken);
}

TEST_F(JwtPublicKeysTest, ASignatureIsTakenInOneFormOnly) {
    const auto rs = rsa().token(R"({"alg":"RS256","kid":"r1"})", kClaims);
    const auto es = ec().token(R"({"alg":"ES256","kid":"e1"})", kClaims);
    const auto with_signature = [](const std::string& token, const core::Bytes& signature) {
        return token.substr(0, token.rfind('.') + 1) + core::base64url(signature);
    };
    const auto signature = *core::from_base64url(std::string_view{es}.substr(es.rfind('.') + 1));
    EXPECT_EQ(verdict(JwtAlgorithm::es256, with_signature(es, core::Bytes(64))), kBadToken);
    EXPECT_EQ(verdict(JwtAlgorithm::es256, with_signature(es, core::Bytes(256))), kBadToken);
    auto longer = signature;
    longer.push_back(0);
    EXPECT_EQ(verdict(JwtAlgorithm::es256, with_signature(es, longer)), kBadToken);
    EXPECT_EQ(verdict(JwtAlgorithm::es256, with_signature(es, {signature.begin(), signature.end() - 1})), kBadToken);
    core::Bytes der{0x30, 0x44, 0x02, 0x20};
    der.insert(der.end(), signature.begin(), signature.begin() + 32);
    der.insert(der.end(), {0x02, 0x20});
    der.insert(der.end(), signature.begin() + 32, signature.end());
    EXPECT_EQ(verdict(JwtAlgorithm::es256, with_signature(es, der)), kBadToken);
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, with_signature(rs, core::Bytes(256))), kBadToken);
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, with_signature(rs, core::Bytes(256, 0xff))), kBadToken);
    EXPECT_EQ(verdict(JwtAlgorithm::rs256, rs.substr(0, rs.size() - 4)), kBadToken);
}

TEST_F(JwtPublicKeysTest, ATokenFallsWithItsKey) {
    const auto held = verifier(JwtAlgorithm::es256);
    const auto token = ec().token(R"({"alg":"ES256","kid":"e1"})", kClaims);
    EXPECT_TRUE(held.verify(token).has_value());
    keys.show(set_of({ec().jwk(R"(,"kid":"e1")")}));
    EXPECT_TRUE(held.verify(token).has_value());
    keys.show(set_of({SigningKey::ec().jwk(R"(,"kid":"e1")")}));
    EXPECT_FALSE(held.verify(token).has_value());
    keys.show(set_of({rsa().jwk(R"(,"kid":"r1")")}));
    EXPECT_FALSE(held.verify(token).has_value());
}

TEST_F(JwtPublicKeysTest, MakesNoTokens) {
    const auto held = verifier(JwtAlgorithm::rs256);
    const auto issued =
        held.issue({.caller = {.user_id = "34", .role = "DOCTOR"}, .email = {}, .name = {}}, seconds{60});
    ASSERT_FALSE(issued.has_value());
    EXPECT_EQ(issued.error().kind, core::ErrorKind::unsupported);
    EXPECT_THROW(held.mint({.user_id = "34", .role = "DOCTOR"}, seconds{60}), std::logic_error);
    EXPECT_THROW(JwtVerifier({.secret = "s", .algorithm = JwtAlgorithm::rs256}, clock), std::invalid_argument);
    EXPECT_TRUE(has_public_keys(JwtAlgorithm::es256));
    EXPECT_FALSE(has_public_keys(JwtAlgorithm::hs512));
}

}  // namespace
}  // namespace directory
