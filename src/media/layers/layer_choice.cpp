#include "media/layers/layer_choice.hpp"

#include <algorithm>
#include <limits>

namespace media::layers {

void Ladder::add(Rung rung) {
    // Not measured, not announced: as much as the one below.
    if (rung.bps == 0 && count_ > 0) rung.bps = rungs_[count_ - 1].bps;
    // A rung that is better and cheaper replaces the one below it.
    while (count_ > 0 && rungs_[count_ - 1].bps > rung.bps) --count_;
    if (count_ == kMaxRungs) return;
    rungs_[count_++] = rung;
}

void Ladder::add_stream(std::uint8_t stream, const LayerRates& rates, QualityPreference preference,
                        std::uint32_t announced_bps) {
    // The way down from everything, written backwards.
    constexpr std::size_t kLongest = LayerRates::kSpatial + LayerRates::kTemporal - 1;
    std::array<LayerLimit, kLongest> way;
    std::size_t steps = 0;
    const auto top_spatial = static_cast<std::uint8_t>(rates.spatial_layers() - 1);
    const auto top_temporal = static_cast<std::uint8_t>(rates.temporal_layers() - 1);
    LayerLimit at{top_spatial, top_temporal};
    bool temporal_next = true;
    while (true) {
        // Whole includes layers that may yet appear.
        way[steps++] = {at.spatial == top_spatial ? LayerLimit::kAll : at.spatial,
                        at.temporal == top_temporal ? LayerLimit::kAll : at.temporal};
        if (at.spatial == 0 && at.temporal == 0) break;
        const bool temporal_first = preference == QualityPreference::maintain_resolution ||
                                    (preference == QualityPreference::balanced && temporal_next);
        const bool lower_temporal = at.spatial == 0 || (temporal_first && at.temporal > 0);
        --(lower_temporal ? at.temporal : at.spatial);
        temporal_next = !lower_temporal;
    }
    for (std::size_t step = steps; step-- > 0;) {
        const std::uint32_t measured = rates.up_to(way[step]);
        add({measured != 0 ? measured : announced_bps, stream, way[step]});
    }
}

std::size_t Ladder::find(const Rung& rung) const {
    for (std::size_t i = count_; i-- > 0;) {
        const Rung& candidate = rungs_[i];
        if (candidate.stream < rung.stream) return i;
        if (candidate.stream == rung.stream && candidate.limit.spatial <= rung.limit.spatial &&
            candidate.limit.temporal <= rung.limit.temporal) {
            return i;
        }
    }
    return 0;
}

namespace {

constexpr int kPaused = -1;

/// One round of choosing.
class Round {
  public:
    Round(std::span<Candidate> candidates, std::optional<std::uint64_t> budget_bps, Time now)
        : candidates_(candidates.first(std::min(candidates.size(), ChoiceRules::kMaxCandidates))),
          budget_(budget_bps.value_or(std::numeric_limits<std::uint64_t>::max())),
          roomy_(budget_bps ? *budget_bps * 100 / (100 + ChoiceRules::kHeadroomPercent) : budget_),
          now_(now) {}

    void run() {
        for (const Candidate& candidate : candidates_) {
            if (candidate.ladder.size() != 0) insert(begin(candidate));
        }
        const auto picks = std::span(picks_).first(count_);
        for (Pick& pick : picks) give_base(pick);
        for (std::size_t first = 0, last = 0; first < count_; first = last) {
            while (last < count_ && picks[last].of->priority == picks[first].of->priority) ++last;
            for (bool raised = true; raised;) {
                raised = false;
                for (Pick& pick : picks.subspan(first, last - first)) raised |= raise(pick);
            }
        }
        for (const Pick& pick : picks) settle(pick);
    }

  private:
    struct Pick {
        const Candidate* of = nullptr;
        int before = kPaused;  ///< Rung before this round.
        int rung = kPaused;
        bool patient = false;  ///< May be raised already.
    };

