#include <gtest/gtest.h>

#include "app/config_test_reader.hpp"

namespace app {
namespace {

using test::complaint;
using test::read;

const std::string kKey(32, 'k');

TEST(ConfigAudit, KeysAreLongEnough) {
    EXPECT_FALSE(read({})->audit.key);
    EXPECT_EQ(read({{"AUDIT_KEY", kKey}})->audit.key, kKey);
    EXPECT_TRUE(complaint({{"AUDIT_KEY", std::string(31, 'k')}}).starts_with("AUDIT_KEY: expected "));
    const auto old = read({{"AUDIT_KEY", kKey}, {"AUDIT_KEY_OLD", std::string(40, 'o') + ", derived"}})->audit.old_keys;
    EXPECT_EQ(old, (std::vector<std::string>{std::string(40, 'o'), "derived"}));
    EXPECT_TRUE(complaint({{"AUDIT_KEY_OLD", "short"}}).starts_with("AUDIT_KEY_OLD: expected "));
}

TEST(ConfigAudit, AdminsSeeEverythingUnlessSaidOtherwise) {
    EXPECT_EQ(read({})->audit.admin_access, service::AdminAccess::open);
    EXPECT_EQ(read({{"ADMIN_ACCESS", "break-glass"}})->audit.admin_access, service::AdminAccess::break_glass);
    EXPECT_TRUE(complaint({{"ADMIN_ACCESS", "sometimes"}}).starts_with("ADMIN_ACCESS: expected "));
}

}  // namespace
}  // namespace app
