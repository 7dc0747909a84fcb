#include "media/room/speaker_choice.hpp"

#include <algorithm>

namespace media::room {

void LoudnessMeter::take(std::uint8_t level, Time now) {
    const int target = std::min<int>(level, 127) * 16;
    const bool stale = !heard_ || now - last_ > kFresh;
    if (stale) {
        smoothed_ = target;
    } else {
        const int difference = target - smoothed_;
        smoothed_ += difference < 0 ? difference / 2 : difference / 8;
    }
    last_ = now;
    heard_ = true;
}

std::optional<std::uint8_t> LoudnessMeter::level(Time now) const {
    if (!heard_ || now - last_ > kFresh) return std::nullopt;
    return static_cast<std::uint8_t>(smoothed_ / 16);
}

void SpeakerChoice::Seat::update(std::span<const Candidate> candidates, std::optional<PersonId> without, Time now) {
    const Candidate* loudest = nullptr;
    const Candidate* present = nullptr;
    for (const Candidate& candidate : candidates) {
        if (without && candidate.person == *without) continue;
        if (loudest == nullptr || candidate.level < loudest->level) loudest = &candidate;
        if (holder && candidate.peer == holder->peer) present = &candidate;
    }
    if (present == nullptr || loudest == present) {
        // Nobody to defend the seat against, or nobody in it.
        holder = loudest == nullptr ? std::nullopt : std::optional(*loudest);
        challenged_since.reset();
        return;
    }
    holder = *present;
    if (loudest->level + kMarginDb > present->level) {
        challenged_since.reset();
        return;
    }
    if (!challenged_since || challenger != loudest->peer) {
        challenger = loudest->peer;
        challenged_since = now;
    }
    const auto hold = present->level > kSpeech ? kHoldSilent : kHold;
    if (now - *challenged_since >= hold) {
        holder = *loudest;
        challenged_since.reset();
    }
}

void SpeakerChoice::update(std::span<const Candidate> candidates, Time now) {
    first_.update(candidates, std::nullopt, now);
    if (first_.holder) {
        second_.update(candidates, first_.holder->person, now);
    } else {
        second_ = {};
    }
}

std::optional<PeerId> SpeakerChoice::for_listener(PersonId listener) const {
    const Seat& seat = first_.holder && first_.holder->person == listener ? second_ : first_;
    if (!seat.holder) return std::nullopt;
    return seat.holder->peer;
}

}  // namespace media::room
