#include "media/server/udp_socket.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <vector>

namespace media::server {
namespace {

using namespace std::chrono_literals;

class Recorder final : public UdpReceiver {
  public:
    struct Seen {
        core::Bytes bytes;
        wire::TransportAddress from;
        LocalAddress to;
        transport::Instant arrived;
    };
    void on_datagram(UdpSocket&, const Datagram& datagram) override {
        seen.push_back({{datagram.bytes.begin(), datagram.bytes.end()}, datagram.from, datagram.to, datagram.arrived});
    }
    void on_batch_end(transport::Duration) override { ++batches; }

    std::vector<Seen> seen;
    int batches = 0;
};

class UdpSocketTest : public testing::Test {
  protected:
    std::unique_ptr<UdpSocket> open(const std::string& address) {
        auto socket = UdpSocket::open(context_, address, 0);
        EXPECT_TRUE(socket) << socket.error().detail;
        return std::move(*socket);
    }
    void run_until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (!done() && std::chrono::steady_clock::now() < deadline) context_.run_one_for(100ms);
        EXPECT_TRUE(done());
    }
    boost::asio::io_context context_{1};
    Recorder recorder_;
};

TEST_F(UdpSocketTest, CarriesMoreThanABatchInOrder) {
    const auto receiver = open("0.0.0.0");
    const auto sender = open("127.0.0.1");
    receiver->start(recorder_);
    const auto before = std::chrono::steady_clock::now();
    const auto to = *wire::TransportAddress::parse("127.0.0.1", receiver->port());
    for (std::uint8_t i = 0; i < 100; ++i) sender->queue(core::Bytes{i, 1, 2}, to, {});
    sender->flush();
    run_until([&] { return recorder_.seen.size() >= 100; });
    for (std::uint8_t i = 0; i < 100; ++i) EXPECT_EQ(recorder_.seen[i].bytes, (core::Bytes{i, 1, 2}));
    EXPECT_EQ(recorder_.seen[0].from.port, sender->port());
    EXPECT_EQ(recorder_.seen[0].from.ip_text(), "127.0.0.1");
    EXPECT_GE(recorder_.seen[0].arrived, before - 10ms);
    EXPECT_LE(recorder_.seen[0].arrived, std::chrono::steady_clock::now());
    EXPECT_GE(recorder_.batches, 1);
    EXPECT_EQ(sender->counters().sent, 100U);
    EXPECT_EQ(receiver->counters().received, 100U);
}

TEST_F(UdpSocketTest, AnswersFromTheAddressThatWasAsked) {
    const auto server = open("0.0.0.0");
    const auto client = open("127.0.0.1");
    Recorder at_client;
    server->start(recorder_);
    client->start(at_client);
    client->queue(core::Bytes{1}, *wire::TransportAddress::parse("127.9.8.7", server->port()), {});
    client->flush();
    run_until([&] { return !recorder_.seen.empty(); });
    ASSERT_TRUE(recorder_.seen[0].to.known);
    server->queue(core::Bytes{2}, recorder_.seen[0].from, recorder_.seen[0].to);
    server->flush();
    run_until([&] { return !at_client.seen.empty(); });
    EXPECT_EQ(at_client.seen[0].from.ip_text(), "127.9.8.7");
}

TEST_F(UdpSocketTest, DropsWhatIsTooLongOrCannotBeSent) {
    const auto receiver = open("127.0.0.1");
    const auto sender = open("127.0.0.1");
    receiver->start(recorder_);
    const auto to = *wire::TransportAddress::parse("127.0.0.1", receiver->port());
    sender->queue(core::Bytes(UdpSocket::kMaxDatagram + 1, 7), to, {});
    sender->queue(core::Bytes{1}, *wire::TransportAddress::parse("::1", receiver->port()), {});
    // No route from a loopback address to the world; the one behind it still goes.
    sender->queue(core::Bytes{2}, *wire::TransportAddress::parse("198.51.100.1", 9), {});
    sender->queue(core::Bytes{3}, to, {});
    sender->flush();
    run_until([&] { return !recorder_.seen.empty(); });
    EXPECT_EQ(recorder_.seen[0].bytes, core::Bytes{3});
    EXPECT_EQ(sender->counters().not_sent, 3U);
    EXPECT_EQ(sender->counters().sent, 1U);
}

TEST_F(UdpSocketTest, WhatGoesToOnePlaceLeavesAsOneMessage) {
    const auto a = open("127.0.0.1");
    const auto b = open("127.0.0.1");
    const auto sender = open("127.0.0.1");
    Recorder at_b;
    a->start(recorder_);
    b->start(at_b);
    const auto to_a = *wire::TransportAddress::parse("127.0.0.1", a->port());
    const auto to_b = *wire::TransportAddress::parse("127.0.0.1", b->port());
    // As the packets of a video frame go to two receivers, with audio in between.
    for (std::uint8_t i = 0; i < 5; ++i) {
        sender->queue(core::Bytes(1100, i), to_a, {});
        sender->queue(core::Bytes(1100, i), to_b, {});
    }
    sender->queue(core::Bytes(300, 5), to_a, {});
    sender->queue(core::Bytes(160, 6), to_a, {});
    sender->queue(core::Bytes(160, 7), to_a, {});
    sender->queue(core::Bytes(1100, 8), to_a, {});
    sender->flush();
    run_until([&] { return recorder_.seen.size() == 9 && at_b.seen.size() == 5; });
    const std::vector<std::size_t> sizes = {1100, 1100, 1100, 1100, 1100, 300, 160, 160, 1100};
    for (std::uint8_t i = 0; i < 9; ++i) EXPECT_EQ(recorder_.seen[i].bytes, core::Bytes(sizes[i], i));
    for (std::uint8_t i = 0; i < 5; ++i) EXPECT_EQ(at_b.seen[i].bytes, core::Bytes(1100, i));
    EXPECT_EQ(sender->counters().sent, 14U);
    EXPECT_EQ(sender->counters().messages, 4U) << "a frame for each, the two short ones, the next frame";
}

TEST_F(UdpSocketTest, LongBatchesToManyPlacesArriveInOrderAtEach) {
    std::vector<std::unique_ptr<UdpSocket>> receivers;
    std::vector<Recorder> seen(40);
    const auto sender = open("127.0.0.1");
    for (Recorder& recorder : seen) {
        receivers.push_back(open("127.0.0.1"));
        receivers.back()->start(recorder);
    }
    std::vector<std::vector<core::Bytes>> wanted(seen.size());
    for (std::uint32_t i = 0; i < 4000; ++i) {
        const std::size_t to = i * 7919 % seen.size();
        const core::Bytes bytes(1 + i * 104729 % 1200, static_cast<std::uint8_t>(i));
        sender->queue(bytes, *wire::TransportAddress::parse("127.0.0.1", receivers[to]->port()), {});
        wanted[to].push_back(bytes);
        if (i % 500 == 0) context_.poll();
    }
    sender->flush();
    run_until([&] { return std::ranges::all_of(seen, [](const Recorder& r) { return r.seen.size() == 100; }); });
    for (std::size_t to = 0; to < seen.size(); ++to) {
        for (std::size_t i = 0; i < wanted[to].size(); ++i) EXPECT_EQ(seen[to].seen[i].bytes, wanted[to][i]);
    }
}

TEST_F(UdpSocketTest, TakenPortIsAnError) {
    const auto first = open("127.0.0.1");
    const auto second = UdpSocket::open(context_, "127.0.0.1", first->port());
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().detail.find(std::to_string(first->port())), std::string::npos);
    EXPECT_FALSE(UdpSocket::open(context_, "localhost", 0)) << "names are not resolved here";
}

}  // namespace
}  // namespace media::server
