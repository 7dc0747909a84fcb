#include "app/config_test_reader.hpp"

#include <gtest/gtest.h>

#include "app/command_line.hpp"

namespace app {
namespace {

using test::complaint;
using test::read;

TEST(Config, HasWorkingDefaults) {
    const auto config = read({});
    ASSERT_TRUE(config.has_value());
    EXPECT_TRUE(config->hosts.empty());
    EXPECT_TRUE(config->media_hosts.empty());
    EXPECT_FALSE(config->tls);
    EXPECT_TRUE(config->trusted_proxies.empty());
    EXPECT_EQ(config->port, 8086);
    EXPECT_EQ(config->media_port, 8087);
    EXPECT_GE(config->threads, 1u);
    EXPECT_EQ(config->data_dir, "./data");
    EXPECT_EQ(config->database_url, std::nullopt);
    EXPECT_EQ(config->jwt_secret, std::nullopt);
    EXPECT_EQ(config->api_url, "http://localhost:8086");
    EXPECT_EQ(config->public_url, "");
    EXPECT_FALSE(config->debug);
    EXPECT_TRUE(config->is_trial());
    EXPECT_TRUE(config->needs_data_dir());
}

TEST(Config, ReadsEveryVariable) {
    const auto config = read({{"HOST", "127.0.0.1"},
                              {"PORT", "1"},
                              {"THREADS", "3"},
                              {"MAX_CONNECTIONS", "9"},
                              {"DATA_DIR", "/d"},
                              {"DATABASE_URL", "postgresql+asyncpg://u:p@h:5432/db"},
                              {"DATABASE_WAIT_SECONDS", "0"},
                              {"JWT_SECRET_KEY", "secret"},
                              {"JWT_ALGORITHM", "HS512"},
                              {"API_URL", "https://api.example.org/video/"},
                              {"DEBUG", "True"},
                              {"APP_NAME", "Name"},
                              {"VERSION", "2"},
                              {"DEFAULT_TIME_ZONE", "Asia/Colombo"},
                              {"AWS_FREE_TIER_ATTENDEE_MINUTES", "0"},
                              {"MEDIA_PORT", "65535"},
                              {"PUBLIC_HOST", "https://video.example.org:444/v"},
                              {"PUBLIC_MEDIA_PORT", "5"},
                              {"ABANDONED_AFTER_MINUTES", "1"},
                              {"NO_SHOW_GRACE_MINUTES", "2"},
                              {"JOIN_TIMEOUT_SECONDS", "3"},
                              {"GONE_AFTER_SECONDS", "4"},
                              {"LOG_LEVEL", "WARNING"},
                              {"S3_BUCKET_NAME", "of no use here"}});
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_EQ(config->hosts, std::vector<std::string>{"127.0.0.1"});
    EXPECT_EQ(config->port, 1);
    EXPECT_EQ(config->threads, 3u);
    EXPECT_EQ(config->max_connections, 9u);
    EXPECT_EQ(config->data_dir, "/d");
    EXPECT_EQ(config->database_url, "postgresql+asyncpg://u:p@h:5432/db");
    EXPECT_EQ(config->database_wait.count(), 0);
    EXPECT_EQ(config->jwt_secret, "secret");
    EXPECT_EQ(config->jwt_algorithm, directory::JwtAlgorithm::hs512);
    EXPECT_EQ(config->api_url, "https://api.example.org/video");
    EXPECT_TRUE(config->debug);
    EXPECT_EQ(config->app_name, "Name");
    EXPECT_EQ(config->version, "2");
    EXPECT_EQ(config->time_zone, "Asia/Colombo");
    EXPECT_EQ(config->free_tier_minutes, 0);
    EXPECT_EQ(config->media_port, 65535);
    EXPECT_EQ(config->public_url, "https://video.example.org:444/v");
    EXPECT_EQ(config->public_hosts, std::vector<std::string>{"video.example.org"});
    EXPECT_EQ(config->public_media_port, 5);
    EXPECT_EQ(config->abandoned_after.count(), 1);
    EXPECT_EQ(config->no_show_grace.count(), 2);
    EXPECT_EQ(config->join_timeout.count(), 3);
    EXPECT_EQ(config->gone_after.count(), 4);
    EXPECT_EQ(config->log_level, core::log::Level::warning);
    EXPECT_FALSE(config->is_trial());
    EXPECT_FALSE(config->needs_data_dir());
}

TEST(Config, ComplainsInOneLineThatNamesTheVariable) {
    EXPECT_EQ(complaint({{"PORT", "0"}}), "PORT: expected a whole number from 1 to 65535");
    for (const auto* bad : {"65536", "x", "80x", " 80", "-1", "8e1", "99999999999999999999"}) {
        EXPECT_EQ(complaint({{"PORT", bad}}), "PORT: expected a whole number from 1 to 65535") << bad;
    }
    EXPECT_EQ(complaint({{"JWT_ALGORITHM", "none"}}), "JWT_ALGORITHM: expected HS256, HS384, HS512, RS256 or ES256");
    EXPECT_TRUE(complaint({{"JWT_ALGORITHM", "RS256"}}).starts_with("JWT_JWKS_FILE: expected a file"));
    EXPECT_TRUE(complaint({{"JWT_JWKS_URL", "https://auth.example.org/keys"}}).starts_with("JWT_JWKS_FILE: "));
    EXPECT_EQ(complaint({{"DEBUG", "perhaps"}}), "DEBUG: expected true or false");
    EXPECT_EQ(complaint({{"LOG_LEVEL", "loud"}}), "LOG_LEVEL: expected debug, info, warning or error");
    EXPECT_EQ(complaint({{"GONE_AFTER_SECONDS", "0"}}), "GONE_AFTER_SECONDS: expected a whole number from 1 to 600");
    EXPECT_TRUE(complaint({{"API_URL", "localhost"}}).starts_with("API_URL: expected a URL such as "));
    EXPECT_TRUE(complaint({{"PUBLIC_HOST", "a b"}}).starts_with("PUBLIC_HOST: expected a host or URL such as "));
    EXPECT_TRUE(complaint({{"PUBLIC_HOST", "http://user@h"}}).starts_with("PUBLIC_HOST: "));
    EXPECT_TRUE(complaint({{"PUBLIC_HOST", "ftp://h"}}).starts_with("PUBLIC_HOST: "));
    EXPECT_TRUE(complaint({{"PUBLIC_HOST", "http://h:0"}}).starts_with("PUBLIC_HOST: "));
    // The first one found is enough, and no value is repeated.
    const auto secret = complaint({{"DATABASE_URL", "mysql://user:hunter2@h/db"}, {"DEBUG", "x"}});
    EXPECT_TRUE(secret.starts_with("DATABASE_URL: expected postgresql://"));
    EXPECT_EQ(secret.find("hunter2"), std::string::npos);
}

TEST(Config, NamesTheOthersOfThePlatform) {
    const auto none = read({});
    ASSERT_TRUE(none);
    EXPECT_EQ(none->meeting_provider, ProviderMode::automatic);
    EXPECT_EQ(none->budget_policy, BudgetPolicy::fallback);
    EXPECT_FALSE(none->broker);
    EXPECT_FALSE(none->aws.endpoint);

    const auto all = read({{"MEETING_PROVIDER", "chime"},
                           {"AWS_CHIME_ENDPOINT", "http://127.0.0.1:1"},
                           {"MEDIA_REGIONS", "eu-central-1, us-east-1,"},
                           {"RABBITMQ_PORT", "5673"},
                           {"WEBHOOK_URLS", "https://a.example.org/x,http://b/"},
                           {"WEBHOOK_SECRET", "s"},
                           {"APPOINTMENTS_SERVICE_URL", "http://appointments:8083/"},
                           {"VERIFY_APPOINTMENTS", "true"}});
    ASSERT_TRUE(all) << all.error().detail;
    EXPECT_EQ(all->budget_policy, BudgetPolicy::warn);
    EXPECT_EQ(all->aws.endpoint, "http://127.0.0.1:1");
    EXPECT_EQ(all->media_regions, (std::vector<std::string>{"eu-central-1", "us-east-1"}));
    EXPECT_EQ(all->broker->host, "localhost");
    EXPECT_EQ(all->broker->port, 5673);
    EXPECT_EQ(all->webhook_urls.size(), 2u);
    EXPECT_EQ(all->appointments_url, "http://appointments:8083");

    EXPECT_FALSE(read({{"AWS_CHIME_ENDPOINT", "https://service.chime.aws.amazon.com"}})->aws.endpoint)
        << "the old namespace's host, which has no meetings";
}

TEST(Config, RefusesWhatContradictsItself) {
    EXPECT_TRUE(complaint({{"AWS_ACCESS_KEY_ID", "k"}}).starts_with("AWS_SECRET_ACCESS_KEY: "));
    EXPECT_TRUE(complaint({{"MEETING_PROVIDER", "chime"}, {"CHIME_BUDGET_POLICY", "fallback"}})
                    .starts_with("CHIME_BUDGET_POLICY: "));
    EXPECT_EQ(complaint({{"MEETING_PROVIDER", "zoom"}}), "MEETING_PROVIDER: expected one of auto, chime, embedded");
    EXPECT_TRUE(complaint({{"MEDIA_REGIONS", "moon-1"}}).starts_with("MEDIA_REGIONS: "));
    EXPECT_TRUE(complaint({{"AWS_REGION", "../x"}}).starts_with("AWS_REGION: "));
    EXPECT_TRUE(complaint({{"WEBHOOK_URLS", "https://a"}}).starts_with("WEBHOOK_SECRET: "));
    EXPECT_TRUE(complaint({{"VERIFY_APPOINTMENTS", "1"}}).starts_with("APPOINTMENTS_SERVICE_URL: "));
}

TEST(Config, LinksFollowThePort) {
    EXPECT_EQ(read({{"PORT", "9000"}})->api_url, "http://localhost:9000");
}

TEST(Config, ATrialHasNeitherDatabaseNorSecret) {
    EXPECT_TRUE(read({{"PORT", "9000"}, {"JWT_SECRET_KEY", ""}})->is_trial());
    EXPECT_FALSE(read({{"JWT_SECRET_KEY", "s"}})->is_trial());
    EXPECT_FALSE(read({{"DATABASE_URL", "postgres://h/d"}})->is_trial());
    EXPECT_TRUE(read({{"DATABASE_URL", "postgres://h/d"}})->needs_data_dir());
}

core::Result<CommandLine> parse(std::vector<const char*> arguments) {
    return parse_command_line(arguments);
}

TEST(CommandLine, OptionsStandForVariables) {
    const auto line = parse({"serve", "--port", "1", "--data=/d", "--media-port", "2", "--host", "::1"});
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(line->action, CommandLine::Action::serve);
    const Environment::Values expected{{"PORT", "1"}, {"DATA_DIR", "/d"}, {"MEDIA_PORT", "2"}, {"HOST", "::1"}};
    EXPECT_EQ(line->settings, expected);
    EXPECT_EQ(parse({})->action, CommandLine::Action::serve);
    EXPECT_EQ(parse({"--port", "1", "--help"})->action, CommandLine::Action::help);
    EXPECT_EQ(parse({"--version"})->action, CommandLine::Action::version);
}

TEST(CommandLine, MintsTokens) {
    const auto line = parse({"token", "--role", "DOCTOR", "--user=12", "--hours", "2", "--data", "d"});
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(line->action, CommandLine::Action::token);
    EXPECT_EQ(line->role, "DOCTOR");
    EXPECT_EQ(line->user, "12");
    EXPECT_EQ(line->life, std::chrono::hours{2});
    EXPECT_EQ(parse({"token", "--role", "x", "--user", "y"})->life, std::chrono::hours{24});
}

TEST(CommandLine, ComplainsInOneLine) {
    const auto complaint_about = [](std::vector<const char*> arguments) {
        const auto line = parse_command_line(arguments);
        return line ? "accepted" : line.error().detail;
    };
    EXPECT_EQ(complaint_about({"--prot", "1"}), "unknown argument --prot (see --help)");
    EXPECT_EQ(complaint_about({"start"}), "unknown argument start (see --help)");
    EXPECT_EQ(complaint_about({"--port"}), "--port: expected a value (see --help)");
    EXPECT_EQ(complaint_about({"--role", "DOCTOR"}), "--role belongs to `token` (see --help)");
    EXPECT_EQ(complaint_about({"token", "--role", "DOCTOR"}), "token needs --role and --user (see --help)");
    EXPECT_EQ(complaint_about({"token", "--role", "D", "--user", "1", "--hours", "0"}),
              "--hours: expected a whole number from 1 to 8784 (see --help)");
}

}  // namespace
}  // namespace app
