#include "events/send_window.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace events {
namespace {

Outgoing message(const std::string& session, int routes = 1) {
    Outgoing out;
    out.session_id = session;
    out.routes.resize(static_cast<std::size_t>(routes));
    return out;
}

/// Sends all that may be sent, under tags from `tag` on; which messages those were.
std::vector<std::size_t> send_all(SendWindow& window, std::uint64_t& tag) {
    std::vector<std::size_t> sent;
    while (const auto next = window.next()) {
        sent.push_back(next->message);
        window.sent(tag++);
    }
    return sent;
}

TEST(SendWindow, SessionsAreUnderWayTogetherTheirMessagesAreNot) {
    const std::vector<Outgoing> batch = {message("a"), message("a"), message("b"), message("a"), message("c")};
    SendWindow window(batch, 256);
    std::uint64_t tag = 1;
    EXPECT_EQ(send_all(window, tag), (std::vector<std::size_t>{0, 2, 4}));
    window.settle(1, true);
    EXPECT_EQ(send_all(window, tag), (std::vector<std::size_t>{1}));
    window.settle(4, true);
    EXPECT_EQ(send_all(window, tag), (std::vector<std::size_t>{3}));
    EXPECT_EQ(window.under_way(), 3U);
    for (const std::uint64_t last : {2U, 3U, 5U}) window.settle(last, true);
    EXPECT_EQ(window.under_way(), 0U);
    EXPECT_FALSE(window.next());
    EXPECT_EQ(window.confirmed(), std::vector<bool>(5, true));
}

TEST(SendWindow, WhatFollowsARefusedMessageIsNotSent) {
    const std::vector<Outgoing> batch = {message("a"), message("a"), message("b")};
    SendWindow window(batch, 256);
    std::uint64_t tag = 1;
    send_all(window, tag);
    window.settle(1, false);
    window.settle(2, true);
    EXPECT_FALSE(window.next());
    EXPECT_EQ(window.confirmed(), (std::vector<bool>{false, false, true}));
}

TEST(SendWindow, AMessageHasArrivedWhenAllItsRoutesHave) {
    const std::vector<Outgoing> batch = {message("a", 2), message("a")};
    SendWindow window(batch, 256);
    std::uint64_t tag = 1;
    EXPECT_EQ(send_all(window, tag), (std::vector<std::size_t>{0, 0}));
    window.settle(2, true);
    EXPECT_FALSE(window.next());
    EXPECT_FALSE(window.confirmed()[0]);
    window.settle(1, true);
    EXPECT_TRUE(window.confirmed()[0]);
    EXPECT_EQ(window.next()->message, 1U);
}

TEST(SendWindow, OneRefusedRouteIsEnough) {
    const std::vector<Outgoing> batch = {message("a", 2), message("a")};
    SendWindow window(batch, 256);
    std::uint64_t tag = 1;
    send_all(window, tag);
    window.settle(1, false);
    window.settle(2, true);
    EXPECT_FALSE(window.next());
    EXPECT_EQ(window.confirmed(), std::vector<bool>(2, false));
}

TEST(SendWindow, TheLimitHolds) {
    std::vector<Outgoing> batch;
    batch.reserve(10);
    for (int i = 0; i < 10; ++i) batch.push_back(message(std::to_string(i)));
    SendWindow window(batch, 4);
    std::uint64_t tag = 1;
    EXPECT_EQ(send_all(window, tag).size(), 4U);
    window.settle(3, true);
    window.settle(99, true);  // Never sent.
    EXPECT_EQ(send_all(window, tag).size(), 1U);
    EXPECT_EQ(window.under_way(), 4U);
}

TEST(SendWindow, InWhateverOrderConfirmationsComeEachSessionStaysInOrder) {
    std::mt19937 random(42);
    std::vector<Outgoing> batch;
    batch.reserve(300);
    for (int i = 0; i < 300; ++i)
        batch.push_back(message(std::to_string(random() % 20), 1 + static_cast<int>(random() % 2)));
    SendWindow window(batch, 16);
    std::vector<std::pair<std::uint64_t, std::size_t>> open;
    std::vector<std::size_t> sent;
    std::uint64_t tag = 1;
    for (;;) {
        while (const auto next = window.next()) {
            for (std::size_t earlier = 0; earlier < next->message; ++earlier) {
                if (batch[earlier].session_id == batch[next->message].session_id) {
                    ASSERT_TRUE(window.confirmed()[earlier]);
                }
            }
            open.emplace_back(tag, next->message);
            window.sent(tag++);
        }
        if (open.empty()) break;
        const auto chosen = open.begin() + static_cast<std::ptrdiff_t>(random() % open.size());
        window.settle(chosen->first, true);
        open.erase(chosen);
    }
    EXPECT_EQ(window.confirmed(), std::vector<bool>(300, true));
}

}  // namespace
}  // namespace events
