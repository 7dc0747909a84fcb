// Pages of other origins, and people who ask too often.
#include "api/site_test_parts.hpp"

namespace api {
namespace {

using namespace testing_parts;

constexpr std::string_view kSessions = "/api/video/sessions";

class CorsTest : public SiteTest {
  protected:
    net::Response preflight(const std::string& origin, std::string_view target = kSessions,
                            const std::string& method = "POST") {
        return ask("OPTIONS", target,
                   {{"Origin", origin},
                    {"Access-Control-Request-Method", method},
                    {"Access-Control-Request-Headers", "authorization, x-user-id"}});
    }
    net::Response read(const std::string& origin) { return ask("GET", "/openapi.json", {{"Origin", origin}}); }
};

TEST_F(CorsTest, PagesOfOtherOriginsReadNothingUnlessNamed) {
    for (const auto& response : {preflight("https://elsewhere.example"), read("https://elsewhere.example")}) {
        EXPECT_EQ(response.status, 200u);
        for (const auto& [name, value] : response.headers) EXPECT_FALSE(name.starts_with("Access-Control-")) << name;
        EXPECT_EQ(header(response, "Vary"), "");
    }
}

TEST_F(CorsTest, ANamedOriginMayAlsoSendCredentials) {
    settings_.cors.origins = {"https://clinic.example", "http://localhost:3000"};
    const auto asked = preflight("https://clinic.example");
    EXPECT_EQ(asked.status, 200u);
    EXPECT_EQ(asked.body, "OK");
    EXPECT_EQ(header(asked, "Access-Control-Allow-Origin"), "https://clinic.example");
    EXPECT_EQ(header(asked, "Access-Control-Allow-Credentials"), "true");
    EXPECT_EQ(header(asked, "Access-Control-Allow-Methods"), "POST, GET, HEAD, OPTIONS");
    EXPECT_EQ(header(asked, "Access-Control-Max-Age"), "600");
    EXPECT_EQ(header(asked, "Vary"), "Origin");
    const auto allowed = header(asked, "Access-Control-Allow-Headers");
    for (const auto* name : {"Authorization", "Content-Type", "If-Match", "Idempotency-Key", "traceparent",
                             "Last-Event-ID", "X-User-ID"}) {
        EXPECT_NE(allowed.find(name), std::string::npos) << name;
    }
    const auto answer = ask("GET", kSessions, {{"Origin", "http://localhost:3000"}});
    EXPECT_EQ(answer.status, 401u);
    EXPECT_EQ(header(answer, "Access-Control-Allow-Origin"), "http://localhost:3000");
    EXPECT_EQ(header(answer, "Access-Control-Allow-Credentials"), "true");
    const auto exposed = header(answer, "Access-Control-Expose-Headers");
    for (const auto* name :
         {"Retry-After", "RateLimit", "RateLimit-Policy", "ETag", "X-Request-ID", "WWW-Authenticate"}) {
        EXPECT_NE(exposed.find(name), std::string::npos) << name;
    }
}

TEST_F(CorsTest, OriginsAreComparedWhole) {
    settings_.cors.origins = {"https://clinic.example"};
    for (const auto* other :
         {"https://clinic.example.evil.example", "http://clinic.example", "https://clinic.example:8443",
          "https://evil.example/https://clinic.example", "null", "https://CLINIC.example", ""}) {
        EXPECT_EQ(header(preflight(other), "Access-Control-Allow-Origin"), "") << other;
        EXPECT_EQ(header(preflight(other), "Access-Control-Allow-Credentials"), "") << other;
        EXPECT_EQ(header(read(other), "Access-Control-Allow-Origin"), "") << other;
        EXPECT_EQ(header(read(other), "Vary"), "Origin") << other;
    }
    EXPECT_EQ(header(ask("GET", "/openapi.json"), "Vary"), "Origin") << "for caches";
}

TEST_F(CorsTest, AnyOriginNeverGetsCredentials) {
    settings_.cors.any = true;
    for (const auto& response : {preflight("https://elsewhere.example"), read("https://elsewhere.example")}) {
        EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "*");
        EXPECT_EQ(header(response, "Access-Control-Allow-Credentials"), "");
    }
    EXPECT_EQ(header(ask("GET", "/openapi.json"), "Access-Control-Allow-Origin"), "");
}

TEST_F(CorsTest, APreflightTellsTheMethodsOfItsPath) {
    settings_.cors.origins = {"https://clinic.example"};
    const auto methods = [&](std::string_view target) {
        return header(preflight("https://clinic.example", target), "Access-Control-Allow-Methods");
    };
    EXPECT_EQ(methods("/api/video/sessions/x/notes"), "PUT, OPTIONS");
    EXPECT_EQ(methods("/api/video/sessions/x/transcription"), "POST, DELETE, OPTIONS");
    const auto nowhere = preflight("https://clinic.example", "/nothing");
    EXPECT_EQ(nowhere.status, 404u);
    EXPECT_EQ(header(nowhere, "Access-Control-Allow-Origin"), "https://clinic.example") << "so that the page sees why";
}

class RatesTest : public SiteTest {
  protected:
    void limit(const RateSettings& wanted) {
        limits_.emplace(wanted, "a secret");
        settings_.limits = &*limits_;
    }
    /// How many of ten are let in.
    int let_in(std::string_view method, std::string_view target, const Headers& headers = {}) {
        int count = 0;
        for (int i = 0; i < 10; ++i) {
            last_ = ask(method, target, headers);
            count += last_.status == 429 ? 0 : 1;
        }
        return count;
    }

