// When to ask a source for a key frame: soon after somebody needs one, never more often than the throttle, and again
// when none comes; a share also every now and then unasked. Owned by one source; the meeting's thread only.
#pragma once

#include <chrono>

#include "media/room/media_settings.hpp"

namespace media::room {

class KeyFrameRequests {
  public:
    /// A burst of key frames on a narrow link is worse than a wait; the slower the source, the longer one takes.
    static constexpr auto kThrottle = std::chrono::milliseconds(300);
    static constexpr auto kSlowThrottle = std::chrono::milliseconds(500);
    static constexpr auto kSlowestThrottle = std::chrono::milliseconds(1000);
    static constexpr std::uint32_t kSlowBps = 300'000;
    static constexpr std::uint32_t kSlowestBps = 100'000;
    /// The request or the key frame was lost.
    static constexpr auto kAgain = std::chrono::milliseconds(1000);
    static constexpr auto kPeriod = std::chrono::seconds(10);

    void request() { wanted_ = true; }
    /// The same when requests were lost on the way: they do not count.
    void request_anew() {
        wanted_ = true;
        asked_ = false;
    }
    void set_periodic(bool periodic) { periodic_ = periodic; }
    void on_key_frame(Time now) {
        wanted_ = false;
        last_key_frame_ = now;
    }

    /// True: send a request now. `waiting`: some receiver cannot start without a key frame; `watched`: there are
    /// receivers; `bps`: the source's rate, 0 when not known.
    bool poll(Time now, bool waiting, bool watched = true, std::uint32_t bps = 0) {
        if (last_key_frame_ == Time{}) last_key_frame_ = now;
        const bool due = periodic_ && watched && now - last_key_frame_ >= kPeriod;
        if (!wanted_ && !waiting && !due) return false;
        if (asked_ && now - last_ < (wanted_ ? throttle(bps) : Time::duration(kAgain))) return false;
        wanted_ = false;
        asked_ = true;
        last_ = now;
        return true;
    }

  private:
    static Time::duration throttle(std::uint32_t bps) {
        if (bps == 0 || bps >= kSlowBps) return kThrottle;
        return bps >= kSlowestBps ? kSlowThrottle : kSlowestThrottle;
    }

    bool wanted_ = false;
    bool periodic_ = false;
    bool asked_ = false;
    Time last_{};
    Time last_key_frame_{};
};

}  // namespace media::room
