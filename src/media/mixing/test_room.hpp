// For tests: a meeting around a Mixer with simulated time. Everybody speaks in a tone of their own through a path that
// delays, loses and doubles packets as the test says, and hears with real decoders. Not thread-safe; one test.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "media/mixing/mixer.hpp"
#include "media/mixing/test_sound.hpp"

namespace media::mixing::testing {

class TestRoom {
  public:
    using Delay = std::optional<std::chrono::microseconds>;  ///< Null: lost.

    struct Speaker {
        explicit Speaker(Talker::Settings settings) : talker(settings), samples(settings.samples) {}
        Talker talker;
        std::size_t samples;
        PersonId person = 0;
        bool content = false;
        bool there = true;  ///< Is a candidate for the mix.
        std::uint8_t level = 30;
        std::function<Delay(std::size_t)> path = [](std::size_t) { return Delay(10ms); };
        double clock = 1;        ///< Above 1: its clock runs fast.
        std::size_t copies = 0;  ///< Packets carry so many earlier ones (RFC 2198).

        std::size_t packets = 0;
        std::int64_t timestamp = 1'000'000;
        double next_at = 0;  ///< When the next packet leaves, in microseconds since the start.
        std::vector<std::pair<std::int64_t, Bytes>> sent;
    };

    explicit TestRoom(MixerSettings settings = {}) : mixer(counters, settings) {}

    Speaker& add(SourceId id, Talker::Settings settings, bool content = false, std::optional<PersonId> person = {}) {
        Speaker& speaker = speakers.emplace(id, Speaker(settings)).first->second;
        speaker.person = person.value_or(id);
        speaker.content = content;
        speaker.next_at = elapsed();
        mixer.add(id, speaker.person, content);
        return speaker;
    }
    /// Somebody of this person listens.
    Ear& listen(PersonId person, std::size_t channels = 1) { return ears.emplace(person, Ear(channels)).first->second; }

    void pass(std::chrono::milliseconds time) {
        for (const Time end = now + time; now < end; now += 20ms) beat();
    }

    void beat() {
        for (auto& [id, speaker] : speakers) say(id, speaker);
        for (; !on_the_way.empty() && on_the_way.begin()->first <= now; on_the_way.erase(on_the_way.begin())) {
            for (const Arriving& packet : on_the_way.begin()->second) {
                const Mixer::Packet pushed{packet.timestamp, packet.opus, packet.redundant};
                mixer.push(packet.from, pushed, on_the_way.begin()->first);
            }
        }
        std::vector<Candidate> candidates;
        for (const auto& [id, speaker] : speakers) {
            if (speaker.there) candidates.push_back({id, speaker.level, speaker.content});
        }
        mixer.mix(candidates, now);
        for (auto& [person, ear] : ears) {
            const core::BytesView frame = mixer.frame_for(person, expected_loss);
            last_frame[person] = Bytes(frame.begin(), frame.end());
            ear.take(frame);
        }
    }

    double elapsed() const { return std::chrono::duration<double, std::micro>(now - kStart).count(); }
    double level_at(PersonId person, SourceId speaker_hz) const { return ears.at(person).hears(speaker_hz); }

    static constexpr Time kStart{std::chrono::hours(1)};
    Time now = kStart;
    MixerCounters counters;
    Mixer mixer;
    std::map<SourceId, Speaker> speakers;
    std::map<PersonId, Ear> ears;
    std::map<PersonId, Bytes> last_frame;
    int expected_loss = 0;

  private:
    struct Arriving {
        SourceId from;
        std::int64_t timestamp;
        Bytes opus;
        bool redundant;
    };

    void say(SourceId id, Speaker& speaker) {
        while (speaker.next_at <= elapsed()) {
            const Time at = kStart + std::chrono::microseconds(static_cast<std::int64_t>(speaker.next_at));
            Bytes packet = speaker.talker.next();
            speaker.sent.emplace_back(speaker.timestamp, packet);
            if (const Delay delay = speaker.path(speaker.packets)) {
                const std::size_t copies = std::min(speaker.copies, speaker.sent.size() - 1);
                auto& arriving = on_the_way[at + *delay];
                for (std::size_t i = speaker.sent.size() - 1 - copies; i + 1 < speaker.sent.size(); ++i) {
                    arriving.push_back({id, speaker.sent[i].first, speaker.sent[i].second, true});
                }
                arriving.push_back({id, speaker.timestamp, std::move(packet), false});
            }
            if (speaker.sent.size() > 4) speaker.sent.erase(speaker.sent.begin());
            ++speaker.packets;
            speaker.timestamp += static_cast<std::int64_t>(speaker.samples);
            speaker.next_at += static_cast<double>(speaker.samples) / 0.048 / speaker.clock;
        }
    }

    std::map<Time, std::vector<Arriving>> on_the_way;
};

}  // namespace media::mixing::testing
