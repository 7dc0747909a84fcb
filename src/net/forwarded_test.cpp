#include "net/forwarded.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace net {
namespace {

using Lines = std::vector<std::pair<const char*, const char*>>;

AddressRanges proxies() {
    AddressRanges ranges;
    ranges.add(*AddressRange::parse("10.0.0.0/8"));
    ranges.add(*AddressRange::parse("2001:db8:1::/48"));
    return ranges;
}

boost::beast::http::fields header(const Lines& lines) {
    boost::beast::http::fields fields;
    for (const auto& [name, value] : lines) fields.insert(name, value);
    return fields;
}

/// `address scheme host`, with a dash for what is not known.
std::string told(const Lines& lines) {
    const auto client = read_forwarded(header(lines), proxies());
    const auto or_dash = [](const std::string& text) { return text.empty() ? std::string{"-"} : text; };
    return (client.address ? client.address->to_string() : "-") + " " + or_dash(client.scheme) + " " +
           or_dash(client.host);
}

TEST(Forwarded, ReadsWhatOneProxySays) {
    EXPECT_EQ(told({}), "- - -");
    EXPECT_EQ(told({{"X-Forwarded-For", "203.0.113.9"},
                    {"X-Forwarded-Proto", "https"},
                    {"X-Forwarded-Host", "video.example.org:444"}}),
              "203.0.113.9 https video.example.org:444");
    EXPECT_EQ(told({{"X-Forwarded-Proto", "HTTPS"}}), "- https -");
    EXPECT_EQ(told({{"X-Forwarded-Proto", "wss"}, {"X-Forwarded-Host", "[2001:db8::1]:1"}}), "- https [2001:db8::1]:1");
    EXPECT_EQ(told({{"X-Forwarded-For", "203.0.113.9:4711"}}), "203.0.113.9 - -");
    EXPECT_EQ(told({{"X-Forwarded-For", "[2001:db8::9]:4711"}}), "2001:db8::9 - -");
    EXPECT_EQ(told({{"X-Forwarded-For", "2001:db8::9"}}), "2001:db8::9 - -");
    EXPECT_EQ(told({{"X-Forwarded-For", "::ffff:203.0.113.9"}}), "203.0.113.9 - -");
}

TEST(Forwarded, WhatMakesNoSenseIsNotTold) {
    EXPECT_EQ(
        told({{"X-Forwarded-For", "unknown"}, {"X-Forwarded-Proto", "gopher"}, {"X-Forwarded-Host", "a/b\"><script>"}}),
        "- - -");
    EXPECT_EQ(told({{"X-Forwarded-For", " , ,"}, {"X-Forwarded-Proto", ","}}), "- - -");
}

// Whoever comes through a proxy can write the beginning of the list, but not its end.
TEST(Forwarded, TheClientIsTheLastThatIsNoProxyOfOurs) {
    EXPECT_EQ(told({{"X-Forwarded-For", "198.51.100.1, 203.0.113.9"}}), "203.0.113.9 - -");
    EXPECT_EQ(told({{"X-Forwarded-For", "198.51.100.1, 203.0.113.9, 10.1.2.3"}}), "203.0.113.9 - -");
    EXPECT_EQ(told({{"X-Forwarded-For", "198.51.100.1"}, {"X-Forwarded-For", "203.0.113.9, 2001:db8:1::7"}}),
              "203.0.113.9 - -");
    EXPECT_EQ(told({{"X-Forwarded-For", "10.1.1.1, 10.1.2.3"}}), "10.1.1.1 - -") << "a client of the inner network";
    EXPECT_EQ(told({{"X-Forwarded-For", "203.0.113.9, nonsense, 10.1.2.3"}}), "- - -");
    std::string many = "198.51.100.1";
    for (int i = 0; i < 1000; ++i) many += ", 10.0.0.1";
    EXPECT_EQ(told({{"X-Forwarded-For", many.c_str()}}), "10.0.0.1 - -") << "no walk without end";
}

TEST(Forwarded, ListsInStepNameTheHopOfTheClient) {
    EXPECT_EQ(told({{"X-Forwarded-For", "203.0.113.9, 10.1.2.3"},
                    {"X-Forwarded-Proto", "https, http"},
                    {"X-Forwarded-Host", "video.example.org, inner"}}),
              "203.0.113.9 https video.example.org");
    EXPECT_EQ(told({{"X-Forwarded-For", "198.51.100.1, 203.0.113.9"}, {"X-Forwarded-Proto", "http, https"}}),
              "203.0.113.9 https -");
    EXPECT_EQ(told({{"X-Forwarded-For", "198.51.100.1, 203.0.113.9"}, {"X-Forwarded-Proto", "https"}}),
              "203.0.113.9 https -");
}

TEST(Forwarded, ReadsTheStandardsField) {
    EXPECT_EQ(told({{"Forwarded", "for=203.0.113.9;proto=https;host=video.example.org;by=10.0.0.1"}}),
              "203.0.113.9 https video.example.org");
    EXPECT_EQ(told({{"Forwarded", "For=\"[2001:db8:cafe::17]:4711\" ; Proto=HTTPS"}}), "2001:db8:cafe::17 https -");
    EXPECT_EQ(told({{"Forwarded", "for=198.51.100.1;host=evil, for=203.0.113.9;proto=https;host=good, for=10.0.0.3"}}),
              "203.0.113.9 https good");
    EXPECT_EQ(told({{"Forwarded", "for=203.0.113.9;host=\"a\\.b\""}, {"Forwarded", "for=10.0.0.3"}}),
              "203.0.113.9 - a.b");
    EXPECT_EQ(told({{"Forwarded", "for=\"_hidden\";proto=http"}}), "- http -");
    EXPECT_EQ(told({{"Forwarded", ";;, for=203.0.113.9;;"}}), "203.0.113.9 - -");
}

TEST(Forwarded, ABrokenStandardsFieldSaysNothing) {
    for (const auto* text : {"for", "for=", "=x", "for=\"x", "for=\"x\\", "for=a b=c", "for=203.0.113.9 proto=https",
                             "for=203.0.113.9;proto=https}", "for =x", "for=\"a\"b"}) {
        EXPECT_EQ(told({{"Forwarded", text}}), "- - -") << text;
    }
}

// A proxy that sets the one kind lets the other pass, as the client wrote it.
TEST(Forwarded, TheStandardsFieldDoesNotOverruleTheOthers) {
    EXPECT_EQ(told({{"X-Forwarded-Proto", "https"}, {"Forwarded", "for=198.51.100.1;host=evil"}}), "- https -");
}

struct Asked {
    boost::beast::http::fields fields;
    AddressRanges trusted = proxies();
    Request request;
    explicit Asked(const Lines& lines) : fields(header(lines)) { request.fields = &fields; }
};

TEST(ReachedAt, FollowsTheConnectionUnlessAProxyIsTrusted) {
    Asked asked({{"Host", "inner:8086"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "video.example.org"}});
    EXPECT_EQ(reached_at(asked.request), "http://inner:8086");
    EXPECT_EQ(reached_host(asked.request), "inner:8086");
    asked.request.is_secure = true;
    EXPECT_EQ(reached_at(asked.request), "https://inner:8086");
    asked.request.proxies = &asked.trusted;
    EXPECT_EQ(reached_at(asked.request), "https://video.example.org");
    EXPECT_EQ(reached_host(asked.request), "video.example.org");

    Asked silent({{"Host", "video.example.org"}});
    silent.request.proxies = &silent.trusted;
    EXPECT_EQ(reached_at(silent.request), "http://video.example.org");
}

TEST(ReachedAt, IsEmptyWithoutAUsableHost) {
    for (const auto* host : {"", "a b", "a/b", "<script>", "a\"b"}) {
        Asked asked({{"Host", host}});
        EXPECT_EQ(reached_at(asked.request), "") << host;
    }
    EXPECT_FALSE(is_sane_host(std::string(256, 'a')));
}

}  // namespace
}  // namespace net
