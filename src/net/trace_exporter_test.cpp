#include "net/trace_exporter.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <mutex>

#include "net/raw_server.hpp"

namespace net {
namespace {

namespace asio = boost::asio;
namespace trace = core::trace;

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class TraceExporterTest : public ::testing::Test {
  protected:
    TraceExporterSettings settings() {
        TraceExporterSettings settings;
        settings.url = "http://127.0.0.1:" + std::to_string(collector.port()) + "/v1/traces";
        settings.headers = {{"x-key", "k"}};
        settings.source = {"video", "1.0"};
        settings.batch = 2;
        settings.queue_limit = 4;
        settings.timeout = std::chrono::milliseconds{testing::kPatienceMs};
        return settings;
    }
    static void work(int count) {
        for (int i = 0; i < count; ++i) const trace::Work span(*trace::parse(kParent), "work", trace::Kind::internal);
    }
    bool flush(TraceExporter& exporter) {
        loop.run([](TraceExporter& one) -> asio::awaitable<bool> {
            co_await one.flush();
            co_return true;
        }(exporter));
        return true;
    }

    std::mutex mutex;
    std::vector<std::string> bodies;
    std::vector<std::string> keys;
    unsigned status = 200;
    testing::Loopback collector{[this](const Request& request) -> asio::awaitable<Response> {
        const std::scoped_lock lock(mutex);
        bodies.emplace_back(request.body);
        keys.emplace_back(request.header("x-key"));
        Response response;
        response.status = status;
        co_return response;
    }};
    testing::CallerLoop loop;
    HttpClient client;
};

TEST_F(TraceExporterTest, SendsSpansInBatches) {
    TraceExporter exporter(settings(), client);
    work(3);
    flush(exporter);
    ASSERT_EQ(bodies.size(), 2U);
    EXPECT_EQ(keys[0], "k");
    const auto spans = [&](std::size_t i) {
        const auto document = boost::json::parse(bodies[i]);
        return document.at_pointer("/resourceSpans/0/scopeSpans/0/spans").as_array().size();
    };
    EXPECT_EQ(spans(0), 2U);
    EXPECT_EQ(spans(1), 1U);
    EXPECT_EQ(exporter.exported(), 3U);
    EXPECT_EQ(exporter.dropped(), 0U);
}

TEST_F(TraceExporterTest, WhatDoesNotFitIsThrownAwayAndCounted) {
    TraceExporter exporter(settings(), client);
    work(7);
    EXPECT_EQ(exporter.dropped(), 3U);
    flush(exporter);
    EXPECT_EQ(exporter.exported(), 4U);
}

TEST_F(TraceExporterTest, ARefusedBatchIsNotSentAgain) {
    status = 503;
    TraceExporter exporter(settings(), client);
    work(1);
    flush(exporter);
    flush(exporter);
    EXPECT_EQ(bodies.size(), 1U);
    EXPECT_EQ(exporter.failed(), 1U);
    EXPECT_EQ(exporter.dropped(), 1U);
}

TEST_F(TraceExporterTest, RecordsTheShareThatIsWanted) {
    auto half = settings();
    half.ratio = 0.5;
    const TraceExporter exporter(half, client);
    trace::TraceId id{};
    id[9] = 0x7f;
    EXPECT_TRUE(exporter.samples(id));
    id[9] = 0x80;
    EXPECT_FALSE(exporter.samples(id));
    half.ratio = 0;
    EXPECT_FALSE(TraceExporter(half, client).samples({}));
}

TEST_F(TraceExporterTest, WithoutItThereAreNoSpans) {
    {
        const TraceExporter exporter(settings(), client);
    }
    EXPECT_FALSE(trace::is_on());
    work(1);
}

TEST_F(TraceExporterTest, ARequestToAnotherServiceCarriesItsTrace) {
    const auto headers = [this](const trace::Context& context) {
        testing::RawServer server;
        OutgoingRequest request;
        request.url = server.url("/");
        request.trace = context;
        request.purpose = "other";
        request.timeout = request.connect_timeout = std::chrono::milliseconds{testing::kPatienceMs};
        auto answer = loop.spawn(client.send(std::move(request)));
        const auto peer = server.accept();
        auto text = peer->head();
        peer->send("HTTP/1.1 204 No Content\r\n\r\n");
        EXPECT_TRUE(answer.get());
        return text;
    };
    const auto context = *trace::parse(kParent, "a=b");
    EXPECT_NE(headers(context).find(std::string{"traceparent: "}.append(kParent) + "\r\ntracestate: a=b\r\n"),
              std::string::npos)
        << "without a collector it is passed on as it came";
    TraceExporter exporter(settings(), client);
    const auto text = headers(context);
    EXPECT_NE(text.find("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"), std::string::npos);
    EXPECT_EQ(text.find("00f067aa0ba902b7"), std::string::npos) << "the span of this request is the parent";
    flush(exporter);
    ASSERT_EQ(bodies.size(), 1U);
    EXPECT_NE(bodies[0].find(R"("parentSpanId":"00f067aa0ba902b7","traceState":"a=b","name":"other","kind":3)"),
              std::string::npos)
        << bodies[0];
}

}  // namespace
}  // namespace net
