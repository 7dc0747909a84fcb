// Tokens that have run out: who is still recognised, and what the new token says.
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "directory/jwt_verifier.hpp"
#include "directory/strict_object.hpp"
#include "directory/test_keys.hpp"

namespace directory {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::encoded;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr const char* kBadToken = "Invalid authentication credentials";
const std::string kSecret = "0123456789abcdef0123456789abcdef";

class FixedClock final : public core::Clock {
  public:
    core::Time now() const override { return core::Time{now_}; }
    void set(std::chrono::microseconds now) { now_ = now; }

  private:
    std::chrono::microseconds now_ = seconds{kNow};
};

std::string token_of(const std::string& payload, const std::string& key = kSecret) {
    const auto text = encoded(R"({"alg":"HS256"})") + "." + encoded(payload);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         mac.data(), &size);
    return text + "." + core::base64url({mac.data(), size});
}
/// A token of the auth service that expires so long after now, with more claims.
std::string expiring(std::int64_t seconds_from_now, const std::string& more = {}) {
    return token_of(R"({"user_id":"34","role":"DOCTOR","iat":1799990000,"exp":)" +
                    std::to_string(kNow + seconds_from_now) + more + "}");
}

class TokenRenewalTest : public ::testing::Test {
  protected:
    std::string verdict(const std::string& token, seconds grace = minutes{30}) const {
        const auto identity = verifier.recognise(token, grace);
        if (identity) return identity->caller.role + " " + identity->caller.user_id;
        EXPECT_EQ(identity.error().kind, core::ErrorKind::unauthenticated);
        return identity.error().detail;
    }

    FixedClock clock;
    JwtVerifier verifier{{.secret = kSecret, .algorithm = JwtAlgorithm::hs256}, clock};
};

TEST_F(TokenRenewalTest, RecognisesWhoCameWithinTheGrace) {
    EXPECT_EQ(verdict(expiring(100)), "DOCTOR 34");
    EXPECT_EQ(verdict(expiring(0)), "DOCTOR 34");
    EXPECT_EQ(verdict(expiring(-1799)), "DOCTOR 34");
    EXPECT_EQ(verdict(expiring(-1800)), kBadToken);
    EXPECT_EQ(verdict(expiring(-1)), "DOCTOR 34");
    EXPECT_EQ(verdict(expiring(-1), seconds{0}), kBadToken);
    EXPECT_EQ(verdict(expiring(-1), seconds{-100}), kBadToken);
    EXPECT_EQ(verdict(expiring(1), seconds{-100}), "DOCTOR 34");
    EXPECT_EQ(verdict(expiring(-100'000), std::chrono::hours{24}), kBadToken);
}

TEST_F(TokenRenewalTest, NothingElseIsForgiven) {
    EXPECT_EQ(verdict(expiring(-1).substr(0, expiring(-1).size() - 3)), kBadToken);
    EXPECT_EQ(verdict(token_of(R"({"user_id":"34","role":"DOCTOR","exp":1799999999})", "another")), kBadToken);
    EXPECT_EQ(verdict(expiring(-1, R"(,"aud":"x")")), kBadToken);
    EXPECT_EQ(verdict(expiring(-1, R"(,"nbf":1800000001)")), kBadToken);
    EXPECT_EQ(verdict(token_of(R"({"user_id":"34","role":"DOCTOR"})")), kBadToken);
    EXPECT_EQ(verdict(token_of(R"({"role":"DOCTOR","exp":1799999999})")), "Invalid token payload");
    EXPECT_EQ(verdict(token_of(R"({"user_id":"34","exp":1799999999})")), "Invalid token payload");
    EXPECT_EQ(verdict(std::string(10'000, 'a')), kBadToken);
    EXPECT_EQ(verdict(""), kBadToken);
}

TEST_F(TokenRenewalTest, BeingRecognisedOpensNoOtherDoor) {
    const auto token = expiring(-1);
    EXPECT_EQ(verdict(token), "DOCTOR 34");
    EXPECT_FALSE(verifier.verify(token).has_value());
    clock.set(seconds{kNow - 10});
    EXPECT_TRUE(verifier.verify(token).has_value());
    clock.set(seconds{kNow});
    EXPECT_EQ(verdict(token), "DOCTOR 34");
    EXPECT_FALSE(verifier.verify(token).has_value());
}

TEST_F(TokenRenewalTest, CarriesEmailAndNameOver) {
    const auto identity = verifier.recognise(expiring(1, R"(,"email":"a@b.example","name":"Ada \u00c4")"), seconds{0});
    ASSERT_TRUE(identity.has_value());
    EXPECT_EQ(identity->email, "a@b.example");
    EXPECT_EQ(identity->name, "Ada \xc3\x84");
    for (const auto& odd : {std::string{R"(,"email":1,"name":null)"}, std::string{R"(,"email":"","name":"")"},
                            ",\"name\":\"" + std::string(201, 'a') + "\""}) {
        const auto without = verifier.recognise(expiring(1, odd), seconds{0});
        ASSERT_TRUE(without.has_value());
        EXPECT_EQ(without->email, std::nullopt);
        EXPECT_EQ(without->name, std::nullopt);
    }
}

TEST_F(TokenRenewalTest, IssuesWhatItAccepts) {
    clock.set(seconds{kNow} + std::chrono::milliseconds{700});
    const service::Identity identity{{.user_id = "34", .role = "PATIENT"}, "a@b.example", "Ada \"A\" Byron"};
    const auto issued = verifier.issue(identity, minutes{60});
    ASSERT_TRUE(issued.has_value());
    EXPECT_EQ(issued->expires_at, core::Time{seconds{kNow + 3600}});
    const auto begin = issued->token.find('.') + 1;
    const auto payload = *core::from_base64url(issued->token.substr(begin, issued->token.rfind('.') - begin));
    const auto claims = parse_strict_object(core::as_text(payload));
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->size(), 7U);
    for (const auto& [name, value] : {std::pair{"sub", "34"},
                                      {"user_id", "34"},
                                      {"role", "PATIENT"},
                                      {"email", "a@b.example"},
                                      {"name", "Ada \"A\" Byron"}}) {
        EXPECT_EQ(claims->at(name).as_string(), value);
    }
    EXPECT_EQ(claims->at("iat").as_int64(), kNow);
    EXPECT_EQ(claims->at("exp").as_int64(), kNow + 3600);

    EXPECT_EQ(verifier.verify(issued->token)->user_id, "34");
    clock.set(seconds{kNow + 3600 + 60});
    EXPECT_FALSE(verifier.verify(issued->token).has_value());
    const auto again = verifier.recognise(issued->token, minutes{30});
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->name, identity.name);
    EXPECT_EQ(again->caller.role, "PATIENT");
}

TEST_F(TokenRenewalTest, LeavesOutWhatItDoesNotKnow) {
    const auto issued = verifier.issue({{.user_id = "34", .role = "DOCTOR"}, {}, {}}, seconds{60});
    ASSERT_TRUE(issued.has_value());
    const auto identity = verifier.recognise(issued->token, seconds{0});
    ASSERT_TRUE(identity.has_value());
    EXPECT_EQ(identity->email, std::nullopt);
    EXPECT_EQ(identity->name, std::nullopt);
}

}  // namespace
}  // namespace directory
