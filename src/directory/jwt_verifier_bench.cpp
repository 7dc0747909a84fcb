#include "directory/jwt_verifier.hpp"

#include <benchmark/benchmark.h>

namespace {

void known_token(benchmark::State& state) {
    const core::SystemClock clock;
    const directory::JwtVerifier verifier({.secret = "0123456789abcdef0123456789abcdef"}, clock);
    const auto token = verifier.mint({.user_id = "34", .role = "DOCTOR"}, std::chrono::hours{24});
    for (auto _ : state) benchmark::DoNotOptimize(verifier.verify(token));
}
BENCHMARK(known_token);

void new_token(benchmark::State& state) {
    const core::SystemClock clock;
    const directory::JwtVerifier verifier({.secret = "0123456789abcdef0123456789abcdef"}, clock);
    // More of them than are remembered.
    std::vector<std::string> tokens;
    tokens.reserve(20'000);
    for (int i = 0; i < 20'000; ++i) {
        tokens.push_back(verifier.mint({.user_id = std::to_string(i), .role = "DOCTOR"}, std::chrono::hours{24}));
    }
    std::size_t next = 0;
    for (auto _ : state) benchmark::DoNotOptimize(verifier.verify(tokens[next++ % tokens.size()]));
}
BENCHMARK(new_token);

}  // namespace
