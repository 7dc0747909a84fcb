#include "app/health_probe.hpp"

#include <gtest/gtest.h>

#include <array>

#include "app/command_line.hpp"

namespace app {
namespace {

TEST(HealthProbe, AsksWhereTheServiceListens) {
    Config config;
    EXPECT_EQ(health_url(config), "http://127.0.0.1:8086/health/ready");
    config.port = 9000;
    config.hosts = {"0.0.0.0"};
    EXPECT_EQ(health_url(config), "http://127.0.0.1:9000/health/ready");
    config.hosts = {"::", "0.0.0.0"};
    EXPECT_EQ(health_url(config), "http://[::1]:9000/health/ready");
    config.hosts = {"192.0.2.7", "2001:db8::7"};
    config.tls.emplace();
    EXPECT_EQ(health_url(config), "https://192.0.2.7:9000/health/ready");
    config.hosts = {"2001:db8::7"};
    EXPECT_EQ(health_url(config), "https://[2001:db8::7]:9000/health/ready");
}

TEST(HealthProbe, IsACommand) {
    const auto line = parse_command_line(std::array{"health", "--port", "9000"});
    ASSERT_TRUE(line);
    EXPECT_EQ(line->action, CommandLine::Action::health);
    EXPECT_EQ(line->settings.at("PORT"), "9000");
}

TEST(HealthProbe, NobodyThereIsUnavailable) {
    Config config;
    config.hosts = {"127.0.0.1"};
    config.port = 1;
    const auto answer = probe_health(config);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, core::ErrorKind::unavailable);
    EXPECT_TRUE(answer.error().detail.starts_with("health: http://127.0.0.1:1/health/ready: "));
}

}  // namespace
}  // namespace app
