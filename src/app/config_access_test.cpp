#include <gtest/gtest.h>

#include "app/config_test_reader.hpp"

namespace app {
namespace {

using test::complaint;
using test::read;

TEST(AccessConfig, NobodyElsesPagesByDefault) {
    const auto config = read({});
    ASSERT_TRUE(config.has_value());
    EXPECT_FALSE(config->access.any_origin);
    EXPECT_TRUE(config->access.origins.empty());
    EXPECT_TRUE(config->access.is_limited);
}

TEST(AccessConfig, OriginsAreAsBrowsersWriteThem) {
    const auto config = read({{"CORS_ORIGINS",
                               "https://clinic.example.org, HTTP://Localhost:3000,https://a.example:443,"
                               "http://b.example:80,http://[2001:db8::1]:8080,https://clinic.example.org"}});
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->access.origins,
              (std::vector<std::string>{"https://clinic.example.org", "http://localhost:3000", "https://a.example",
                                        "http://b.example", "http://[2001:db8::1]:8080"}));
    EXPECT_FALSE(config->access.any_origin);
}

TEST(AccessConfig, AStarStandsAlone) {
    const auto config = read({{"CORS_ORIGINS", " * "}});
    ASSERT_TRUE(config.has_value());
    EXPECT_TRUE(config->access.any_origin);
    EXPECT_TRUE(config->access.origins.empty());
    for (const auto* both : {"*,https://a.example", "https://a.example,*"}) {
        EXPECT_EQ(complaint({{"CORS_ORIGINS", both}}),
                  "CORS_ORIGINS: expected either * or origins by name: * allows no credentials, names do");
    }
}

TEST(AccessConfig, WhatIsNoOriginIsRefused) {
    for (const auto* wrong : {"clinic.example.org", "https://a.example/", "https://a.example/path", "null",
                              "https://*.example.org", "ftp://a.example", "https://me@a.example", "https://",
                              "https://a.example?x", "https://a.example:x", "https://a.example https://b.example"}) {
        EXPECT_TRUE(complaint({{"CORS_ORIGINS", wrong}}).starts_with("CORS_ORIGINS: expected origins such as"))
            << wrong;
    }
}

TEST(AccessConfig, LimitsAreSetOneByOne) {
    const auto config = read({{"RATE_LIMIT", "off"},
                              {"RATE_LIMIT_READ", "1"},
                              {"RATE_LIMIT_WRITE", "2"},
                              {"RATE_LIMIT_JOIN", "3"},
                              {"RATE_LIMIT_REFRESH", "4"},
                              {"RATE_LIMIT_ADDRESS", "5"},
                              {"RATE_LIMIT_ANONYMOUS", "6"},
                              {"RATE_LIMIT_FAILED", "0"}});
    ASSERT_TRUE(config.has_value());
    const auto& access = config->access;
    EXPECT_FALSE(access.is_limited);
    EXPECT_EQ((std::vector{access.read, access.write, access.join, access.refresh, access.address, access.anonymous,
                           access.failed}),
              (std::vector{1, 2, 3, 4, 5, 6, 0}));
    EXPECT_EQ(complaint({{"RATE_LIMIT_READ", "-1"}}), "RATE_LIMIT_READ: expected a whole number from 0 to 1000000");
    EXPECT_EQ(complaint({{"RATE_LIMIT", "100"}}), "RATE_LIMIT: expected true or false");
}

}  // namespace
}  // namespace app
