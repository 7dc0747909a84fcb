// Who hears whom, and how it sounds.
#include "media/mixing/mixer.hpp"

#include <algorithm>

#include "media/mixing/test_room.hpp"

namespace media::mixing::testing {
namespace {

constexpr double kAudible = 0.1;  // Tones have an amplitude of 0.2.
constexpr double kInaudible = 0.01;

double tone_of(SourceId id) {
    return 300.0 + 110.0 * id;
}

double loudest(std::span<const float> sound) {
    double peak = 0;
    for (const float value : sound) peak = std::max(peak, std::abs(static_cast<double>(value)));
    return peak;
}

TEST(Mixer, EverybodyHearsAllOthersAndNeverThemselves) {
    TestRoom room;
    for (SourceId id = 1; id <= 4; ++id) {
        room.add(id, {.hz = tone_of(id)});
        room.listen(id);
    }
    room.listen(9);
    room.pass(2s);
    for (const auto& [person, ear] : room.ears) {
        for (SourceId id = 1; id <= 4; ++id) {
            if (id == person) {
                EXPECT_LT(ear.hears(tone_of(id)), kInaudible) << person << " hears itself";
            } else {
                EXPECT_GT(ear.hears(tone_of(id)), kAudible) << person << " does not hear " << id;
                EXPECT_LT(ear.hears(tone_of(id)), 0.3) << person << " hears " << id;
            }
        }
        EXPECT_LT(loudest(ear.last(1s)), 1.0);
    }
    EXPECT_EQ(room.counters.concealed, 0U);
}

TEST(Mixer, PureListenersShareOneEncode) {
    TestRoom room;
    for (SourceId id = 1; id <= 2; ++id) {
        room.add(id, {.hz = tone_of(id)});
        room.listen(id);
    }
    for (PersonId person = 10; person < 30; ++person) room.listen(person);
    room.pass(1s);
    const auto before = room.counters;
    room.pass(1s);
    EXPECT_EQ(room.counters.encoded - before.encoded, 3U * 50) << "one for each speaker, one for all others";
    EXPECT_EQ(room.counters.decoded - before.decoded, 2U * 50);
    for (PersonId person = 11; person < 30; ++person) EXPECT_EQ(room.last_frame[person], room.last_frame[10]);
}

TEST(Mixer, OnlySpeakerCostsOneEncodeAndHearsSilence) {
    TestRoom room;
    room.add(1, {.hz = tone_of(1)});
    room.listen(1);
    room.listen(2);
    room.pass(1s);
    const auto before = room.counters;
    room.pass(1s);
    EXPECT_EQ(room.counters.encoded - before.encoded, 50U);
    EXPECT_TRUE(room.last_frame[1].empty());
    EXPECT_GT(room.ears.at(2).hears(tone_of(1)), kAudible);
}

TEST(Mixer, SilenceCostsNothing) {
    TestRoom room;
    for (SourceId id = 1; id <= 5; ++id) {
        room.add(id, {.hz = tone_of(id), .amplitude = 0}).level = 127;
        room.listen(id);
    }
    room.pass(2s);
    EXPECT_EQ(room.counters.decoded, 0U);
    EXPECT_EQ(room.counters.encoded, 0U);
    for (const auto& [person, frame] : room.last_frame) EXPECT_TRUE(frame.empty());
}

TEST(Mixer, OfFiftyTheLoudestFourAreHeard) {
    TestRoom room;
    for (SourceId id = 1; id <= 50; ++id) {
        room.add(id, {.hz = 200.0 + 60.0 * id}).level = static_cast<std::uint8_t>(id % 13 == 7 ? 20 : 45);
    }
    room.listen(7);
    room.listen(1);
    room.pass(1500ms);
    // 7, 20, 33 and 46.
    for (SourceId id = 1; id <= 50; ++id) {
        const bool chosen = id % 13 == 7;
        const double heard = room.ears.at(1).hears(200.0 + 60.0 * id);
        EXPECT_EQ(heard > 0.06, chosen) << id << ": " << heard;
        if (chosen) EXPECT_EQ(room.ears.at(7).hears(200.0 + 60.0 * id) > 0.06, id != 7) << id;
    }
    EXPECT_EQ(room.mixer.voices(), 4U);
    EXPECT_EQ(room.counters.out_of_room, 0U);
}

TEST(Mixer, ManyLoudOnesDoNotClip) {
    TestRoom room;
    for (SourceId id = 1; id <= 4; ++id) room.add(id, {.hz = tone_of(id), .amplitude = 0.9}).level = 3;
    Ear& ear = room.listen(9);
    room.pass(2s);
    EXPECT_LT(loudest(ear.last(1s)), 1.1) << "what the codec adds to a mix within bounds";
    for (SourceId id = 1; id <= 4; ++id) EXPECT_GT(ear.hears(tone_of(id)), 0.15);
    // A clipped mix would be full of tones that nobody speaks: the difference of two of them is one.
    EXPECT_LT(ear.hears(2 * tone_of(1) - tone_of(4)), 0.03);
    EXPECT_LT(ear.hears(3 * tone_of(1)), 0.03);
}

TEST(Mixer, SpeakersComeAndGoWithoutClicks) {
    TestRoom room;
    Ear& ear = room.listen(9);
    room.add(1, {.hz = 300});
    room.add(2, {.hz = 420});
    room.pass(2s);
    const double steady = strongest_click(ear.last(1s));
    for (int i = 0; i < 10; ++i) {
        room.speakers.at(1).there = i % 2 != 0;
        room.pass(300ms);
        room.speakers.at(2).there = i % 3 != 0;
        room.pass(300ms);
    }
    // A tone that is cut off in the middle makes a step of half its amplitude or so.
    EXPECT_LT(strongest_click(ear.last(6s)), std::max(4 * steady, 0.02));
}

TEST(Mixer, WhoeverBeginsToSpeakHearsOnWithoutAHole) {
    TestRoom room;
    room.add(1, {.hz = 300});
    TestRoom::Speaker& second = room.add(2, {.hz = 700});
    second.there = false;
    Ear& ear = room.listen(2);
    room.listen(9);
    room.pass(2s);
    const double before = quietest(ear.last(1s));
    ASSERT_GT(before, 0.1);
    const double steady = strongest_click(ear.last(1s));
    for (int i = 0; i < 6; ++i) {
        // From the mix of all to one of its own, and back.
        second.there = !second.there;
        room.pass(500ms);
    }
    EXPECT_GT(quietest(ear.last(3s)), before / 2);
    EXPECT_LT(strongest_click(ear.last(3s)), std::max(4 * steady, 0.02));
    EXPECT_LT(ear.hears(700, 3s), kInaudible);
}

TEST(Mixer, SharedSoundComesBesideTheFourAndNotToItsOwner) {
    TestRoom room;
    for (SourceId id = 1; id <= 5; ++id) room.add(id, {.hz = tone_of(id)}).level = static_cast<std::uint8_t>(20 + id);
    room.add(101, {.hz = 1500}, true, 1).level = 60;
    for (PersonId person : {1, 2, 9}) room.listen(person);
    room.pass(2s);
    EXPECT_LT(room.ears.at(1).hears(1500), kInaudible);
    EXPECT_LT(room.ears.at(1).hears(tone_of(1)), kInaudible);
    EXPECT_GT(room.ears.at(2).hears(1500), kAudible);
    EXPECT_GT(room.ears.at(9).hears(1500), kAudible);
    for (SourceId id = 1; id <= 4; ++id) EXPECT_GT(room.ears.at(9).hears(tone_of(id)), kAudible) << id;
    EXPECT_LT(room.ears.at(9).hears(tone_of(5)), kInaudible);
}

TEST(Mixer, StereoShareStaysStereoAndSpeechAloneIsMono) {
    TestRoom room;
    room.add(1, {.hz = 300});
    room.add(101, {.hz = 800, .right_hz = 1300, .bps = 96'000}, true, 2);
    Ear& ear = room.listen(9, 2);
    room.listen(2);
    room.pass(2s);
    EXPECT_TRUE(opus_is_stereo(room.last_frame[9]));
    EXPECT_FALSE(opus_is_stereo(room.last_frame[2])) << "its own share is not in it";
    const auto tail = [](const std::vector<float>& channel) { return std::span(channel).last(19'200); };
    EXPECT_GT(amplitude_of(tail(ear.left), 800), kAudible);
    EXPECT_LT(amplitude_of(tail(ear.left), 1300), 0.03);
    EXPECT_GT(amplitude_of(tail(ear.right), 1300), kAudible);
    EXPECT_LT(amplitude_of(tail(ear.right), 800), 0.03);
    EXPECT_GT(amplitude_of(tail(ear.left), 300), kAudible);
    EXPECT_GT(amplitude_of(tail(ear.right), 300), kAudible);

    room.speakers.at(101).there = false;
    room.pass(1s);
    EXPECT_FALSE(opus_is_stereo(room.last_frame[9]));
    EXPECT_GT(ear.hears(300), kAudible);
}

TEST(Mixer, PacketsOfOtherLengthsAreHeardAsWell) {
    for (const std::size_t samples : {480UZ, 1920UZ, 2880UZ}) {
        TestRoom room;
        room.add(1, {.hz = 440, .samples = samples});
        Ear& ear = room.listen(9);
        room.pass(3s);
        EXPECT_GT(ear.hears(440, 1s), kAudible) << samples;
        EXPECT_GT(quietest(ear.last(2s)), 0.1) << samples;
        EXPECT_LT(strongest_click(ear.last(2s)), 0.02) << samples;
        EXPECT_LE(room.counters.concealed, 2U) << samples;
    }
}

TEST(Mixer, ListenerWhoCameFromThePacketsThemselvesMissesNothing) {
    TestRoom room;
    TestRoom::Speaker& speaker = room.add(1, {.hz = 300});
    speaker.there = false;
    room.pass(1s);
    // All that has arrived was heard undecoded: the last one left a beat ago.
    room.mixer.heard_until(1, speaker.timestamp - 960);
    speaker.there = true;
    Ear& ear = room.listen(9);
    room.pass(2s);
    EXPECT_GT(quietest(std::span(ear.left).subspan(480)), 0.08) << "no hole while the buffer grows";
    EXPECT_EQ(room.counters.concealed, 0U) << "drawn out, not made up";
    EXPECT_GT(room.counters.lengthened, 0U);

    // And back: what the mix still holds.
    std::vector<std::int64_t> waiting;
    room.mixer.each_waiting(1, [&](std::int64_t timestamp, core::BytesView) { waiting.push_back(timestamp); });
    ASSERT_FALSE(waiting.empty());
    for (std::size_t i = 1; i < waiting.size(); ++i) EXPECT_EQ(waiting[i] - waiting[i - 1], 960);
    EXPECT_LE(waiting.size(), 4U);
}

TEST(Mixer, SenderThatLeavesInTheMiddleFadesOut) {
    TestRoom room;
    room.add(1, {.hz = 300});
    Ear& ear = room.listen(9);
    room.pass(2s);
    const double steady = strongest_click(ear.last(1s));
    room.speakers.erase(1);
    room.mixer.remove(1);
    room.pass(200ms);
    EXPECT_LT(strongest_click(ear.last(300ms)), std::max(4 * steady, 0.02));
    EXPECT_LT(loudest(ear.last(100ms)), 0.001);
    EXPECT_TRUE(room.last_frame[9].empty());
}

TEST(Mixer, ForeignBytesAreCountedAndDoNoHarm) {
    TestRoom room;
    room.add(1, {.hz = 300});
    room.listen(9);
    room.pass(500ms);
    const Bytes nothing;
    const Bytes code3_without_count{0xFB};
    room.mixer.push(1, {5'000'000, nothing}, room.now);
    room.mixer.push(1, {5'000'000, code3_without_count}, room.now);
    room.mixer.push(77, {5'000'000, code3_without_count}, room.now);
    EXPECT_EQ(room.counters.malformed, 2U);
    room.pass(500ms);
    EXPECT_GT(room.ears.at(9).hears(300), kAudible);
}

TEST(Mixer, RestSilencesAndItGoesOnAfterwards) {
    TestRoom room;
    room.add(1, {.hz = 300});
    Ear& ear = room.listen(9);
    room.pass(1s);
    room.mixer.rest();
    EXPECT_EQ(room.mixer.voices(), 0U);
    room.pass(1s);
    EXPECT_GT(ear.hears(300), kAudible);
}

}  // namespace
}  // namespace media::mixing::testing
