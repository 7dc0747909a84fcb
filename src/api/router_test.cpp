#include "api/router.hpp"

#include <gtest/gtest.h>

#include <array>

namespace api {
namespace {

constexpr std::array<Pattern, 6> kTable{{{"GET", "/sessions"},
                                         {"POST", "/sessions"},
                                         {"GET", "/sessions/{}"},
                                         {"POST", "/sessions/{}/join"},
                                         {"GET", "/sessions/doctor/{}"},
                                         {"GET", "/"}}};

TEST(Router, FindsTheCodeAndThePiece) {
    const auto is = [](const char* method, const char* target, std::size_t index, const char* piece) {
        const auto routed = route(kTable, method, target);
        const auto* found = std::get_if<Found>(&routed);
        ASSERT_NE(found, nullptr) << target;
        EXPECT_EQ(found->index, index) << target;
        EXPECT_EQ(found->piece, piece) << target;
    };
    is("GET", "/sessions?a=/b/c", 0, "");
    is("POST", "/sessions", 1, "");
    is("GET", "/sessions/abc", 2, "abc");
    is("GET", "/sessions/a%2Fb%20c?x", 2, "a/b c");
    is("POST", "/sessions/abc/join", 3, "abc");
    is("GET", "/sessions/doctor/12", 4, "12");
    is("POST", "/sessions/doctor/join", 3, "doctor");
    is("GET", "/", 5, "");
}

TEST(Router, KnowsPathFromMethod) {
    for (const auto* unknown : {"/session", "/sessions/a/b", "//sessions", "/Sessions", "", "*", "/sessions/a//join",
                                "/sessions/%zz", "/sessions/a/join/x"}) {
        EXPECT_TRUE(std::holds_alternative<NoSuchPath>(route(kTable, "GET", unknown))) << unknown;
    }
    const auto allow = [](const char* method, const char* target) {
        return std::get<NoSuchMethod>(route(kTable, method, target)).allow;
    };
    EXPECT_EQ(allow("DELETE", "/sessions"), "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(allow("BREW", "/sessions/abc"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(allow("OPTIONS", "/sessions/doctor/join"), "POST, GET, HEAD, OPTIONS");
    EXPECT_EQ(allow("get", "/"), "GET, HEAD, OPTIONS");
}

TEST(Router, TellsTheMethodsOfAPath) {
    EXPECT_EQ(methods_of(kTable, "/sessions?page=2"), "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(methods_of(kTable, "/sessions/a/join"), "POST, OPTIONS");
    EXPECT_EQ(methods_of(kTable, "/nothing"), "");
    EXPECT_EQ(methods_of(kTable, "/sessions/"), "");
}

TEST(Router, ATrailingSlashLeadsToTheSamePathWithout) {
    const auto location = [](const char* target) {
        return std::get<TrailingSlash>(route(kTable, "POST", target)).location;
    };
    EXPECT_EQ(location("/sessions/"), "../sessions");
    EXPECT_EQ(location("/sessions/?page=2"), "../sessions?page=2");
    EXPECT_EQ(location("/sessions/a%2Fb/join/"), "../join");
    EXPECT_TRUE(std::holds_alternative<NoSuchPath>(route(kTable, "GET", "//")));
    EXPECT_TRUE(std::holds_alternative<NoSuchPath>(route(kTable, "GET", "/nothing/")));
    EXPECT_TRUE(std::holds_alternative<NoSuchPath>(route(kTable, "GET", "//evil.example/")));
}

}  // namespace
}  // namespace api
