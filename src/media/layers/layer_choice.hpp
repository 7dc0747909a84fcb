// Which layer of each of its videos one receiver gets, so that all together fit its link.
//
// A video's choices form a ladder, the cheapest rung first: its simulcast layers, and of a layered stream the steps
// that its preference makes. First everybody gets the lowest rung, the most important first; then they are raised in
// the same order, equals in turn. What is not given yet needs headroom and some patience; what does not fit any more is
// taken away at once. Patience doubles when a raise did not last.
//
// Plain values and one function; any thread. Allocates nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "media/layers/layer_rates.hpp"
#include "media/layers/packet_layer.hpp"

namespace media::layers {

/// What a receiver gives up last: balanced alternates between frames a second and size.
enum class QualityPreference : std::uint8_t { balanced, maintain_framerate, maintain_resolution };

/// One way to serve a video.
struct Rung {
    std::uint32_t bps = 0;
    std::uint8_t stream = 0;  ///< Which simulcast layer, counted from the lowest.
    LayerLimit limit;         ///< What of it.
};

/// The rungs of one video, each better than the one before.
class Ladder {
  public:
    static constexpr std::size_t kMaxRungs = 28;  ///< Four streams of four by four layers.

    /// All the ways to send one stream, from its base to whole. Streams must be added lowest first. `announced_bps`
    /// stands in for a rate that is not measured yet.
    void add_stream(std::uint8_t stream, const LayerRates& rates, QualityPreference preference,
                    std::uint32_t announced_bps);
    void clear() { count_ = 0; }
    std::size_t size() const { return count_; }
    const Rung& operator[](std::size_t index) const { return rungs_[index]; }
    /// The best rung that gives nothing beyond this one; the lowest when there is none.
    std::size_t find(const Rung& rung) const;

  private:
    void add(Rung rung);

    std::array<Rung, kMaxRungs> rungs_{};
    std::size_t count_ = 0;
};

/// What is remembered of one video between two choices.
struct ChoiceState {
    bool decided = false;  ///< False: nothing was chosen yet.
    bool paused = false;
    Rung rung;
    Time changed_at{};
    Time raised_at{};
    std::chrono::milliseconds patience{1000};
};

struct Candidate {
    Ladder ladder;  ///< Empty: nothing to choose, left alone.
    ChoiceState* state = nullptr;
    std::uint32_t priority = 0;    ///< The larger, the more important.
    std::uint64_t target_bps = 0;  ///< Not raised beyond; 0: no target.
    bool may_pause = false;        ///< False: keeps its lowest rung whatever the budget.
    /// Its sender keeps to this when told to, so no rung costs more, whatever is measured; 0: it is not told.
    std::uint64_t most_bps = 0;
};

struct ChoiceRules {
    /// Raised only when the budget is this many per cent larger than what is needed.
    static constexpr std::uint64_t kHeadroomPercent = 15;
    /// Of its target: up to here a video is raised, and beyond that it is lowered.
    static constexpr std::uint64_t kTargetPercent = 110;
    static constexpr std::uint64_t kMostTargetPercent = 130;
    static constexpr auto kPatience = std::chrono::milliseconds(1000);
    static constexpr auto kMostPatience = std::chrono::milliseconds(16'000);
    /// A raise that lasted no longer was a mistake.
    static constexpr auto kShortLived = std::chrono::seconds(8);
    static constexpr std::size_t kMaxCandidates = 32;
};

/// Decides anew for all videos of one receiver (at most kMaxCandidates; the rest is left alone) and writes it to their
/// states. `budget_bps`: for all of them together; null: not known, everybody gets the best within its target.
void choose_layers(std::span<Candidate> candidates, std::optional<std::uint64_t> budget_bps, Time now);

}  // namespace media::layers
