// Makes sound a little shorter or longer without changing its pitch: one period is left out or played twice, where the
// sound is most like itself a period later, and the seam is cross-faded (synchronised overlap-add: Verhelst and
// Roelands, "An overlap-add technique based on waveform similarity", ICASSP 1993). Any thread; allocates nothing.
#pragma once

#include <cstddef>
#include <span>

namespace media::mixing {

/// Periods looked for: 2.5 to 10 ms, so 100 to 400 Hz and multiples.
inline constexpr std::size_t kLeastPeriod = 120;
inline constexpr std::size_t kMostPeriod = 480;
/// Samples of each channel that a change needs to look at.
inline constexpr std::size_t kStretchWindow = 2 * kMostPeriod;

struct Period {
    std::size_t samples = 0;
    float likeness = 0;  ///< Correlation of the two periods, 1 at most; 1 also where there is next to no sound.
};
/// The best period at the beginning of `sound` (at least kStretchWindow samples of each channel).
Period find_period(std::span<const float> sound, std::size_t channels);

/// Leaves out one period: afterwards the sound begins `period` samples further on.
void shorten(std::span<float> sound, std::size_t channels, std::size_t period);
/// Plays one period twice: `sound` begins with room for `period` samples in front, which are filled.
void lengthen(std::span<float> sound, std::size_t channels, std::size_t period);

/// Goes on from `past` (exactly kStretchWindow samples of each channel) by its last period, over and over: whole
/// periods, at least `wanted` samples, at most kMostPeriod more; so whatever really follows `past` fits behind it.
/// Returns the samples written to `out`; 0 when the sound has no clear period.
std::size_t repeat(std::span<const float> past, std::size_t channels, std::size_t wanted, std::span<float> out);

}  // namespace media::mixing
