#include "api/request_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace api {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

constexpr std::array<Pattern, 2> kPatterns{{{"GET", "/x/{}"}, {"POST", "/x"}}};

struct TestRequest {
    boost::beast::http::fields fields;
    net::Request request;

    TestRequest() {
        request.method = "GET";
        request.target = "/x/somebody";
        request.request_id = "r-1";
        request.fields = &fields;
    }
};

class Spans final : public core::trace::Sink {
  public:
    Spans() { core::trace::set_sink(this); }
    ~Spans() override { core::trace::set_sink(nullptr); }
    void take(core::trace::Span&& span) noexcept override { taken.push_back(std::move(span)); }
    bool samples(const core::trace::TraceId&) const noexcept override { return true; }

    std::vector<core::trace::Span> taken;
};

TEST(RequestWatch, CountsByRouteAndStatus) {
    RequestWatch watch(kPatterns, 0ms);
    const TestRequest given;
    const auto ask = [&](auto which, unsigned status) {
        RequestWatch::Seen seen(watch, given.request);
        EXPECT_EQ(watch.under_way(), 1U);
        seen.is(which);
        seen.answered(status);
    };
    ask(std::size_t{0}, 200);
    ask(std::size_t{0}, 200);
    ask(std::size_t{0}, 404);
    ask(std::size_t{0}, 299);
    ask(RequestWatch::Other::unmatched, 404);
    EXPECT_EQ(watch.under_way(), 0U);
    const auto figures = watch.figures();
    ASSERT_EQ(figures.size(), 2U) << "the route that nobody asked for is left out";
    EXPECT_EQ(figures[0].method, "GET");
    EXPECT_EQ(figures[0].route, "/x/{}");
    EXPECT_THAT(figures[0].by_status, ElementsAre(Pair("other", 1), Pair("200", 2), Pair("404", 1)));
    EXPECT_EQ(figures[0].times.count(), 4U);
    EXPECT_EQ(figures[1].route, "unmatched");
    EXPECT_EQ(figures[1].method, "any");
}

TEST(RequestWatch, WhoGoesWithoutAnAnswerIsNotCountedAsAnswered) {
    RequestWatch watch(kPatterns, 0ms);
    const TestRequest given;
    {
        const RequestWatch::Seen seen(watch, given.request);
    }
    EXPECT_EQ(watch.under_way(), 0U);
    EXPECT_TRUE(watch.figures().empty());
}

TEST(RequestWatch, ARequestIsASpanOfItsRoute) {
    Spans spans;
    RequestWatch watch(kPatterns, 0ms);
    TestRequest given;
    given.fields.set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    {
        RequestWatch::Seen seen(watch, given.request);
        seen.is(0);
        seen.answered(503);
    }
    ASSERT_EQ(spans.taken.size(), 1U);
    const auto& span = spans.taken[0];
    EXPECT_EQ(span.name, "GET /x/{}");
    EXPECT_EQ(core::trace::hex(span.parent), "00f067aa0ba902b7");
    EXPECT_TRUE(span.failed);
    ASSERT_EQ(span.attributes.size(), 3U);
    EXPECT_EQ(std::get<std::string>(span.attributes[0].value), "/x/{}");
}

TEST(RequestWatch, SlowOnesAreLoggedByTheirPattern) {
    RequestWatch watch(kPatterns, 1ms);
    const TestRequest given;
    testing::internal::CaptureStderr();
    {
        RequestWatch::Seen seen(watch, given.request);
        seen.is(0);
        std::this_thread::sleep_for(2ms);
        seen.answered(200);
    }
    const auto log = testing::internal::GetCapturedStderr();
    EXPECT_NE(log.find("slow request method=GET route=/x/{} status=200 ms="), std::string::npos) << log;
    EXPECT_NE(log.find("request_id=r-1"), std::string::npos) << log;
    EXPECT_EQ(log.find("somebody"), std::string::npos) << log;
}

}  // namespace
}  // namespace api
