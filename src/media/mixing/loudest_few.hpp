// Who is in the mix: the loudest few by their own measurement (RFC 6464), with hysteresis so that the choice does not
// flicker, and what people share beside them. Nothing is decoded to find out.
//
// Owned by one Mixer; the meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "media/mixing/arrival_delay.hpp"

namespace media::mixing {

/// One microphone or one share, as the caller numbers them.
using SourceId = std::uint32_t;

struct Candidate {
    SourceId source = 0;
    std::uint8_t level = 127;  ///< −dBov: 0 loudest.
    bool content = false;      ///< A share: it does not compete with voices.
};

class LoudestFew {
  public:
    static constexpr std::size_t kMostVoices = 8;
    static constexpr std::size_t kMostShares = 2;
    static constexpr std::size_t kMost = kMostVoices + kMostShares;

    /// Quieter than this is silence: it takes no seat …
    static constexpr std::uint8_t kSilence = 75;
    /// … and gives it up after so long.
    static constexpr auto kLinger = std::chrono::seconds(2);
    /// Others outside must be louder than the quietest inside by so much for so long to take a seat; from one who is
    /// not speaking, only for `kHoldSilent`.
    static constexpr int kMarginDb = 6;
    static constexpr auto kHold = std::chrono::milliseconds(400);
    static constexpr auto kHoldSilent = std::chrono::milliseconds(60);
    static constexpr std::uint8_t kSpeech = 50;

    explicit LoudestFew(std::size_t voices);

    /// Who is chosen now: at most the voices asked for and kMostShares shares. Valid until the next call.
    std::span<const SourceId> update(std::span<const Candidate> candidates, Time now);

  private:
    struct Seat {
        SourceId source = 0;
        std::uint8_t level = 127;
        Time last_sound{};
    };
    /// The seats of one kind.
    struct Bench {
        std::array<Seat, kMostVoices> seats{};
        std::size_t size = 0;   ///< There are so many,
        std::size_t taken = 0;  ///< and so many are taken.
        std::optional<Time> challenged_since;

        bool seated(SourceId source) const;
        void release(std::span<const Candidate> candidates, bool content, Time now);
        void fill(std::span<const Candidate> candidates, bool content, Time now);
        const Candidate* loudest_outside(std::span<const Candidate> candidates, bool content) const;
        void defend(std::span<const Candidate> candidates, bool content, Time now);
    };

    Bench voices_;
    Bench shares_;
    std::array<SourceId, kMost> chosen_{};
};

}  // namespace media::mixing
