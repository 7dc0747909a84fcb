#include "media/mixing/loudest_few.hpp"

#include <algorithm>

namespace media::mixing {

LoudestFew::LoudestFew(std::size_t voices) {
    voices_.size = std::clamp<std::size_t>(voices, 1, kMostVoices);
    shares_.size = kMostShares;
}

bool LoudestFew::Bench::seated(SourceId source) const {
    return std::ranges::any_of(std::span(seats).first(taken), [&](const Seat& seat) { return seat.source == source; });
}

void LoudestFew::Bench::release(std::span<const Candidate> candidates, bool content, Time now) {
    for (std::size_t i = taken; i-- > 0;) {
        Seat& seat = seats[i];
        const auto found = std::ranges::find(candidates, seat.source, &Candidate::source);
        const bool there = found != candidates.end() && found->content == content;
        if (there) {
            seat.level = found->level;
            if (found->level <= kSilence) seat.last_sound = now;
        }
        if (!there || now - seat.last_sound > kLinger) seat = seats[--taken];
    }
}

const Candidate* LoudestFew::Bench::loudest_outside(std::span<const Candidate> candidates, bool content) const {
    const Candidate* loudest = nullptr;
    for (const Candidate& candidate : candidates) {
        if (candidate.content != content || candidate.level > kSilence || seated(candidate.source)) continue;
        if (loudest == nullptr || candidate.level < loudest->level) loudest = &candidate;
    }
    return loudest;
}

void LoudestFew::Bench::fill(std::span<const Candidate> candidates, bool content, Time now) {
    while (taken < size) {
        const Candidate* next = loudest_outside(candidates, content);
        if (next == nullptr) return;
        seats[taken++] = {next->source, next->level, now};
    }
}

void LoudestFew::Bench::defend(std::span<const Candidate> candidates, bool content, Time now) {
    const Candidate* loudest = taken < size ? nullptr : loudest_outside(candidates, content);
    const auto seats_taken = std::span(seats).first(taken);
    const auto quietest = std::ranges::max_element(seats_taken, {}, &Seat::level);
    if (loudest == nullptr || quietest == seats_taken.end() || loudest->level + kMarginDb > quietest->level) {
        challenged_since.reset();
        return;
    }
    if (!challenged_since) challenged_since = now;
    const auto hold = quietest->level > kSpeech ? kHoldSilent : kHold;
    if (now - *challenged_since < hold) return;
    *quietest = {loudest->source, loudest->level, now};
    challenged_since.reset();
}

std::span<const SourceId> LoudestFew::update(std::span<const Candidate> candidates, Time now) {
    std::size_t count = 0;
    for (Bench* bench : {&voices_, &shares_}) {
        const bool content = bench == &shares_;
        bench->release(candidates, content, now);
        bench->fill(candidates, content, now);
        bench->defend(candidates, content, now);
        for (std::size_t i = 0; i < bench->taken; ++i) chosen_[count++] = bench->seats[i].source;
    }
    return std::span<const SourceId>(chosen_).first(count);
}

}  // namespace media::mixing
