#include "app/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "app/config_reader.hpp"
#include "app/config_test_reader.hpp"

namespace app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Environment environment_of(const Environment::Values& values) {
    Environment environment;
    environment.layer(values);
    return environment;
}

class SecretFile {
  public:
    explicit SecretFile(std::string_view content) {
        std::string pattern = (std::filesystem::temp_directory_path() / "vc-secret-XXXXXX").string();
        const int file = mkstemp(pattern.data());
        EXPECT_GE(file, 0);
        close(file);
        path_ = pattern;
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~SecretFile() { std::filesystem::remove(path_); }
    SecretFile(const SecretFile&) = delete;
    SecretFile& operator=(const SecretFile&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

TEST(Settings, AreListedOnce) {
    std::set<std::string_view> names;
    for (const auto& group : setting_groups()) {
        EXPECT_FALSE(group.title.empty());
        for (const auto& setting : group.settings) {
            EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
            EXPECT_FALSE(is_without_effect(setting.name)) << setting.name;
        }
    }
}

TEST(Settings, DefaultsMayBeWrittenOut) {
    for (const auto& group : setting_groups()) {
        for (const auto& setting : group.settings) {
            if (setting.normal.empty()) continue;
            EXPECT_EQ(test::complaint({{std::string{setting.name}, std::string{setting.normal}}}), "accepted");
        }
    }
}

TEST(Settings, WhatIsReadMustBeListed) {
    const auto environment = environment_of({});
    Reader reader(environment);
    EXPECT_THROW(reader.find("NO_SUCH_SETTING"), std::logic_error);
}

TEST(Settings, UnknownNamesInTheFileAreRefused) {
    EXPECT_TRUE(check_names({{"PORT", "1"}, {"JWT_SECRET_KEY_FILE", "x"}, {"S3_BUCKET_NAME", "x"}}, ".env", {}));
    const auto slip = check_names({{"RABITMQ_HOST", "x"}}, ".env", {});
    ASSERT_FALSE(slip);
    EXPECT_EQ(slip.error().detail, ".env: unknown setting RABITMQ_HOST; did you mean RABBITMQ_HOST?");
    const auto strange = check_names({{"SOMETHING_ELSE", "x"}}, ".env", {});
    ASSERT_FALSE(strange);
    EXPECT_THAT(strange.error().detail, HasSubstr("unknown setting SOMETHING_ELSE; video-consultation --help"));
    EXPECT_FALSE(check_names({{"PORT_FILE", "x"}}, ".env", {})) << "no secret";
}

TEST(Settings, TheEnvironmentMayHoldMoreButNoSlips) {
    EXPECT_TRUE(check_names({}, ".env",
                            {{"PATH", "/bin"},
                             {"SOMETHING_ELSE", "x"},
                             {"HOSTNAME", "x"},
                             {"APP_HOME", "/"},
                             {"NODE_ENV", "production"},
                             {"SSL_CERT_FILE", "/etc/ssl"},
                             {"AWS_DEFAULT_REGION", "x"}}));
    const auto swapped = check_names({}, ".env", {{"JWT_SERCET_KEY", "confidential"}});
    ASSERT_FALSE(swapped);
    EXPECT_EQ(swapped.error().detail, "environment: unknown setting JWT_SERCET_KEY; did you mean JWT_SECRET_KEY?");
}

TEST(Settings, NearestIsOneSlipAwayInShortNamesAndTwoInLongOnes) {
    EXPECT_EQ(nearest_setting("THREAD"), "THREADS");
    EXPECT_EQ(nearest_setting("THREDSS"), std::nullopt);
    EXPECT_EQ(nearest_setting("DATABSE_UR"), "DATABASE_URL");
    EXPECT_EQ(nearest_setting("DATABSE_U"), std::nullopt);
    EXPECT_EQ(nearest_setting("PORTS"), std::nullopt) << "too short to guess";
    EXPECT_EQ(nearest_setting(""), std::nullopt);
}

TEST(Settings, SecretsMayBeFiles) {
    const SecretFile file("from the file\r\n");
    const auto config = test::read({{"JWT_SECRET_KEY_FILE", file.path()}});
    ASSERT_TRUE(config);
    EXPECT_EQ(config->jwt_secret, "from the file");
    EXPECT_EQ(test::complaint({{"JWT_SECRET_KEY_FILE", file.path()}, {"JWT_SECRET_KEY", "confidential"}}),
              "JWT_SECRET_KEY_FILE: expected to be set instead of JWT_SECRET_KEY, not with it");
    const SecretFile empty("\n");
    for (const auto& path : {empty.path(), file.path() + "-absent", std::string{"/"}}) {
        EXPECT_EQ(test::complaint({{"RABBITMQ_PASSWORD_FILE", path}, {"RABBITMQ_HOST", "h"}}),
                  "RABBITMQ_PASSWORD_FILE: expected a file that can be read, whose first line is what "
                  "RABBITMQ_PASSWORD would be");
    }
}

TEST(Settings, EveryComplaintIsTold) {
    const auto lines = test::complaint({{"PORT", "0"}, {"LOG_LEVEL", "loud"}});
    EXPECT_THAT(lines, HasSubstr("PORT: expected"));
    EXPECT_THAT(lines, HasSubstr("\nLOG_LEVEL: expected"));
}

TEST(Settings, ArePrintedWithoutSecrets) {
    const SecretFile file("confidential");
    const auto text =
        print_settings(environment_of({{"PORT", "9000"},
                                       {"JWT_SECRET_KEY", "confidential"},
                                       {"TURN_SECRET_FILE", file.path()},
                                       {"DATABASE_URL", "postgresql+asyncpg://u:confidential@h:5432/db"},
                                       {"WEBHOOK_URLS", "https://a:confidential@b/c,https://d/?key=confidential"},
                                       {"APP_NAME", "A \"name\""}}));
    EXPECT_THAT(text, Not(HasSubstr("confidential")));
    EXPECT_THAT(text, HasSubstr("\nPORT=9000\n"));
    EXPECT_THAT(text, HasSubstr("\nJWT_SECRET_KEY=********\n"));
    EXPECT_THAT(text, HasSubstr("\nTURN_SECRET_FILE=" + file.path() + "\n"));
    EXPECT_THAT(text, HasSubstr("\nDATABASE_URL=postgresql+asyncpg://********@h:5432/db\n"));
    EXPECT_THAT(text, HasSubstr("\nWEBHOOK_URLS=https://********@b/c,https://d/?********\n"));
    EXPECT_THAT(text, HasSubstr("\nAPP_NAME=\"A \\\"name\\\"\"\n"));
    EXPECT_THAT(text, HasSubstr("\n# MEDIA_PORT=8087\n"));
    EXPECT_TRUE(parse_env_file(text, "printed")) << "and can be read again";
}

TEST(Settings, HelpNamesThemAll) {
    const auto text = describe_settings();
    for (const auto& group : setting_groups()) {
        for (const auto& setting : group.settings) EXPECT_THAT(text, HasSubstr("  " + std::string{setting.name}));
    }
}

}  // namespace
}  // namespace app
