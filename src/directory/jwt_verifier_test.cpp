#include "directory/jwt_verifier.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/bytes.hpp"

namespace directory {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kNow = 1'800'000'000;
const std::string kSecret = "0123456789abcdef0123456789abcdef";

class FixedClock final : public core::Clock {
  public:
    core::Time now() const override { return core::Time{now_}; }
    void set(std::chrono::microseconds now) { now_ = now; }

  private:
    std::chrono::microseconds now_ = seconds{kNow};
};

// Signs whatever it is given, also what no honest signer would.
std::string sign(const std::string& signed_text, const std::string& key = kSecret, const EVP_MD* hash = EVP_sha256()) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac;
    unsigned size = 0;
    HMAC(hash, key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(signed_text.data()),
         signed_text.size(), mac.data(), &size);
    return signed_text + "." + core::base64url({mac.data(), size});
}
std::string encode(const std::string& text) {
    return core::base64url(core::as_bytes(text));
}
std::string token_of(const std::string& payload, const std::string& header = R"({"alg":"HS256","typ":"JWT"})",
                     const std::string& key = kSecret, const EVP_MD* hash = EVP_sha256()) {
    return sign(encode(header) + "." + encode(payload), key, hash);
}
std::string with(const std::string& claims) {
    return "{\"exp\":1800000100," + claims + "}";
}
const std::string kGood = R"({"user_id":"34","role":"DOCTOR","exp":1800000100,"iat":1799999999})";

class JwtVerifierTest : public ::testing::Test {
  protected:
    FixedClock clock;
    JwtVerifier verifier{{.secret = kSecret, .algorithm = JwtAlgorithm::hs256}, clock};

    std::string verdict(const std::string& token) {
        const auto caller = verifier.verify(token);
        if (!caller) {
            EXPECT_EQ(caller.error().kind, core::ErrorKind::unauthenticated);
            return caller.error().detail;
        }
        return caller->role + " " + caller->user_id;
    }
};

constexpr const char* kBadToken = "Invalid authentication credentials";
constexpr const char* kBadPayload = "Invalid token payload";

TEST_F(JwtVerifierTest, AcceptsWhatTheAuthServiceIssues) {
    EXPECT_EQ(verdict(token_of(kGood)), "DOCTOR 34");
    EXPECT_EQ(verdict(token_of(kGood, R"({"typ":"JWT","alg":"HS256"})")), "DOCTOR 34");
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"HS256"})")), "DOCTOR 34");
}

TEST_F(JwtVerifierTest, TakesTheIdFromSubElseUserId) {
    EXPECT_EQ(verdict(token_of(with(R"("sub":"7","user_id":"34","role":"PATIENT")"))), "PATIENT 7");
    EXPECT_EQ(verdict(token_of(with(R"("sub":"7","role":"PATIENT")"))), "PATIENT 7");
    EXPECT_EQ(verdict(token_of(with(R"("user_id":34,"role":"PATIENT")"))), "PATIENT 34");
    EXPECT_EQ(verdict(token_of(with(R"("sub":7,"user_id":"34","role":"PATIENT")"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(R"("sub":null,"user_id":"34","role":"PATIENT")"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(R"("sub":"","user_id":"34","role":"PATIENT")"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":3.5,"role":"PATIENT")"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":true,"role":"PATIENT")"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":["34"],"role":"PATIENT")"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"","role":"PATIENT")"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("role":"PATIENT")"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"a\u0000b","role":"PATIENT")"))), kBadToken);
    const std::string longest(100, 'a');
    EXPECT_EQ(verdict(token_of(with(R"("role":"PATIENT","sub":")" + longest + "\""))), "PATIENT " + longest);
    EXPECT_EQ(verdict(token_of(with(R"("role":"PATIENT","sub":")" + longest + "a\""))), kBadPayload);
}

TEST_F(JwtVerifierTest, NeedsARole) {
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34")"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":"")"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":null)"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":["DOCTOR"])"))), kBadPayload);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":1)"))), kBadPayload);
}

