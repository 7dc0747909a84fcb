#include "net/otlp.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

using core::trace::Kind;
using core::trace::Span;

Span span() {
    Span span;
    span.context = *core::trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    span.name = "GET /x/{}";
    span.kind = Kind::server;
    span.begin = core::Time{std::chrono::seconds{1'700'000'000}};
    span.end = span.begin + std::chrono::microseconds{1500};
    return span;
}

TEST(Otlp, IsTheProtocolsJson) {
    auto first = span();
    first.attributes = {{"http.response.status_code", std::int64_t{200}}, {"http.route", std::string{"/x/{}"}}};
    EXPECT_EQ(
        otlp_document({"video", "1.0"}, {&first, 1}),
        R"({"resourceSpans":[{"resource":{"attributes":[)"
        R"({"key":"service.name","value":{"stringValue":"video"}},)"
        R"({"key":"service.version","value":{"stringValue":"1.0"}}]},)"
        R"("scopeSpans":[{"scope":{"name":"video-consultation"},"spans":[)"
        R"({"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"GET /x/{}","kind":2,)"
        R"("startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000001500000",)"
        R"("attributes":[{"key":"http.response.status_code","value":{"intValue":"200"}},)"
        R"({"key":"http.route","value":{"stringValue":"/x/{}"}}]}]}]}]})");
}

TEST(Otlp, TellsParentsStatesAndFailures) {
    auto child = span();
    child.parent = child.context.span_id;
    child.context.state = "a=b\"c";
    child.failed = true;
    const auto text = otlp_document({"video", "1.0"}, {&child, 1});
    EXPECT_NE(text.find(R"("parentSpanId":"00f067aa0ba902b7","traceState":"a=b\"c")"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("attributes":[],"status":{"code":2}})"), std::string::npos) << text;
}

}  // namespace
}  // namespace net
