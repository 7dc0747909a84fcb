#include "media/server/haste.hpp"

#include <gtest/gtest.h>

namespace media::server {
namespace {

using namespace std::chrono_literals;

TEST(Haste, BeginsLateAndEndsLate) {
    Haste haste;
    EXPECT_FALSE(haste.on());
    haste.update(19ms);
    EXPECT_FALSE(haste.on()) << "a full core";
    haste.update(21ms);
    EXPECT_TRUE(haste.on());
    haste.update(6ms);
    EXPECT_TRUE(haste.on()) << "not yet through";
    haste.update(4ms);
    EXPECT_FALSE(haste.on());
    haste.update(6ms);
    EXPECT_FALSE(haste.on());
}

}  // namespace
}  // namespace media::server
