// How good the link of one peer is, in the three steps that AUDIO_METADATA knows, both ways together. Changes only
// after some seconds, so that a bar does not flicker. Owned by one peer; the meeting's thread only.
#pragma once

#include <chrono>
#include <cstdint>

#include "media/room/media_settings.hpp"

namespace media::room {

class SignalStrength {
  public:
    static constexpr std::uint8_t kNone = 0;
    static constexpr std::uint8_t kPoor = 1;
    static constexpr std::uint8_t kGood = 2;

    static constexpr auto kSilence = std::chrono::seconds(5);
    static constexpr double kMuchLoss = 0.08;
    static constexpr double kLittleLoss = 0.05;
    static constexpr int kBadSeconds = 3;
    static constexpr int kGoodSeconds = 5;

    struct Second {
        double loss_up = 0;  ///< Of what it sends, 0 to 1.
        double loss_down = 0;
        bool starved = false;  ///< The way down does not carry audio and the smallest picture.
    };
    /// Once a second.
    void update(const Second& second);
    /// Something arrived from the peer.
    void heard(Time now) { heard_ = now; }
    /// Silent from the beginning counts from here.
    void begin(Time now) { heard_ = now; }

    std::uint8_t value(Time now) const { return now - heard_ > kSilence ? kNone : poor_ ? kPoor : kGood; }

  private:
    Time heard_{};
    int against_ = 0;  ///< Seconds in a row that speak for a change.
    bool poor_ = false;
};

}  // namespace media::room
