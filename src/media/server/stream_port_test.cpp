#include "media/server/stream_port.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <functional>
#include <vector>

namespace media::server {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

class Recorder final : public StreamReceiver {
  public:
    void on_stream_packet(const transport::Path& path, std::span<std::uint8_t> packet) override {
        paths.push_back(path);
        packets.emplace_back(packet.begin(), packet.end());
    }
    void on_stream_closed(const transport::Path& path) override { closed.push_back(path); }
    void on_batch_end() override {}

    std::vector<transport::Path> paths;
    std::vector<core::Bytes> packets;
    std::vector<transport::Path> closed;
};

class StreamPortTest : public testing::Test {
  protected:
    void SetUp() override {
        // A free number, found by letting the kernel choose one.
        tcp::acceptor probe(context_, {boost::asio::ip::make_address("127.0.0.1"), 0});
        endpoint_ = probe.local_endpoint();
        probe.close();
        ASSERT_TRUE(port_.listen("127.0.0.1", endpoint_.port()));
        port_.start(recorder_);
    }
    tcp::socket connect() {
        tcp::socket socket(context_);
        socket.connect(endpoint_);
        return socket;
    }
    void run_until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (!done() && std::chrono::steady_clock::now() < deadline) context_.run_one_for(100ms);
        EXPECT_TRUE(done());
    }
    boost::asio::io_context context_{1};
    StreamPort port_{context_};
    Recorder recorder_;
    tcp::endpoint endpoint_;
};

TEST_F(StreamPortTest, CarriesFramedPacketsBothWays) {
    tcp::socket client = connect();
    boost::asio::write(client, boost::asio::buffer(core::Bytes{0, 3, 1, 2, 3, 0, 2, 4}));
    run_until([&] { return recorder_.packets.size() == 1; });
    EXPECT_EQ(recorder_.packets[0], (core::Bytes{1, 2, 3}));
    boost::asio::write(client, boost::asio::buffer(core::Bytes{5}));
    run_until([&] { return recorder_.packets.size() == 2; });
    EXPECT_EQ(recorder_.packets[1], (core::Bytes{4, 5}));
    EXPECT_EQ(recorder_.paths[0], recorder_.paths[1]);
    EXPECT_NE(recorder_.paths[0].connection, 0U);
    EXPECT_EQ(recorder_.paths[0].address.port, client.local_endpoint().port());

    port_.send(recorder_.paths[0].connection, core::Bytes{9, 8});
    port_.send(recorder_.paths[0].connection, core::Bytes{7});
    core::Bytes got(7);
    bool read = false;
    boost::asio::async_read(client, boost::asio::buffer(got), [&](auto error, auto) { read = !error; });
    run_until([&] { return read; });
    EXPECT_EQ(got, (core::Bytes{0, 2, 9, 8, 0, 1, 7}));
}

TEST_F(StreamPortTest, BrokenFramingClosesTheConnection) {
    tcp::socket client = connect();
    boost::asio::write(client, boost::asio::buffer(core::Bytes{0xff, 0xff, 1}));
    run_until([&] { return recorder_.closed.size() == 1; });
    EXPECT_EQ(port_.counters().broken_framing, 1U);
    EXPECT_EQ(port_.connections(), 0U);
}

TEST_F(StreamPortTest, WhoProvesNothingIsClosedInTime) {
    tcp::socket stranger = connect();
    tcp::socket friendly = connect();
    boost::asio::write(friendly, boost::asio::buffer(core::Bytes{0, 1, 1}));
    run_until([&] { return port_.connections() == 2 && !recorder_.paths.empty(); });
    port_.proven(recorder_.paths[0].connection);
    const auto now = transport::Instant::clock::now();
    port_.check_time(now);
    EXPECT_EQ(port_.connections(), 2U);
    port_.check_time(now + StreamPort::kProofTime + 1s);
    EXPECT_EQ(port_.connections(), 1U);
    EXPECT_EQ(port_.counters().unproven_late, 1U);
}

TEST_F(StreamPortTest, StrangersFindFewPlaces) {
    std::vector<tcp::socket> strangers;
    for (std::size_t i = 0; i < StreamPort::kMaxUnproven + 3; ++i) {
        strangers.push_back(connect());
        run_until([&] { return port_.counters().accepted + port_.counters().refused == i + 1; });
    }
    EXPECT_EQ(port_.connections(), StreamPort::kMaxUnproven);
    EXPECT_EQ(port_.counters().refused, 3U);
}

TEST_F(StreamPortTest, ClientThatTakesNothingLosesPacketsAndThenItsConnection) {
    tcp::socket client = connect();
    boost::asio::write(client, boost::asio::buffer(core::Bytes{0, 1, 1}));
    run_until([&] { return !recorder_.paths.empty(); });
    const std::uint32_t connection = recorder_.paths[0].connection;
    port_.proven(connection);
    const core::Bytes packet(1200, 5);
    // More than the kernel and the queue take together.
    for (int i = 0; i < 100'000 && port_.counters().not_sent == 0; ++i) {
        port_.send(connection, packet);
        context_.poll();
    }
    EXPECT_GT(port_.counters().not_sent, 0U);
    EXPECT_EQ(port_.connections(), 1U);
    port_.check_time(transport::Instant::clock::now() + StreamPort::kStuckTime + 1s);
    EXPECT_EQ(port_.connections(), 0U);
    EXPECT_EQ(port_.counters().too_slow, 1U);
    EXPECT_EQ(recorder_.closed.size(), 1U);
}

TEST_F(StreamPortTest, TakenPortIsAnError) {
    boost::asio::io_context other;
    StreamPort second(other);
    const auto result = second.listen("127.0.0.1", endpoint_.port());
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().detail.find(std::to_string(endpoint_.port())), std::string::npos);
}

}  // namespace
}  // namespace media::server
