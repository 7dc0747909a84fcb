// What a text costs on its way down and up: sealing and opening, with its base64 form.
#include <benchmark/benchmark.h>

#include "store/sealed/columns.hpp"
#include "store/sealed/data_keys.hpp"

namespace store::sealed {
namespace {

constexpr std::string_view kRow = "00000001-0000-4000-8000-000000000001";

const DataKeys& keys() {
    static const DataKeys made({{1, core::Aes256Gcm(core::Bytes(core::Aes256Gcm::kKey, 1))}});
    return made;
}

void seal(benchmark::State& state) {
    const std::string text(static_cast<std::size_t>(state.range(0)), 'n');
    for (auto _ : state) benchmark::DoNotOptimize(keys().seal(kNotes, kRow, text));
}
BENCHMARK(seal)->Arg(30)->Arg(500)->Arg(5000);

void open(benchmark::State& state) {
    const auto sealed = keys().seal(kNotes, kRow, std::string(static_cast<std::size_t>(state.range(0)), 'n'));
    for (auto _ : state) benchmark::DoNotOptimize(keys().open(kNotes, kRow, sealed));
}
BENCHMARK(open)->Arg(30)->Arg(500)->Arg(5000);

void pass_plain_text(benchmark::State& state) {
    const std::string text(500, 'n');
    for (auto _ : state) benchmark::DoNotOptimize(key_number_of(text));
}
BENCHMARK(pass_plain_text);

}  // namespace
}  // namespace store::sealed
