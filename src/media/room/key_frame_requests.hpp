// When to ask a source for a key frame: soon after somebody needs one, never more often than the throttle, and again
// when none comes. Owned by one source; the meeting's thread only.
#pragma once

#include <chrono>

#include "media/room/media_settings.hpp"

namespace media::room {

class KeyFrameRequests {
  public:
    /// A burst of key frames on a narrow link is worse than a wait.
    static constexpr auto kThrottle = std::chrono::milliseconds(300);
    /// The request or the key frame was lost.
    static constexpr auto kAgain = std::chrono::milliseconds(1000);

    void request() { wanted_ = true; }
    void on_key_frame() { wanted_ = false; }

    /// True: send a request now. `waiting`: some receiver cannot start without a key frame.
    bool poll(Time now, bool waiting) {
        if (!wanted_ && !waiting) return false;
        if (asked_ && now - last_ < (wanted_ ? Time::duration(kThrottle) : Time::duration(kAgain))) return false;
        wanted_ = false;
        asked_ = true;
        last_ = now;
        return true;
    }

  private:
    bool wanted_ = false;
    bool asked_ = false;
    Time last_{};
};

}  // namespace media::room
