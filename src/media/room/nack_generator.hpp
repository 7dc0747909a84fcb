// Which packets of a source are missing and when to ask for them (RFC 4585 section 6.2.1).
//
// A gap is first asked for after a short wait, because reordering would otherwise make for a third of needless repeats;
// then about once a round trip, a bounded number of times. What still does not come is given up: the caller asks for a
// key frame. Owned by one source; the meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "media/room/media_settings.hpp"

namespace media::room {

class NackGenerator {
  public:
    static constexpr std::size_t kMaxMissing = 256;
    static constexpr auto kReorderWait = std::chrono::milliseconds(20);
    static constexpr auto kShortestRetry = std::chrono::milliseconds(40);
    static constexpr auto kLongestRetry = std::chrono::milliseconds(300);
    static constexpr std::uint8_t kMaxTries = 10;
    static constexpr auto kMaxAge = std::chrono::milliseconds(1500);
    /// When so many packets are missing shortly after such a silence, that was an outage. Asking for them would bring
    /// pictures nobody wants to see any more, in place of those of now; and a receiver takes them for a way that has
    /// become seconds longer. Shortly after: the first to come may be a repeat from the middle of the silence.
    static constexpr auto kOutage = std::chrono::milliseconds(1000);
    static constexpr auto kAfterOutage = std::chrono::milliseconds(400);
    static constexpr std::size_t kOutageMissing = 10;

    enum class Arrival : std::uint8_t {
        normal,
        repaired,  ///< It had been asked for.
        too_many,  ///< More is missing than can be asked for: all forgotten, a key frame is needed.
        outage,    ///< The same, because the way was away for a while: what was asked meanwhile is lost too.
    };
    /// A fresh packet of the source came; each number once.
    Arrival on_packet(std::int64_t sequence, Time now);

    struct Due {
        std::size_t count = 0;     ///< Numbers written to `out`, rising.
        std::size_t given_up = 0;  ///< Not asked for any more.
    };
    Due poll(Time now, std::chrono::microseconds round_trip, std::span<std::uint16_t> out);

    /// Nothing before this number matters any more (numbers began anew, or a key frame was complete).
    void restart(std::int64_t highest);
    std::size_t missing() const { return count_; }

  private:
    struct Missing {
        std::int64_t sequence = 0;
        Time since{};
        Time next{};
        std::uint8_t tries = 0;
    };
    std::array<Missing, kMaxMissing> missing_{};  ///< Sorted by sequence.
    std::size_t count_ = 0;
    std::int64_t highest_ = 0;
    Time heard_{};                  ///< The last packet with a new number.
    std::optional<Time> returned_;  ///< The first one after a silence.
    bool started_ = false;
};

}  // namespace media::room
