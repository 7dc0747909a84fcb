#include "meetings/embedded/meeting_orders.hpp"

#include <gtest/gtest.h>

namespace meetings::embedded {
namespace {

using core::Capabilities;
using core::Flow;

TEST(MeetingOrders, CapabilitiesComeBackAsTheyWereSent) {
    for (const auto& sent : {Capabilities{}, Capabilities{Flow::none, Flow::send, Flow::receive},
                             Capabilities{Flow::receive, Flow::both, Flow::none}}) {
        EXPECT_EQ(capabilities_of(text_of(sent)), sent);
    }
    EXPECT_EQ(text_of({Flow::none, Flow::send, Flow::receive}), "012");
}

TEST(MeetingOrders, NonsenseIsNoCapabilities) {
    for (const auto* text : {"", "33", "3333", "334", "33/", "abc"}) EXPECT_EQ(capabilities_of(text), std::nullopt);
}

}  // namespace
}  // namespace meetings::embedded
