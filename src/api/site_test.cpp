// The site as a whole, over ports that are down or answer simply: who gets in, what an unknown path, a failing store
// and a foreign page are told. What sessions do is tested with the real stores elsewhere.
#include <boost/json/parse.hpp>

#include "api/site_test_parts.hpp"

namespace api::testing_parts {
namespace {

namespace json = boost::json;

TEST_F(SiteTest, NothingOfTheApiIsOpenWithoutAToken) {
    const std::vector<std::pair<const char*, const char*>> all{{"POST", "/api/video/sessions"},
                                                               {"GET", "/api/video/sessions"},
                                                               {"GET", "/api/video/sessions/x"},
                                                               {"POST", "/api/video/sessions/x/join"},
                                                               {"POST", "/api/video/sessions/x/start"},
                                                               {"POST", "/api/video/sessions/x/leave"},
                                                               {"POST", "/api/video/sessions/x/end"},
                                                               {"POST", "/api/video/sessions/x/cancel"},
                                                               {"PUT", "/api/video/sessions/x/notes"},
                                                               {"GET", "/api/video/sessions/x/events"},
                                                               {"GET", "/api/video/sessions/doctor/1"},
                                                               {"GET", "/api/video/sessions/patient/1"},
                                                               {"GET", "/api/video/metrics/usage"},
                                                               {"GET", "/api/video/sessions/by-appointment/x"},
                                                               {"POST", "/api/video/sessions/x/quality"},
                                                               {"POST", "/api/video/sessions/x/transcription"},
                                                               {"DELETE", "/api/video/sessions/x/transcription"}};
    const std::vector<std::pair<Headers, const char*>> credentials{
        {{}, "Not authenticated"},
        {{{"Authorization", ""}}, "Not authenticated"},
        {{{"Authorization", "Bearer"}}, "Not authenticated"},
        {{{"Authorization", "Bearer   "}}, "Not authenticated"},
        {{{"Authorization", "Basic ZG9jdG9yOjEy"}}, "Invalid authentication credentials"},
        {{{"Authorization", "Bearer forged"}}, "Invalid authentication credentials"},
        {{{"Authorization", "bearer empty"}}, "Invalid token payload"},
        {{{"X-User-ID", "12"}, {"X-User-Role", "ADMIN"}}, "Not authenticated"}};
    for (const auto& [method, target] : all) {
        for (const auto& [headers, text] : credentials) {
            const auto response = ask(method, target, headers, "{\"broken");
            EXPECT_EQ(response.status, 401u) << target;
            EXPECT_EQ(response.body, std::string{"{\"detail\":\""} + text + "\"}") << target;
            EXPECT_EQ(header(response, "WWW-Authenticate"), "Bearer") << target;
        }
    }
    EXPECT_EQ(store_.asked, 0);
}

TEST_F(SiteTest, TheSchemeIsBearerInAnyCase) {
    for (const auto* scheme : {"Bearer DOCTOR", "bearer DOCTOR", "BEARER   DOCTOR "}) {
        EXPECT_EQ(ask("GET", "/api/video/sessions", {{"Authorization", scheme}}).status, 503u) << scheme;
    }
}

TEST_F(SiteTest, ValidationComesAfterTheTokenAndBeforeEverythingElse) {
    const Headers doctor{{"Authorization", "Bearer DOCTOR"}};
    EXPECT_EQ(ask("POST", "/api/video/sessions/nope/join", doctor).status, 422u);
    EXPECT_EQ(ask("POST", "/api/video/sessions/nope/cancel", doctor, "{}").status, 422u);
    EXPECT_EQ(ask("POST", "/api/video/sessions/nope/quality", doctor, "{}").status, 422u);
    EXPECT_EQ(ask("POST", "/api/video/sessions/nope/transcription", doctor, R"({"type":"SONG"})").status, 422u);
    EXPECT_EQ(ask("GET", "/api/video/sessions?status=IN_PROGRESS", doctor).status, 422u);
    EXPECT_EQ(ask("GET", "/api/video/metrics/usage?month=abc", {{"Authorization", "Bearer PATIENT"}}).status, 422u);
    EXPECT_EQ(store_.asked, 0);
}

TEST_F(SiteTest, AStoreThatIsDownIs503WithoutDetails) {
    const Headers doctor{{"Authorization", "Bearer DOCTOR"}};
    for (const auto& response :
         {ask("GET", "/api/video/sessions/x", doctor), ask("POST", "/api/video/sessions", doctor, kBooking),
          ask("POST", "/api/video/sessions/x/join", doctor, "{}")}) {
        EXPECT_EQ(response.status, 503u);
        EXPECT_EQ(header(response, "Retry-After"), "7");
        EXPECT_EQ(response.body.find("10.1.2.3"), std::string::npos);
    }
}

TEST_F(SiteTest, OurOwnFailuresTellNothing) {
    const Headers doctor{{"Authorization", "Bearer DOCTOR"}};
    store_.error = {core::ErrorKind::internal, "INSERT INTO … 'patient data'", {}};
    EXPECT_EQ(ask("POST", "/api/video/sessions", doctor, kBooking).body,
              R"({"detail":"Failed to create video consultation session: internal error"})");
    EXPECT_EQ(ask("POST", "/api/video/sessions/x/join", doctor, "{}").body,
              R"({"detail":"Failed to join video session: internal error"})");
    EXPECT_EQ(ask("POST", "/api/video/sessions/x/start", doctor).body,
              R"({"detail":"Failed to start video meeting: internal error"})");
    const auto other = ask("GET", "/api/video/sessions/x", doctor);
    EXPECT_EQ(other.status, 500u);
    EXPECT_EQ(other.body, R"({"error":"Internal server error","detail":"An unexpected error occurred"})");
}

TEST_F(SiteTest, ExceptionsAreShownOnlyWhenDebugging) {
    const Headers doctor{{"Authorization", "Bearer DOCTOR"}};
    store_.throws = true;
    EXPECT_EQ(ask("GET", "/api/video/sessions/x", doctor).body,
              R"({"error":"Internal server error","detail":"An unexpected error occurred"})");
    settings_.debug = true;
    handler_ = {};
    EXPECT_EQ(ask("GET", "/api/video/sessions/x", doctor).body,
              R"({"error":"Internal server error","detail":"secret of the store"})");
}

TEST_F(SiteTest, IdsThatNobodyHasNeverReachTheStore) {
    const Headers doctor{{"Authorization", "Bearer DOCTOR"}};
    for (const std::string& id :
         {std::string{"%00"}, std::string{"a%00b"}, std::string{"%ff"}, std::string(101, 'x')}) {
        const auto response = ask("GET", "/api/video/sessions/" + id, doctor);
        EXPECT_EQ(response.status, 404u) << id;
        EXPECT_EQ(response.body, R"({"detail":"Video consultation session not found"})") << id;
        EXPECT_EQ(ask("GET", "/api/video/sessions/doctor/" + id, doctor).status, 422u) << id;
        EXPECT_EQ(ask("GET", "/api/video/sessions/by-appointment/" + id, doctor).status, 404u) << id;
        EXPECT_EQ(ask("DELETE", "/api/video/sessions/" + id + "/transcription", doctor).status, 404u) << id;
    }
    EXPECT_EQ(store_.asked, 0);
}

TEST_F(SiteTest, UnknownPathsAndMethods) {
    EXPECT_EQ(ask("GET", "/nothing").status, 404u);
    EXPECT_EQ(ask("GET", "/nothing").body, R"({"detail":"Not Found"})");
    EXPECT_EQ(ask("GET", "/api/video/sessions/%zz").status, 404u);
    const auto response = ask("DELETE", "/api/video/sessions/x/events");
    EXPECT_EQ(response.status, 405u);
    EXPECT_EQ(response.body, R"({"detail":"Method Not Allowed"})");
    EXPECT_EQ(header(response, "Allow"), "GET, HEAD, OPTIONS");
    const auto options = ask("OPTIONS", "/api/video/sessions");
    EXPECT_EQ(options.status, 200u);
    EXPECT_EQ(header(options, "Allow"), "POST, GET, HEAD, OPTIONS");
    EXPECT_EQ(ask("OPTIONS", "/nothing").status, 404u);
    const auto slash = ask("POST", "/api/video/sessions/?a=b");
    EXPECT_EQ(slash.status, 307u);
    EXPECT_EQ(header(slash, "Location"), "../sessions?a=b");
}

TEST_F(SiteTest, HealthTellsTheTruth) {
    const auto down = json::parse(ask("GET", "/health").body);
    EXPECT_EQ(down.at("status"), "degraded");
    EXPECT_EQ(down.at("database"), "unhealthy");
    EXPECT_EQ(down.at("rabbitmq"), "disabled");
    EXPECT_EQ(ask("GET", "/health").status, 200u);
    EXPECT_EQ(ask("GET", "/health/live").status, 200u);
    EXPECT_EQ(ask("GET", "/health/ready").status, 503u);
}

TEST_F(SiteTest, MetricsAreTextForPrometheus) {
    settings_.vitals = [] {
        service::Vitals vitals;
        vitals.jobs_waiting = 3;
        return vitals;
    };
    const auto response = ask("GET", "/metrics");
    EXPECT_EQ(response.status, 200u);
    EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(response.body.find("\nvideo_consultation_jobs_waiting 3\n"), std::string::npos);
    EXPECT_NE(response.body.find("\nvideo_consultation_database_up 0\n"), std::string::npos);
}

TEST_F(SiteTest, DocumentCarriesTheConfiguredNameAndVersion) {
    settings_.app_name = "A \"clinic\"";
    settings_.version = "9.8.7";
    const auto document = json::parse(ask("GET", "/openapi.json").body);
    EXPECT_EQ(document.at("info").at("title"), json::value(settings_.app_name));
    EXPECT_EQ(document.at("info").at("version"), "9.8.7");
    EXPECT_EQ(document.at("openapi"), "3.1.0");
}

TEST_F(SiteTest, PagesAskNoOtherHost) {
    for (const auto* page : {"/docs", "/redoc"}) {
        const auto response = ask("GET", page);
        EXPECT_EQ(response.status, 200u) << page;
        EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
        EXPECT_EQ(response.static_body.find("//"), std::string_view::npos) << page;
        EXPECT_EQ(response.static_body.find("=\"/"), std::string_view::npos) << page;
        EXPECT_NE(header(response, "Content-Security-Policy").find("default-src 'none'"), std::string::npos);
        EXPECT_NE(header(response, "Content-Security-Policy").find("frame-ancestors 'none'"), std::string::npos);
        EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
    }
    EXPECT_EQ(ask("GET", "/docs/swagger-init.js").status, 200u);
    EXPECT_EQ(ask("GET", "/docs/no-such-file.js").status, 404u);
    EXPECT_EQ(ask("GET", "/docs/..%2f..%2fetc%2fpasswd").status, 404u);
    EXPECT_EQ(ask("GET", "/assets/..%2findex.html").status, 404u);
}

}  // namespace
}  // namespace api::testing_parts
