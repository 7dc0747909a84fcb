// Random sources, packets and beats against a Mixer. Checked all the time: every listener gets silence or one Opus
// packet of 20 ms at every beat, packets fit a datagram, and no more is decoded than the chosen few.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "media/mixing/mixer.hpp"
#include "media/mixing/test_sound.hpp"

namespace {

using namespace media::mixing;

void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    bool empty() const { return at_ >= size_; }
    std::uint8_t byte() { return empty() ? 0 : data_[at_++]; }
    std::uint16_t word() { return static_cast<std::uint16_t>(byte() << 8 | byte()); }
    core::BytesView bytes(std::size_t count) {
        count = std::min(count, size_ - std::min(at_, size_));
        const core::BytesView result(data_ + at_, count);
        at_ += count;
        return result;
    }

  private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t at_ = 0;
};

/// Real packets of several kinds, to start from.
const std::vector<core::Bytes>& recorded() {
    static const auto packets = [] {
        std::vector<core::Bytes> result;
        for (const testing::Talker::Settings& settings :
             {testing::Talker::Settings{.speech = true, .expected_loss = 30},
              testing::Talker::Settings{.samples = 2880, .speech = true, .expected_loss = 30},
              testing::Talker::Settings{.samples = 480, .bps = 64'000},
              testing::Talker::Settings{.right_hz = 700, .bps = 128'000}}) {
            testing::Talker talker(settings);
            for (int i = 0; i < 12; ++i) result.push_back(talker.next());
        }
        return result;
    }();
    return packets;
}

constexpr SourceId kSources = 8;

struct World {
    MixerCounters counters;
    Mixer mixer{counters, {.voices = 3}};
    Time now{std::chrono::hours(1)};
    std::int64_t timestamps[kSources] = {};

    static PersonId person(SourceId id) { return id / 2; }

    void push(SourceId id, Input& in) {
        const std::uint8_t how = in.byte();
        core::Bytes payload;
        if ((how & 1) != 0) {
            payload = recorded()[in.byte() % recorded().size()];
            if ((how & 2) != 0 && !payload.empty()) payload[in.word() % payload.size()] ^= in.byte();
            if ((how & 4) != 0) payload.resize(in.word() % (payload.size() + 1));
        } else {
            const auto bytes = in.bytes(in.byte());
            payload.assign(bytes.begin(), bytes.end());
        }
        if ((how & 8) != 0) {
            timestamps[id] += static_cast<std::int16_t>(in.word()) * std::int64_t{1 << (in.byte() % 16)};
        }
        mixer.push(id, {timestamps[id], payload, (how & 16) != 0}, now - std::chrono::milliseconds(how >> 5));
        timestamps[id] += static_cast<std::int64_t>(opus_samples(payload));
    }

    void beat(Input& in) {
        std::vector<Candidate> candidates;
        const std::uint8_t who = in.byte();
        const std::uint8_t loud = in.byte();
        for (SourceId id = 0; id < kSources; ++id) {
            if ((who >> id & 1) == 0) continue;
            const auto level = static_cast<std::uint8_t>((loud >> id & 1) != 0 ? 20 + id : 60 + 10 * id);
            candidates.push_back({id, level, id % 2 != 0});
        }
        mixer.mix(candidates, now);
        for (PersonId listener = 0; listener <= kSources / 2; ++listener) {
            const core::BytesView frame = mixer.frame_for(listener, loud % 101);
            check(frame.empty() || opus_samples(frame) == kFrame, "frame of another length");
            check(frame.size() <= Encoder::kMaxSize, "frame too long");
        }
        check(mixer.voices() <= 3 + LoudestFew::kMostShares + 3, "too many voices");
        now += std::chrono::milliseconds(20);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in(data, size);
    World world;
    for (SourceId id = 0; id < kSources; ++id) world.mixer.add(id, World::person(id), id % 2 != 0);
    for (int steps = 0; !in.empty() && steps < 400; ++steps) {
        const std::uint8_t what = in.byte();
        const SourceId id = what / 16 % kSources;
        switch (what % 16) {
            case 0:
                world.mixer.remove(id);
                break;
            case 1:
                world.mixer.add(id, World::person(id), id % 2 != 0);
                break;
            case 2:
                world.mixer.restart(id);
                break;
            case 3:
                world.mixer.heard_until(id, world.timestamps[id] + static_cast<std::int16_t>(in.word()));
                break;
            case 4:
                world.mixer.newcomer();
                break;
            case 5:
                world.mixer.rest();
                break;
            case 6: {
                std::int64_t last = INT64_MIN;
                world.mixer.each_waiting(id, [&](std::int64_t timestamp, core::BytesView) {
                    check(timestamp > last, "waiting packets out of order");
                    last = timestamp;
                });
                break;
            }
            case 7:
                world.now += std::chrono::milliseconds(in.word());
                break;
            case 8:
            case 9:
            case 10:
                world.beat(in);
                break;
            default:
                world.push(id, in);
        }
    }
    return 0;
}
