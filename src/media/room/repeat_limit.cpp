#include "media/room/repeat_limit.hpp"

#include <algorithm>

namespace media::room {

bool RepeatLimit::take(std::uint16_t sequence, Time now, std::chrono::microseconds round_trip) {
    Entry& entry = entries_[sequence % entries_.size()];
    const auto now_ms = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
    if (entry.count == 0 || entry.sequence != sequence) {
        entry = {sequence, 1, now_ms};
        return true;
    }
    const std::chrono::milliseconds since(now_ms - entry.last_ms);
    const auto pause = std::clamp<std::chrono::microseconds>(round_trip, kShortest, kLongest);
    if (entry.count >= kMaxRepeats || since < pause) {
        // The number comes round again after a wrap, long after its limit has lost its meaning.
        if (since < std::chrono::seconds(30)) return false;
        entry.count = 0;
    }
    ++entry.count;
    entry.last_ms = now_ms;
    return true;
}

void RepeatBudget::set_estimate(std::uint64_t receiver_bps) {
    rate_bps_ = receiver_bps == 0 ? kDefaultBps : std::clamp(receiver_bps / 4, kLeastBps, kMostBps);
}

bool RepeatBudget::take(std::size_t bytes, Time now) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::microseconds>(now - last_).count();
    const std::int64_t earned = static_cast<std::int64_t>(std::clamp<std::int64_t>(elapsed, 0, 10'000'000)) *
                                static_cast<std::int64_t>(rate_bps_) / 8'000'000;
    if (earned > 0) {
        tokens_ = std::min(kBurstBytes, tokens_ + earned);
        last_ = now;
    }
    if (tokens_ < static_cast<std::int64_t>(bytes)) return false;
    tokens_ -= static_cast<std::int64_t>(bytes);
    return true;
}

}  // namespace media::room