    const Headers doctor_{{"Authorization", "Bearer DOCTOR"}};
    std::optional<RateLimits> limits_;
    net::Response last_;
};

TEST_F(RatesTest, ReadingWritingAndJoiningAreCountedApart) {
    limit({.read = 5, .write = 4, .join = 3});
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x", doctor_), 5);
    EXPECT_EQ(last_.status, 429u);
    EXPECT_EQ(last_.body, R"({"detail":"Too many requests, please wait a moment"})");
    EXPECT_EQ(header(last_, "RateLimit-Policy"), R"("read";q=5;w=60)");
    EXPECT_EQ(header(last_, "RateLimit"), R"("read";r=0;t=60)");
    EXPECT_EQ(header(last_, "Retry-After"), "12");
    EXPECT_EQ(let_in("PUT", "/api/video/sessions/x/notes", doctor_), 4);
    EXPECT_EQ(let_in("POST", "/api/video/sessions/x/join", doctor_), 3);
    EXPECT_EQ(let_in("POST", "/api/video/sessions/x/start", doctor_), 0) << "a way to join as well";
}

TEST_F(RatesTest, AnswersSayWhatIsLeft) {
    limit({.read = 5});
    const auto answer = ask("GET", "/api/video/sessions/x", doctor_);
    EXPECT_EQ(answer.status, 503u);
    EXPECT_EQ(header(answer, "RateLimit-Policy"), R"("read";q=5;w=60)");
    EXPECT_EQ(header(answer, "RateLimit"), R"("read";r=4;t=12)");
    EXPECT_EQ(header(ask("GET", "/openapi.json"), "RateLimit"), "");
}

TEST_F(RatesTest, RenewalsAreCountedByUser) {
    RoleIsIdentity issuer;
    settings_.issuer = &issuer;
    limit({.refresh = 2});
    EXPECT_EQ(let_in("POST", "/api/video/auth/refresh-token", doctor_), 2);
    EXPECT_EQ(header(last_, "RateLimit-Policy"), R"("refresh";q=2;w=60)");
}

TEST_F(RatesTest, WrongTokensAreCountedButLockNobodyOut) {
    limit({.failed = 3});
    const Headers forged{{"Authorization", "Bearer forged"}};
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x", forged), 3);
    EXPECT_EQ(header(last_, "RateLimit-Policy"), R"("failed";q=3;w=60)");
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x", doctor_), 10) << "from the same address";
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x"), 10) << "no token is no wrong token";
    settings_.chime_events_secret = "right";
    handler_ = {};
    EXPECT_EQ(let_in("POST", "/api/video/chime/events", {{"X-Api-Key", "wrong"}}), 0);
}

TEST_F(RatesTest, ATokenThatWasGoodIsNoWrongOne) {
    // Renews what the verifier does not take any more.
    class Expired final : public service::TokenIssuer {
      public:
        core::Result<service::Identity> recognise(std::string_view, std::chrono::seconds allowed) const override {
            if (allowed < std::chrono::hours{24}) return core::fail(core::ErrorKind::unauthenticated, "expired");
            return service::Identity{{"12", "DOCTOR"}, std::nullopt, std::nullopt};
        }
        core::Result<service::IssuedToken> issue(const service::Identity&, std::chrono::seconds) const override {
            return core::fail(core::ErrorKind::unsupported, "none");
        }
    };
    Expired issuer;
    settings_.issuer = &issuer;
    limit({.failed = 3});
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x", {{"Authorization", "Bearer forged"}}), 10);
    EXPECT_EQ(last_.status, 401u);
}

TEST_F(RatesTest, StrangersShareTheirAddressesLimitAndProbesHaveNone) {
    limit({.anonymous = 4});
    EXPECT_EQ(let_in("GET", "/openapi.json"), 4);
    EXPECT_EQ(let_in("GET", "/nothing"), 0);
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x"), 0);
    EXPECT_EQ(let_in("GET", "/health"), 0);
    for (const auto* probe : {"/health/live", "/health/ready", "/metrics"}) EXPECT_EQ(let_in("GET", probe), 10);
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x", doctor_), 10) << "whoever is known is no stranger";
}

TEST_F(RatesTest, AnAddressMayHaveALimitOfItsOwn) {
    limit({.address = 6});
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x", doctor_), 6);
    EXPECT_EQ(header(last_, "RateLimit-Policy"), R"("address";q=6;w=60)");
    EXPECT_EQ(let_in("GET", "/openapi.json"), 0);
}

TEST_F(RatesTest, ZeroIsNoLimit) {
    limit({.read = 0, .write = 0, .join = 0, .refresh = 0, .address = 0, .anonymous = 0, .failed = 0});
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x", doctor_), 10);
    EXPECT_EQ(header(last_, "RateLimit"), "");
    EXPECT_EQ(let_in("GET", "/api/video/sessions/x", {{"Authorization", "Bearer forged"}}), 10);
}

}  // namespace
}  // namespace api
