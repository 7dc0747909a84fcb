#include <gtest/gtest.h>

#include "app/config_test_reader.hpp"

namespace app {
namespace {

using namespace std::chrono_literals;

using test::complaint;
using test::read;

TEST(ConfigNode, ByItselfItIsReachedAsTheServiceIs) {
    const auto config = read({{"THREADS", "3"}});
    ASSERT_TRUE(config);
    EXPECT_EQ(config->node.url, "");
    EXPECT_FALSE(config->node.has_own_url);
    EXPECT_EQ(config->node.region, "");
    EXPECT_EQ(config->node.capacity, 600);
    EXPECT_EQ(config->node.heartbeat, 2s);
    EXPECT_EQ(config->node.drain, 0s);
    const auto known = read({{"PUBLIC_HOST", "https://video.example.org"}});
    EXPECT_EQ(known->node.url, "https://video.example.org");
    EXPECT_FALSE(known->node.has_own_url);
}

TEST(ConfigNode, EverythingMayBeSaid) {
    const auto config = read({{"PUBLIC_HOST", "https://video.example.org"},
                              {"NODE_URL", "https://node-a.example.org:8443/"},
                              {"NODE_REGION", "eu-central-1"},
                              {"NODE_CAPACITY", "250"},
                              {"NODE_HEARTBEAT_SECONDS", "5"},
                              {"DRAIN_SECONDS", "3600"}});
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->node.url, "https://node-a.example.org:8443");
    EXPECT_TRUE(config->node.has_own_url);
    EXPECT_EQ(config->node.region, "eu-central-1");
    EXPECT_EQ(config->node.capacity, 250);
    EXPECT_EQ(config->node.heartbeat, 5s);
    EXPECT_EQ(config->node.drain, 3600s);
}

TEST(ConfigNode, MistakesAreNamed) {
    EXPECT_EQ(complaint({{"NODE_URL", "node-a.example.org"}}),
              "NODE_URL: expected a URL such as https://node-a.example.org");
    EXPECT_EQ(complaint({{"NODE_REGION", "EU Central"}}), "NODE_REGION: expected a region such as eu-central-1");
    EXPECT_EQ(complaint({{"NODE_REGION", std::string(65, 'a')}}),
              "NODE_REGION: expected a region such as eu-central-1");
    EXPECT_EQ(complaint({{"NODE_CAPACITY", "0"}}), "NODE_CAPACITY: expected a whole number from 1 to 1000000");
    EXPECT_EQ(complaint({{"NODE_HEARTBEAT_SECONDS", "0"}}),
              "NODE_HEARTBEAT_SECONDS: expected a whole number from 1 to 60");
    EXPECT_EQ(complaint({{"DRAIN_SECONDS", "-1"}}), "DRAIN_SECONDS: expected a whole number from 0 to 86400");
}

}  // namespace
}  // namespace app
