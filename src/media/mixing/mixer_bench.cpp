// What one beat (20 ms) of a meeting costs: 50 participants of whom some speak at a time, packets of everybody pushed,
// and a frame asked for by every listener.
#include <benchmark/benchmark.h>

#include <vector>

#include "media/mixing/mixer.hpp"
#include "media/mixing/test_sound.hpp"

namespace {

using namespace media::mixing;

constexpr SourceId kParticipants = 50;
constexpr std::size_t kRecorded = 250;

void beat(benchmark::State& state) {
    const auto speaking = static_cast<SourceId>(state.range(0));
    const auto loss = static_cast<int>(state.range(1));
    MixerCounters counters;
    Mixer mixer(counters);
    std::vector<std::vector<core::Bytes>> recorded;
    std::vector<Candidate> candidates;
    for (SourceId id = 0; id < kParticipants; ++id) {
        mixer.add(id, id, false);
        const bool speaks = id < speaking;
        testing::Talker talker({.hz = 150.0 + 70.0 * id, .amplitude = speaks ? 0.2 : 0.0, .expected_loss = 5});
        auto& packets = recorded.emplace_back();
        for (std::size_t i = 0; i < kRecorded; ++i) packets.push_back(talker.next());
        candidates.push_back({id, static_cast<std::uint8_t>(speaks ? 20 + id : 90), false});
    }

    Time now{std::chrono::hours(1)};
    std::int64_t timestamp = 0;
    std::size_t at = 0;
    std::size_t bytes = 0;
    for (auto _ : state) {
        for (SourceId id = 0; id < kParticipants; ++id) {
            mixer.push(id, {.timestamp = timestamp, .opus = recorded[id][at]}, now);
        }
        mixer.mix(candidates, now);
        for (SourceId id = 0; id < kParticipants; ++id) bytes += mixer.frame_for(id, loss).size();
        timestamp += kFrame;
        at = (at + 1) % kRecorded;
        now += std::chrono::milliseconds(20);
    }
    benchmark::DoNotOptimize(bytes);
    state.counters["encodes"] = static_cast<double>(counters.encoded) / static_cast<double>(state.iterations());
    state.counters["decodes"] = static_cast<double>(counters.decoded) / static_cast<double>(state.iterations());
}
// Speaking, loss in percent.
BENCHMARK(beat)->Args({0, 0})->Args({1, 0})->Args({2, 0})->Args({4, 0})->Args({4, 10})->Unit(benchmark::kMicrosecond);

}  // namespace
