// What the signalling of a large meeting costs its media thread: 250 attendees, 25 cameras.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "media/room/meeting.hpp"
#include "media/room/signalling_test_client.hpp"

namespace media::room {
namespace {

using namespace std::chrono_literals;

class Crowd {
  public:
    explicit Crowd(std::size_t attendees = 250, std::size_t cameras = kMaxPublishers) : meeting_(settings()) {
        for (std::size_t i = 0; i < attendees; ++i) enter(i < cameras);
    }

    void enter(bool camera) {
        const PeerId peer = ++last_;
        const std::string name = "0f8fad5b-d9cb-469f-a165-" + std::to_string(100'000'000'000 + peer);
        meeting_.connect(peer, {name, "user-" + name, false, {}}, {"u" + std::to_string(peer), "password"}, {}, now_,
                         out_);
        meeting_.receive(peer, test::join(1), now_, out_);
        meeting_.receive(peer, test::subscribe(camera ? test::camera_on(5000) : test::OfferText{}), now_, out_);
        clear();
    }
    void toggle(bool camera) {
        meeting_.receive(last_, test::subscribe(camera ? test::camera_on(5000) : test::OfferText{}), now_, out_);
    }
    void pass(std::chrono::milliseconds time, const MediaReport& report = {}) {
        now_.steady += time;
        now_.wall += time;
        meeting_.tick(now_, report, out_);
    }
    void ping_all() {
        for (PeerId peer = 1; peer <= last_; ++peer) meeting_.receive(peer, test::ping(1), now_, out_);
        clear();
    }
    std::size_t bytes() const { return bytes_; }
    std::size_t messages() const { return messages_; }
    void clear() {
        for (const Output& output : out_) {
            if (const auto* send = std::get_if<output::Send>(&output)) {
                bytes_ += send->message.size();
                ++messages_;
            }
        }
        out_.clear();
    }

  private:
    static MeetingSettings settings() {
        MeetingSettings settings;
        settings.fingerprint_sha256.assign(32, 1);
        settings.udp_candidates = {wire::TransportAddress::v4(192, 0, 2, 1, 8087)};
        return settings;
    }
    Meeting meeting_;
    Moment now_{Time(1h), core::Time(std::chrono::sys_days(std::chrono::year{2026} / 3 / 1))};
    Outputs out_;
    PeerId last_ = 0;
    std::size_t bytes_ = 0;
    std::size_t messages_ = 0;
};

/// The last attendee's camera goes on and off; everybody is told.
void camera_change(benchmark::State& state) {
    Crowd crowd(static_cast<std::size_t>(state.range(0)), kMaxPublishers - 1);
    bool on = false;
    for (auto _ : state) {
        on = !on;
        crowd.toggle(on);
        state.PauseTiming();
        crowd.clear();
        for (int i = 0; i < 10; ++i) crowd.pass(200ms);
        crowd.ping_all();
        state.ResumeTiming();
    }
    state.counters["bytes"] =
        benchmark::Counter(static_cast<double>(crowd.bytes()), benchmark::Counter::kAvgIterations);
}
BENCHMARK(camera_change)->Arg(10)->Arg(50)->Arg(250)->Iterations(300)->Unit(benchmark::kMicrosecond);

/// A second of ticks, every 5 ms, with volumes five times.
void second_of_ticks(benchmark::State& state) {
    Crowd crowd;
    std::vector<AudioLevel> levels;
    std::vector<LinkReport> links;
    for (PeerId peer = 1; peer <= 250; ++peer) {
        levels.push_back({peer, static_cast<std::uint8_t>(peer <= 5 ? 30 : 127)});
        links.push_back({peer, 2000, 2});
    }
    const MediaReport report{.levels = levels, .links = links, .streams = {}, .pauses = {}};
    for (auto _ : state) {
        for (int i = 0; i < 200; ++i) crowd.pass(5ms, report);
        state.PauseTiming();
        crowd.clear();
        crowd.ping_all();
        state.ResumeTiming();
    }
}
BENCHMARK(second_of_ticks)->Iterations(60)->Unit(benchmark::kMicrosecond);

/// 250 people come within a second.
void everybody_comes(benchmark::State& state) {
    for (auto _ : state) {
        Crowd crowd(0, 0);
        for (int i = 0; i < 250; ++i) {
            crowd.enter(i < 25);
            crowd.pass(4ms);
        }
        crowd.clear();
        state.counters["MB"] = static_cast<double>(crowd.bytes()) / 1e6;
        state.counters["messages"] = static_cast<double>(crowd.messages());
    }
}
BENCHMARK(everybody_comes)->Iterations(5)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace media::room
