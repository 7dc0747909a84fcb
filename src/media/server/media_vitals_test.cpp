#include "media/server/media_vitals.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace media::server {
namespace {

TEST(MediaVitals, AreAddedUpValueByValue) {
    MediaVitals one, two;
    one.meetings = 1;
    one.port.hasty = 2;
    one.router.mixing.concealed = 3;
    one.router.rtcp_malformed = 4;
    two = one;
    two.links.estimated_kbps = 500;
    add_up(one, two);
    EXPECT_EQ(one.meetings, 2U);
    EXPECT_EQ(one.port.hasty, 4U);
    EXPECT_EQ(one.router.mixing.concealed, 6U);
    EXPECT_EQ(one.router.rtcp_malformed, 8U) << "the last of all";
    EXPECT_EQ(one.links.estimated_kbps, 500U);
    EXPECT_EQ(one.udp.sent, 0U);
}

TEST(MediaVitals, TheBoardIsReadWhileItIsWritten) {
    VitalsBoard board;
    std::thread writer([&] {
        MediaVitals vitals;
        for (std::uint64_t i = 1; i <= 2000; ++i) {
            vitals.meetings = vitals.router.rtcp_malformed = i;
            board.write(vitals);
        }
    });
    for (std::uint64_t last = 0; last < 2000;) {
        const auto now = board.read();
        ASSERT_GE(now.meetings, last);
        ASSERT_LE(now.router.rtcp_malformed, 2000U);
        last = now.meetings;
        std::this_thread::yield();
    }
    writer.join();
    EXPECT_EQ(board.read().router.rtcp_malformed, 2000U);
}

}  // namespace
}  // namespace media::server
