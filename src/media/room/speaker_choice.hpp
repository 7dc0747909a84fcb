// Who is passed on undecoded where a listener has one other person to hear: its loudest connection, with hysteresis.
//
// Loudness is the sender's own measurement (RFC 6464), smoothed. Owned by one meeting; its thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "media/room/media_settings.hpp"

namespace media::room {

/// Loudness of one participant: rises quickly, falls slowly, is unknown when packets stop.
class LoudnessMeter {
  public:
    static constexpr auto kFresh = std::chrono::milliseconds(300);
    /// Assumed when packets carry no level.
    static constexpr std::uint8_t kUnmeasured = 60;

    void take(std::uint8_t level, Time now);
    void reset() { heard_ = false; }
    /// −dBov, 0 loudest; null when nothing came lately.
    std::optional<std::uint8_t> level(Time now) const;

  private:
    int smoothed_ = 127 * 16;  ///< In sixteenths.
    Time last_{};
    bool heard_ = false;
};

class SpeakerChoice {
  public:
    /// Another one must be louder by so much …
    static constexpr int kMarginDb = 6;
    /// … for so long; while the present one is not speaking, only for `kHoldSilent`.
    static constexpr auto kHold = std::chrono::milliseconds(400);
    static constexpr auto kHoldSilent = std::chrono::milliseconds(60);
    /// Quieter than this is not speech.
    static constexpr std::uint8_t kSpeech = 50;

    struct Candidate {
        PeerId peer = 0;
        PersonId person = 0;
        std::uint8_t level = 127;
    };

    /// All who can be heard now. Call every few milliseconds.
    void update(std::span<const Candidate> candidates, Time now);

    /// Whom a listener hears: never a connection of its own person.
    std::optional<PeerId> for_listener(PersonId listener) const;

  private:
    struct Seat {
        std::optional<Candidate> holder;
        PeerId challenger = 0;
        std::optional<Time> challenged_since;
        void update(std::span<const Candidate> candidates, std::optional<PersonId> without, Time now);
    };

    Seat first_;
    Seat second_;  ///< The best without the first one's person.
};

}  // namespace media::room
