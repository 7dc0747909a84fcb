#include "net/listeners.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Hosts = std::vector<std::string>;

struct Listening {
    asio::io_context context;
    std::vector<tcp::acceptor> acceptors;

    explicit Listening(const Hosts& hosts) {
        auto opened = listen_on(context, hosts, 0);
        EXPECT_TRUE(opened.has_value()) << opened.error().detail;
        if (opened) acceptors = std::move(*opened);
    }
    std::uint16_t port() const { return acceptors.front().local_endpoint().port(); }
    bool reachable(const char* address) {
        tcp::socket socket(context);
        boost::system::error_code error;
        socket.connect({asio::ip::make_address(address), port()}, error);
        return !error;
    }
};

bool machine_has_v6() {
    asio::io_context context;
    tcp::acceptor probe(context);
    boost::system::error_code error;
    probe.open(tcp::v6(), error);
    if (!error) probe.bind({asio::ip::address_v6::loopback(), 0}, error);
    return !error;
}

std::string complaint(const Hosts& hosts, std::uint16_t port) {
    asio::io_context context;
    const auto opened = listen_on(context, hosts, port);
    return opened ? "listens" : opened.error().detail;
}

TEST(Listeners, EverywhereByDefault) {
    Listening everywhere({});
    EXPECT_TRUE(everywhere.reachable("127.0.0.1"));
    EXPECT_TRUE(everywhere.reachable("127.0.0.2"));
    EXPECT_EQ(everywhere.reachable("::1"), machine_has_v6());
    EXPECT_EQ(everywhere.acceptors.size(), machine_has_v6() ? 2u : 1u);
}

TEST(Listeners, OnlyWhereTold) {
    Listening some({"127.0.0.2", "127.0.0.3", "127.0.0.2"});
    EXPECT_EQ(some.acceptors.size(), 2u);
    EXPECT_TRUE(some.reachable("127.0.0.2"));
    EXPECT_TRUE(some.reachable("127.0.0.3"));
    EXPECT_FALSE(some.reachable("127.0.0.1"));
}

TEST(Listeners, TheFamiliesAreApart) {
    Listening v4({"0.0.0.0"});
    EXPECT_TRUE(v4.reachable("127.0.0.1"));
    EXPECT_FALSE(v4.reachable("::1"));
    if (!machine_has_v6()) return;
    Listening v6({"::"});
    EXPECT_TRUE(v6.reachable("::1"));
    EXPECT_FALSE(v6.reachable("127.0.0.1"));
    Listening both({"::", "0.0.0.0"});
    EXPECT_TRUE(both.reachable("::1"));
    EXPECT_TRUE(both.reachable("127.0.0.1"));
}

TEST(Listeners, ANameIsAllItsAddresses) {
    Listening local({"localhost"});
    EXPECT_TRUE(local.reachable("127.0.0.1") || local.reachable("::1"));
    EXPECT_FALSE(local.reachable("127.0.0.2"));
}

TEST(Listeners, WhatCannotBeHadIsSaid) {
    Listening taken({"127.0.0.1"});
    const auto port = std::to_string(taken.port());
    EXPECT_EQ(complaint({"127.0.0.2", "127.0.0.1"}, taken.port()),
              "cannot listen on 127.0.0.1:" + port + ": the port is in use by another program");
    EXPECT_TRUE(complaint({}, taken.port()).starts_with("cannot listen on 0.0.0.0:" + port));
    EXPECT_TRUE(complaint({"192.0.2.1"}, 0).starts_with("cannot listen on 192.0.2.1:0: "));
    EXPECT_TRUE(complaint({"2001:db8::1"}, 0).starts_with("cannot listen on [2001:db8::1]:0: "));
    EXPECT_TRUE(complaint({"nobody.invalid"}, 0).starts_with("cannot listen on nobody.invalid: "));
}

}  // namespace
}  // namespace net
