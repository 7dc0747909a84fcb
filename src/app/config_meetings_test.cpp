#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "app/config_test_reader.hpp"

namespace app {
namespace {

using test::complaint;
using test::read;

constexpr auto kUdp = "turn:turn.example.org:3478?transport=udp";

TEST(TurnConfig, IsOffUnlessNamed) {
    const auto config = read({});
    ASSERT_TRUE(config);
    EXPECT_TRUE(config->turn.uris.empty());
    EXPECT_EQ(config->turn.life, std::chrono::hours(12));
}

TEST(TurnConfig, ReadsItsVariables) {
    const auto config = read({{"TURN_URIS", std::string(kUdp) + ", turns:192.0.2.1:443?transport=tcp"},
                              {"TURN_SECRET", "a shared secret"},
                              {"TURN_LIFE_HOURS", "2"}});
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->turn.uris, (std::vector<std::string>{kUdp, "turns:192.0.2.1:443?transport=tcp"}));
    EXPECT_EQ(config->turn.secret, "a shared secret");
    EXPECT_EQ(config->turn.life, std::chrono::hours(2));
}

TEST(TurnConfig, SecretMayBeInAFile) {
    const auto path = std::filesystem::temp_directory_path() / ("turn-secret-" + std::to_string(getpid()));
    std::ofstream(path) << "from the file\r\nand nothing else\n";
    const auto config = read({{"TURN_URIS", kUdp}, {"TURN_SECRET_FILE", path.string()}});
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->turn.secret, "from the file");
    EXPECT_TRUE(complaint({{"TURN_URIS", kUdp}, {"TURN_SECRET_FILE", path.string()}, {"TURN_SECRET", "x"}})
                    .starts_with("TURN_SECRET_FILE: expected "));
    std::filesystem::remove(path);
    EXPECT_TRUE(complaint({{"TURN_URIS", kUdp}, {"TURN_SECRET_FILE", path.string()}})
                    .starts_with("TURN_SECRET_FILE: expected "));
}

TEST(TurnConfig, ComplainsWithoutRepeatingASecret) {
    EXPECT_TRUE(complaint({{"TURN_URIS", kUdp}}).starts_with("TURN_SECRET: expected "));
    const auto lonely = complaint({{"TURN_SECRET", "hush"}});
    EXPECT_TRUE(lonely.starts_with("TURN_URIS: expected "));
    EXPECT_EQ(lonely.find("hush"), std::string::npos);
    for (const auto* uri : {"http://x", "turn:", "turn://host", "stun:host", "turn:a b", "x"}) {
        EXPECT_TRUE(complaint({{"TURN_URIS", uri}, {"TURN_SECRET", "s"}}).starts_with("TURN_URIS: expected ")) << uri;
    }
    EXPECT_TRUE(complaint({{"TURN_URIS", kUdp}, {"TURN_SECRET", "s"}, {"TURN_LIFE_HOURS", "0"}})
                    .starts_with("TURN_LIFE_HOURS: expected "));
}

}  // namespace
}  // namespace app
