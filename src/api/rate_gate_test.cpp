#include "api/rate_gate.hpp"

#include <gtest/gtest.h>

#include "net/address_ranges.hpp"

namespace api {
namespace {

/// A request from there; `trusted`: by way of a proxy among these, if any.
class Visitor {
  public:
    explicit Visitor(std::string_view address, const net::AddressRanges* trusted = nullptr) {
        request.method = "GET";
        request.target = "/";
        request.remote_address = address;
        request.proxies = trusted;
        request.fields = &fields_;
    }

    net::Request request;

  private:
    boost::beast::http::fields fields_;
};

int let_in(RateLimits& limits, const Visitor& visitor) {
    int count = 0;
    for (int i = 0; i < 10; ++i) count += turn_away_stranger(&limits, visitor.request) ? 0 : 1;
    return count;
}

TEST(RateGate, CountsByAddress) {
    RateLimits limits({.anonymous = 4}, "a secret");
    EXPECT_EQ(let_in(limits, Visitor{"192.0.2.1"}), 4);
    EXPECT_EQ(let_in(limits, Visitor{"192.0.2.2"}), 4);
    EXPECT_EQ(let_in(limits, Visitor{"2001:db8::1"}), 4);
    EXPECT_EQ(let_in(limits, Visitor{"2001:db8::ffff"}), 0) << "the same network";
}

TEST(RateGate, AProxyThatNamesNoClientIsNoClient) {
    net::AddressRanges trusted;
    trusted.add(*net::AddressRange::parse("10.0.0.0/8"));
    RateLimits limits({.anonymous = 4}, "a secret");
    EXPECT_EQ(let_in(limits, Visitor("10.1.2.3", &trusted)), 10) << "everybody's";
    EXPECT_EQ(let_in(limits, Visitor("192.0.2.1", &trusted)), 4) << "as the proxy told";
    EXPECT_EQ(let_in(limits, Visitor{"10.1.2.3"}), 4) << "nobody has said that it is a proxy";
}

TEST(RateGate, WithoutLimitsEverybodyGetsIn) {
    const Visitor visitor{"192.0.2.1"};
    EXPECT_FALSE(turn_away_stranger(nullptr, visitor.request));
    EXPECT_FALSE(turn_away_guesser(nullptr, visitor.request));
    const Admission admission(nullptr, visitor.request, RateClass::join, "34");
    EXPECT_FALSE(admission.refusal());
    net::Response response;
    admission.describe(response);
    EXPECT_TRUE(response.headers.empty());
}

}  // namespace
}  // namespace api