TEST_F(JwtVerifierTest, JudgesTimesWithoutLeeway) {
    const auto expiring = [](const std::string& exp) {
        return token_of(R"({"user_id":"34","role":"DOCTOR","exp":)" + exp + "}");
    };
    EXPECT_EQ(verdict(expiring("1800000001")), "DOCTOR 34");
    EXPECT_EQ(verdict(expiring("1800000000.5")), "DOCTOR 34");
    EXPECT_EQ(verdict(expiring("1800000000")), kBadToken);
    EXPECT_EQ(verdict(expiring("1799999999")), kBadToken);
    EXPECT_EQ(verdict(expiring("0")), kBadToken);
    EXPECT_EQ(verdict(expiring("-1")), kBadToken);
    EXPECT_EQ(verdict(expiring("\"1800000100\"")), kBadToken);
    EXPECT_EQ(verdict(expiring("null")), kBadToken);
    EXPECT_EQ(verdict(expiring("true")), kBadToken);
    EXPECT_EQ(verdict(expiring("1e999")), kBadToken);
    EXPECT_EQ(verdict(token_of(R"({"user_id":"34","role":"DOCTOR"})")), kBadToken);

    const std::string caller = R"("user_id":"34","role":"DOCTOR",)";
    EXPECT_EQ(verdict(token_of(with(caller + R"("nbf":1800000000)"))), "DOCTOR 34");
    EXPECT_EQ(verdict(token_of(with(caller + R"("nbf":1800000001)"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(caller + R"("nbf":"0")"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(caller + R"("iat":"1799999999")"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(caller + R"("iat":1799999999.5)"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(caller + R"("iat":null)"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(caller + R"("iat":1800000050)"))), "DOCTOR 34");

    const auto token = expiring("1800000001");
    EXPECT_EQ(verdict(token), "DOCTOR 34");
    clock.set(seconds{kNow + 1});
    EXPECT_EQ(verdict(token), kBadToken);
}

TEST_F(JwtVerifierTest, RefusesAnAudience) {
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":"DOCTOR","aud":"x")"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":"DOCTOR","aud":null)"))), kBadToken);
}

TEST_F(JwtVerifierTest, RefusesOtherKeysAndAlgorithms) {
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"HS256"})", "another key")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"HS256"})", kSecret + "x")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"HS512"})", kSecret, EVP_sha512())), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"HS384"})", kSecret, EVP_sha384())), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"HS256"})", kSecret, EVP_sha512())), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"hs256"})")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"RS256"})")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"ES256"})")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":["HS256"]})")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":null})")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"typ":"JWT"})")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"HS256","crit":["exp"]})")), kBadToken);
    for (const std::string alg : {"none", "None", "NONE", "nOnE", ""}) {
        const auto unsigned_token = encode(R"({"alg":")" + alg + "\"}") + "." + encode(kGood);
        EXPECT_EQ(verdict(unsigned_token + "."), kBadToken) << alg;
        EXPECT_EQ(verdict(unsigned_token), kBadToken) << alg;
        EXPECT_EQ(verdict(unsigned_token + ".eA"), kBadToken) << alg;
        EXPECT_EQ(verdict(sign(unsigned_token)), kBadToken) << alg;
    }
}

TEST_F(JwtVerifierTest, RefusesWhatIsNotExactlyAToken) {
    const auto good = token_of(kGood);
    ASSERT_EQ(verdict(good), "DOCTOR 34");
    EXPECT_EQ(verdict(""), kBadToken);
    EXPECT_EQ(verdict("."), kBadToken);
    EXPECT_EQ(verdict(".."), kBadToken);
    EXPECT_EQ(verdict("..."), kBadToken);
    EXPECT_EQ(verdict("garbage"), kBadToken);
    EXPECT_EQ(verdict(good + "."), kBadToken);
    EXPECT_EQ(verdict("." + good), kBadToken);
    EXPECT_EQ(verdict(good + ".eA"), kBadToken);
    EXPECT_EQ(verdict(good + "="), kBadToken);
    EXPECT_EQ(verdict(good + " "), kBadToken);
    EXPECT_EQ(verdict(" " + good), kBadToken);
    EXPECT_EQ(verdict(good + "\n"), kBadToken);
    EXPECT_EQ(verdict(good + std::string(1, '\0')), kBadToken);
    EXPECT_EQ(verdict(good.substr(0, good.size() - 1)), kBadToken);
    EXPECT_EQ(verdict(good + "A"), kBadToken);
    EXPECT_EQ(verdict(good.substr(0, good.rfind('.') + 1)), kBadToken);
    EXPECT_EQ(verdict(good.substr(0, good.rfind('.'))), kBadToken);
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bent = good;
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        EXPECT_EQ(verdict(bent), kBadToken) << "at " << i;
    }
}

// The 32 bytes of an HS256 signature leave two bits over: a lax decoder takes four texts for one signature.
TEST_F(JwtVerifierTest, RefusesOtherSpellingsOfTheSameSignature) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const auto good = token_of(kGood);
    const auto last = kAlphabet.find(good.back());
    for (std::size_t bits = 1; bits < 4; ++bits) {
        auto other = good;
        other.back() = kAlphabet[last ^ bits];
        EXPECT_EQ(verdict(other), kBadToken);
    }
    // Standard base64 instead of base64url, and padding.
    const auto standard = sign("ew+/." + encode(kGood));
    EXPECT_EQ(verdict(standard), kBadToken);
    EXPECT_EQ(verdict(sign(encode(R"({"alg":"HS256"})") + "=." + encode(kGood))), kBadToken);
    EXPECT_EQ(verdict(sign(encode(R"({"alg":"HS256"})") + "\n." + encode(kGood))), kBadToken);
}

