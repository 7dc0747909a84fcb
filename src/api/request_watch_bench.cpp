// What it costs to look at a request: nothing at all, counted and measured, with a span that is not recorded, and with
// one that is.
#include <benchmark/benchmark.h>

#include "api/request_watch.hpp"

namespace {

constexpr std::array<api::Pattern, 1> kPatterns{{{"GET", "/api/video/sessions/{}"}}};

class Swallow final : public core::trace::Sink {
  public:
    explicit Swallow(bool sampling) : sampling_(sampling) { core::trace::set_sink(this); }
    ~Swallow() override { core::trace::set_sink(nullptr); }
    void take(core::trace::Span&& span) noexcept override { benchmark::DoNotOptimize(span); }
    bool samples(const core::trace::TraceId&) const noexcept override { return sampling_; }

  private:
    const bool sampling_;
};

struct Asked {
    boost::beast::http::fields fields;
    net::Request request;

    Asked() {
        fields.set("Host", "localhost");
        fields.set("Authorization", "Bearer x");
        request.request_id = "5f0c2a91be44-1f";
        request.fields = &fields;
    }
};

void look(api::RequestWatch& watch, const net::Request& request) {
    api::RequestWatch::Seen seen(watch, request);
    seen.is(0);
    benchmark::DoNotOptimize(seen.trace());
    seen.answered(200);
}

void counted(benchmark::State& state) {
    static api::RequestWatch watch(kPatterns, std::chrono::seconds{1});
    const Asked asked;
    for (auto _ : state) look(watch, asked.request);
}
BENCHMARK(counted)->Threads(1)->Threads(2);

void not_recorded(benchmark::State& state) {
    const Swallow sink(false);
    api::RequestWatch watch(kPatterns, std::chrono::seconds{1});
    const Asked asked;
    for (auto _ : state) look(watch, asked.request);
}
BENCHMARK(not_recorded);

void recorded(benchmark::State& state) {
    const Swallow sink(true);
    api::RequestWatch watch(kPatterns, std::chrono::seconds{1});
    const Asked asked;
    for (auto _ : state) look(watch, asked.request);
}
BENCHMARK(recorded);

}  // namespace
