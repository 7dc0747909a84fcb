#include "core/trace.hpp"

#include <gtest/gtest.h>

#include <mutex>

namespace core::trace {
namespace {

constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, ReadsWhatTheRecommendationShows) {
    const auto context = parse(kParent, "congo=t61rcWkgMzE");
    ASSERT_TRUE(context);
    EXPECT_EQ(hex(context->trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(hex(context->span_id), "00f067aa0ba902b7");
    EXPECT_TRUE(context->sampled);
    EXPECT_EQ(context->state, "congo=t61rcWkgMzE");
    EXPECT_EQ(traceparent(*context), kParent);
}

TEST(Trace, RefusesWhatIsNotWellFormed) {
    const std::string good{kParent};
    for (const auto& bad : {
             std::string{}, good.substr(1), good + "0",
             good + "-00",                                                                     // Version 00 ends here.
             std::string{"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},           // No such version.
             std::string{"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"},           // Upper case.
             std::string{"00-00000000000000000000000000000000-00f067aa0ba902b7-01"},           // No trace.
             std::string{"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"},           // No span.
             std::string{"00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01"},           // Other dashes.
             std::string{"00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01"},           // Moved.
             std::string{"0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},           // Not hex.
             std::string{"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.something"}  // No dash.
         }) {
        EXPECT_FALSE(parse(bad)) << bad;
    }
}

TEST(Trace, ReadsLaterVersionsAsFarAsTheyAreKnown) {
    const auto context = parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-09-what-comes-later");
    ASSERT_TRUE(context);
    EXPECT_TRUE(context->sampled);
    EXPECT_EQ(traceparent(*context), kParent);
}

TEST(Trace, LeavesOutAStateThatCannotBePassedOn) {
    EXPECT_EQ(parse(kParent, std::string(512, 'a'))->state.size(), 512U);
    EXPECT_EQ(parse(kParent, std::string(513, 'a'))->state, "");
    EXPECT_EQ(parse(kParent, "a=b\r\nX-Evil: 1")->state, "");
}

TEST(Trace, ALineHoldsAllOfIt) {
    const auto context = *parse(kParent, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    EXPECT_EQ(to_line(context), std::string{kParent} + " rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    EXPECT_EQ(from_line(to_line(context)), context);
    EXPECT_EQ(to_line(Context{}), "");
    EXPECT_FALSE(from_line("").valid());
    EXPECT_FALSE(from_line("nonsense").valid());
}

/// Keeps what it is told.
class Recorder final : public Sink {
  public:
    explicit Recorder(bool sampling = true) : sampling_(sampling) { set_sink(this); }
    ~Recorder() override { set_sink(nullptr); }
    void take(Span&& span) noexcept override {
        const std::scoped_lock lock(mutex_);
        spans.push_back(std::move(span));
    }
    bool samples(const TraceId&) const noexcept override { return sampling_; }

    std::vector<Span> spans;

  private:
    std::mutex mutex_;
    const bool sampling_;
};

TEST(TraceWork, WithoutASinkAContextIsPassedOnAndNoneIsMade) {
    EXPECT_FALSE(is_on());
    EXPECT_FALSE(incoming({}, {}).valid());
    const auto given = incoming(kParent, "a=b");
    const Work work(given, "GET /x", Kind::server);
    EXPECT_FALSE(work.recorded());
    EXPECT_EQ(work.context(), given);
}

TEST(TraceWork, SpansOfOneTraceHangTogether) {
    Recorder recorder;
    {
        Work outer(incoming(kParent, "a=b"), "outer", Kind::server);
        outer.note("http.response.status_code", 200);
        Work inner(outer.context(), "inner", Kind::client);
        inner.fail();
        EXPECT_EQ(inner.context().state, "a=b");
        EXPECT_NE(inner.context().span_id, outer.context().span_id);
    }
    ASSERT_EQ(recorder.spans.size(), 2U);
    const auto& inner = recorder.spans[0];
    const auto& outer = recorder.spans[1];
    EXPECT_EQ(inner.name, "inner");
    EXPECT_TRUE(inner.failed);
    EXPECT_EQ(inner.parent, outer.context.span_id);
    EXPECT_EQ(hex(outer.parent), "00f067aa0ba902b7");
    EXPECT_EQ(hex(inner.context.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(inner.context.trace_id, outer.context.trace_id);
    EXPECT_GE(outer.end, inner.end);
    EXPECT_EQ(std::get<std::int64_t>(outer.attributes.at(0).value), 200);
}

TEST(TraceWork, ATraceMayBeginHere) {
    Recorder recorder;
    {
        const Work work(incoming({}, "a=b"), "first", Kind::server);
    }
    ASSERT_EQ(recorder.spans.size(), 1U);
    EXPECT_EQ(recorder.spans[0].parent, SpanId{});
    EXPECT_TRUE(recorder.spans[0].context.valid());
    EXPECT_EQ(recorder.spans[0].context.state, "") << "a state without a parent is nobody's";
}

TEST(TraceWork, WhatIsNotSampledIsNotToldButHasIdsToHandOn) {
    Recorder recorder(false);
    {
        const Work work(incoming({}, {}), "first", Kind::server);
        EXPECT_TRUE(work.context().valid());
        EXPECT_TRUE(traceparent(work.context()).ends_with("-00"));
    }
    {
        const Work work(*parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), "second", Kind::server);
        EXPECT_EQ(hex(work.context().span_id), "00f067aa0ba902b7");
    }
    EXPECT_TRUE(recorder.spans.empty());
}

TEST(TraceWork, IdsAreUnlikeEachOther) {
    const Recorder recorder;
    const auto a = incoming({}, {}), b = incoming({}, {});
    EXPECT_NE(a.trace_id, b.trace_id);
    EXPECT_NE(a.trace_id, TraceId{});
}

}  // namespace
}  // namespace core::trace