TEST_F(JwtVerifierTest, RefusesPayloadsThatAreNotOneJsonObject) {
    for (const std::string payload : {"", "[]", "null", "\"x\"", "1", "{", "{}x", "{} {}", "not json", "{'a':1}"}) {
        EXPECT_EQ(verdict(token_of(payload)), kBadToken) << payload;
    }
    EXPECT_EQ(verdict(token_of("{}")), kBadToken);  // no exp
    EXPECT_EQ(verdict(token_of(kGood + "x")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood + std::string(1, '\0') + "x")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood + std::string(1, '\0'))), kBadToken);
    EXPECT_EQ(verdict(token_of(with("\"user_id\":\"\xff\",\"role\":\"DOCTOR\""))), kBadToken);
    std::string deep = with(R"("user_id":"34","role":"DOCTOR","x":)" + std::string(500, '[') + std::string(500, ']'));
    EXPECT_EQ(verdict(token_of(deep)), kBadToken);
}

TEST_F(JwtVerifierTest, RefusesClaimsSaidTwice) {
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":"PATIENT","role":"DOCTOR")"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":"PATIENT","ro\u006ce":"DOCTOR")"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":"PATIENT","exp":1900000000)"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":"PATIENT","x":[{"a":1,"a":2}])"))), kBadToken);
    EXPECT_EQ(verdict(token_of(with(R"("user_id":"34","role":"PATIENT","x":[{"a":1},{"a":2}])"))), "PATIENT 34");
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"none","alg":"HS256"})")), kBadToken);
    EXPECT_EQ(verdict(token_of(kGood, R"({"alg":"HS256","alg":"HS256"})")), kBadToken);
}

TEST_F(JwtVerifierTest, BoundsTheSize) {
    const auto padded = [](std::size_t size) {
        return token_of(with(R"("user_id":"34","role":"DOCTOR","x":")" + std::string(size, 'x') + "\""));
    };
    EXPECT_EQ(verdict(padded(5'900)), "DOCTOR 34");
    EXPECT_EQ(verdict(padded(6'200)), kBadToken);
    EXPECT_EQ(verdict(std::string(1'000'000, 'a')), kBadToken);
}

TEST_F(JwtVerifierTest, MintsWhatItAccepts) {
    for (const auto algorithm : {JwtAlgorithm::hs256, JwtAlgorithm::hs384, JwtAlgorithm::hs512}) {
        const JwtVerifier mine({.secret = "s", .algorithm = algorithm}, clock);
        clock.set(seconds{kNow});
        const auto token = mine.mint({.user_id = "12", .role = "DOCTOR"}, seconds{60});
        ASSERT_TRUE(mine.verify(token).has_value());
        EXPECT_EQ(mine.verify(token)->user_id, "12");
        EXPECT_EQ(mine.verify(token)->role, "DOCTOR");
        clock.set(seconds{kNow + 59});
        EXPECT_TRUE(mine.verify(token).has_value());
        clock.set(seconds{kNow + 60});
        EXPECT_FALSE(mine.verify(token).has_value());
    }
}

TEST_F(JwtVerifierTest, RemembersEachTokenForItself) {
    // More tokens than are remembered, each seen twice.
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 3000; ++i) {
            const auto id = std::to_string(i);
            ASSERT_EQ(verdict(token_of(with(R"("role":"PATIENT","sub":")" + id + "\""))), "PATIENT " + id);
        }
    }
    const auto later = token_of(with(R"("role":"PATIENT","sub":"1","nbf":1800000010)"));
    EXPECT_EQ(verdict(later), kBadToken);
    clock.set(seconds{kNow + 10});
    EXPECT_EQ(verdict(later), "PATIENT 1");
    clock.set(seconds{kNow});
    EXPECT_EQ(verdict(later), kBadToken);
}

TEST_F(JwtVerifierTest, KnowsItsAlgorithmsByName) {
    EXPECT_EQ(jwt_algorithm_from("HS512"), JwtAlgorithm::hs512);
    for (const auto* other : {"", "none", "hs256", "RS512", "PS256", "HS256 "})
        EXPECT_EQ(jwt_algorithm_from(other), std::nullopt);
    EXPECT_THROW(JwtVerifier({.secret = "", .algorithm = JwtAlgorithm::hs256}, clock), std::invalid_argument);
}

}  // namespace
}  // namespace directory