    Pick begin(const Candidate& candidate) const {
        const ChoiceState& state = *candidate.state;
        const auto top = static_cast<int>(candidate.ladder.size()) - 1;
        Pick pick{.of = &candidate, .before = top, .rung = kPaused, .patient = true};
        if (!state.decided) return pick;
        pick.before = state.paused ? kPaused : static_cast<int>(candidate.ladder.find(state.rung));
        pick.patient = now_ - state.changed_at >= state.patience;
        return pick;
    }
    /// In order of priority, equals in theirs. By hand: the library's stable sort allocates.
    void insert(const Pick& pick) {
        std::size_t at = count_++;
        for (; at > 0 && picks_[at - 1].of->priority < pick.of->priority; --at) picks_[at] = picks_[at - 1];
        picks_[at] = pick;
    }
    bool fits(const Pick& pick, int rung) const {
        const std::uint64_t instead = pick.rung == kPaused ? 0 : bps(pick, pick.rung);
        return used_ - instead + bps(pick, rung) <= (rung > pick.before ? roomy_ : budget_);
    }
    static std::uint64_t bps(const Pick& pick, int rung) {
        const std::uint64_t measured = pick.of->ladder[static_cast<std::size_t>(rung)].bps;
        return pick.of->most_bps == 0 ? measured : std::min(measured, pick.of->most_bps);
    }
    /// Rates are measured and waver: what is given already may exceed the target by more.
    static bool within_target(const Pick& pick, int rung) {
        const std::uint64_t target = pick.of->target_bps;
        if (target == 0) return true;
        const std::uint64_t percent =
            rung > pick.before ? ChoiceRules::kTargetPercent : ChoiceRules::kMostTargetPercent;
        return bps(pick, rung) <= target * percent / 100;
    }
    void put(Pick& pick, int rung) {
        if (pick.rung != kPaused) used_ -= bps(pick, pick.rung);
        used_ += bps(pick, rung);
        pick.rung = rung;
    }
    void give_base(Pick& pick) {
        const bool allowed = pick.before != kPaused || pick.patient;
        if (!pick.of->may_pause || (allowed && fits(pick, 0))) put(pick, 0);
    }
    bool raise(Pick& pick) {
        const int next = pick.rung + 1;
        if (pick.rung == kPaused || next >= static_cast<int>(pick.of->ladder.size())) return false;
        if (next > pick.before && !pick.patient) return false;
        if (!within_target(pick, next) || !fits(pick, next)) return false;
        put(pick, next);
        return true;
    }
    void settle(const Pick& pick) const {
        ChoiceState& state = *pick.of->state;
        const bool first = !state.decided;
        const bool raised = !first && pick.rung > pick.before;
        const bool lowered = !first && pick.rung < pick.before;
        state.decided = true;
        state.paused = pick.rung == kPaused;
        if (!state.paused) state.rung = pick.of->ladder[static_cast<std::size_t>(pick.rung)];
        if (!raised && !lowered && !first) return;
        if (raised && now_ - state.changed_at > ChoiceRules::kMostPatience) state.patience = ChoiceRules::kPatience;
        if (lowered && state.raised_at != Time{} && now_ - state.raised_at < ChoiceRules::kShortLived) {
            state.patience = std::min<std::chrono::milliseconds>(state.patience * 2, ChoiceRules::kMostPatience);
        }
        if (raised) state.raised_at = now_;
        state.changed_at = now_;
    }

    std::span<Candidate> candidates_;
    std::uint64_t budget_;
    std::uint64_t roomy_;
    Time now_;
    std::uint64_t used_ = 0;
    std::array<Pick, ChoiceRules::kMaxCandidates> picks_{};
    std::size_t count_ = 0;
};

}  // namespace

void choose_layers(std::span<Candidate> candidates, std::optional<std::uint64_t> budget_bps, Time now) {
    Round(candidates, budget_bps, now).run();
}

}  // namespace media::layers
