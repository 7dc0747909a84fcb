#include <gtest/gtest.h>

#include <fstream>

#include "app/config_test_reader.hpp"

namespace app {
namespace {

using namespace std::chrono_literals;

using test::complaint;
using test::read;

TEST(ChimeApiConfig, IsOffByDefault) {
    const auto config = read({});
    ASSERT_TRUE(config.has_value());
    EXPECT_TRUE(config->chime_api.keys.empty());
    EXPECT_EQ(config->chime_api.empty_for, 5min);
    EXPECT_EQ(config->chime_api.longest, 24h);
}

TEST(ChimeApiConfig, KeysStandInTheVariable) {
    const auto config = read({{"CHIME_API_KEYS", "AKIDONE:a/secret+with=signs:in, two:0123456789abcdef"},
                              {"CHIME_MEETING_EMPTY_MINUTES", "7"},
                              {"CHIME_MEETING_MAX_HOURS", "2"}});
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->chime_api.keys.size(), 2U);
    EXPECT_EQ(config->chime_api.keys.at("AKIDONE"), "a/secret+with=signs:in");
    EXPECT_EQ(config->chime_api.keys.at("two"), "0123456789abcdef");
    EXPECT_EQ(config->chime_api.empty_for, 7min);
    EXPECT_EQ(config->chime_api.longest, 2h);
}

TEST(ChimeApiConfig, KeysStandInAFile) {
    const auto path = testing::TempDir() + "chime-api-keys";
    std::ofstream(path)
        << "# of the ward\nAKIDONE:0123456789abcdef\r\n\nAKIDTWO:fedcba9876543210,AKIDTHREE:0123456789abcdef\n";
    const auto config = read({{"CHIME_API_KEYS_FILE", path}, {"CHIME_API_KEYS", "AKIDFOUR:0123456789abcdef"}});
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->chime_api.keys.size(), 4U);
    EXPECT_EQ(config->chime_api.keys.at("AKIDTWO"), "fedcba9876543210");
    EXPECT_EQ(complaint({{"CHIME_API_KEYS_FILE", path + "-absent"}}).find("CHIME_API_KEYS_FILE: "), 0U);
}

TEST(ChimeApiConfig, SlipsAreNamedAndNotRepeated) {
    for (const std::string wrong : {"AKID", "AKID:short", ":0123456789abcdef", "A B:0123456789abcdef",
                                    "A:0123456789abcdef,A:0123456789abcdef", "A:0123456789 abcdef"}) {
        const auto told = complaint({{"CHIME_API_KEYS", wrong}});
        EXPECT_EQ(told.find("CHIME_API_KEYS: "), 0U) << wrong;
        EXPECT_EQ(told.find("0123456789"), std::string::npos) << wrong;
    }
    const std::string good = "AKID:0123456789abcdef";
    EXPECT_EQ(complaint({{"CHIME_API_KEYS", good},
                         {"MEETING_PROVIDER", "chime"},
                         {"AWS_ACCESS_KEY_ID", "A"},
                         {"AWS_SECRET_ACCESS_KEY", "s"}})
                  .find("MEETING_PROVIDER: "),
              0U);
    EXPECT_EQ(complaint({{"CHIME_NOTIFICATIONS_URL", "ftp://x"}}).find("CHIME_NOTIFICATIONS_URL: "), 0U);
    EXPECT_EQ(complaint({{"CHIME_NOTIFICATIONS_URL", "http://x"}}).find("WEBHOOK_SECRET: "), 0U);
    EXPECT_EQ(complaint({{"CHIME_NOTIFICATIONS_URL", "http://x"}, {"WEBHOOK_SECRET", "s"}}), "accepted");
    EXPECT_EQ(complaint({{"CHIME_MEETING_EMPTY_MINUTES", "0"}}).find("CHIME_MEETING_EMPTY_MINUTES: "), 0U);
    EXPECT_EQ(complaint({{"CHIME_MEETING_MAX_HOURS", "x"}}).find("CHIME_MEETING_MAX_HOURS: "), 0U);
}

}  // namespace
}  // namespace app
