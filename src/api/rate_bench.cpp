// What one decision costs, and what a million addresses take.
#include <benchmark/benchmark.h>

#include <string>

#include "api/rate_key.hpp"
#include "api/rate_table.hpp"

namespace {

using namespace std::chrono_literals;

constexpr api::RatePolicy kPolicy{300, 60s};

/// Address to decision, one busy address.
void one_address(benchmark::State& state) {
    static api::RateTable table({});
    const api::RateKeys keys("a secret");
    api::Micros now = 1000s;
    for (auto _ : state) {
        now += api::Micros{10};
        benchmark::DoNotOptimize(table.take(kPolicy, keys.of_address(1, "192.0.2.1"), now));
    }
}
BENCHMARK(one_address)->Threads(1)->Threads(2);

/// A million IPv6 networks, one request each, over and over.
void a_million_addresses(benchmark::State& state) {
    static api::RateTable table({});
    const api::RateKeys keys("a secret");
    api::Micros now = 1000s;
    std::uint32_t number = 0;
    char text[] = "2001:db8:0000:0000::1";
    for (auto _ : state) {
        constexpr char kDigits[] = "0123456789abcdef";
        number = (number + 1) % 1'000'000;
        for (int place = 0; place < 4; ++place) {
            text[9 + place] = kDigits[(number >> (28 - 4 * place)) & 15U];
            text[14 + place] = kDigits[(number >> (12 - 4 * place)) & 15U];
        }
        now += api::Micros{10};
        benchmark::DoNotOptimize(table.take(kPolicy, keys.of_address(1, text), now));
    }
    state.counters["bytes"] = {static_cast<double>(table.bytes()), benchmark::Counter::kAvgThreads};
}
BENCHMARK(a_million_addresses)->Threads(1)->Threads(2);

}  // namespace
