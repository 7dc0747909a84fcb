#include "media/room/nack_generator.hpp"

#include <algorithm>
#include <utility>

namespace media::room {

void NackGenerator::restart(std::int64_t highest) {
    count_ = 0;
    highest_ = highest;
    started_ = true;
}

NackGenerator::Arrival NackGenerator::on_packet(std::int64_t sequence, Time now) {
    if (!started_) {
        restart(sequence);
        heard_ = now;
        return Arrival::normal;
    }
    if (sequence > highest_) {
        const std::int64_t gap = sequence - highest_ - 1;
        if (now - std::exchange(heard_, now) >= kOutage) returned_ = now;
        if (returned_ && now - *returned_ <= kAfterOutage &&
            count_ + static_cast<std::uint64_t>(gap) >= kOutageMissing) {
            returned_.reset();
            restart(sequence);
            return Arrival::outage;
        }
        if (count_ + static_cast<std::uint64_t>(gap) > kMaxMissing) {
            restart(sequence);
            return Arrival::too_many;
        }
        for (std::int64_t n = highest_ + 1; n < sequence; ++n) {
            missing_[count_++] = {.sequence = n, .since = now, .next = now + kReorderWait, .tries = 0};
        }
        highest_ = sequence;
        return Arrival::normal;
    }
    const auto end = missing_.begin() + static_cast<std::ptrdiff_t>(count_);
    const auto found = std::lower_bound(missing_.begin(), end, sequence,
                                        [](const Missing& m, std::int64_t value) { return m.sequence < value; });
    if (found == end || found->sequence != sequence) return Arrival::normal;
    const bool asked = found->tries > 0;
    std::move(found + 1, end, found);
    --count_;
    return asked ? Arrival::repaired : Arrival::normal;
}

NackGenerator::Due NackGenerator::poll(Time now, std::chrono::microseconds round_trip, std::span<std::uint16_t> out) {
    Due due;
    if (count_ == 0) return due;
    // A little longer than the round trip: the repeat has to be sent and forwarded too.
    const auto retry = std::clamp<std::chrono::microseconds>(round_trip * 5 / 4, kShortestRetry, kLongestRetry);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        Missing missing = missing_[i];
        if (now >= missing.next) {
            if (missing.tries >= kMaxTries || now - missing.since > kMaxAge) {
                ++due.given_up;
                continue;
            }
            if (due.count < out.size()) {
                out[due.count++] = static_cast<std::uint16_t>(missing.sequence);
                ++missing.tries;
                missing.next = now + retry;
            }
        }
        missing_[kept++] = missing;
    }
    count_ = kept;
    return due;
}

}  // namespace media::room
