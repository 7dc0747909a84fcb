#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/config_test_reader.hpp"
#include "core/bytes.hpp"

namespace app {
namespace {

using test::complaint;
using test::read;

const std::string kKey = core::base64(core::Bytes(32, 1));

TEST(ConfigPrivacy, AKeyHasANameAndTheRightLength) {
    EXPECT_TRUE(read({})->privacy.encryption_keys.empty());
    const std::string two = "new:" + kKey + ",old:" + kKey;
    EXPECT_EQ(read({{"ENCRYPTION_KEY", two}})->privacy.encryption_keys, two);
    const std::string one = "a:" + kKey;
    for (const auto& wrong : std::vector<std::string>{kKey, one + "," + one, std::string{"a:AAAA"}, one + ","}) {
        const auto line = complaint({{"ENCRYPTION_KEY", wrong}});
        EXPECT_TRUE(line.starts_with("ENCRYPTION_KEY: expected name:key")) << line;
        EXPECT_EQ(line.find(kKey), std::string::npos);
    }
}

TEST(ConfigPrivacy, SessionsAreKeptForGoodUnlessSaidOtherwise) {
    EXPECT_EQ(read({})->privacy.retention, std::chrono::days{0});
    EXPECT_FALSE(read({})->privacy.purge);
    const auto purge = read({{"RETENTION_DAYS", "3650"}, {"RETENTION_MODE", "Purge"}})->privacy;
    EXPECT_EQ(purge.retention, std::chrono::days{3650});
    EXPECT_TRUE(purge.purge);
    EXPECT_TRUE(complaint({{"RETENTION_DAYS", "-1"}}).starts_with("RETENTION_DAYS: expected "));
    EXPECT_TRUE(complaint({{"RETENTION_MODE", "forget"}}).starts_with("RETENTION_MODE: expected "));
}

}  // namespace
}  // namespace app
