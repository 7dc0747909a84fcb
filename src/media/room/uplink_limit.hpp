// What a sender is told with REMB (draft-alvestrand-rmcat-remb-03): no more than its receivers can take.
//
// There is one quality for all receivers, so the weakest decides, but never below a floor that keeps a picture for the
// others. A cap only: the sender's own estimate of its way to us comes from transport-wide feedback. Owned by one
// sending peer; the meeting's thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "media/room/media_settings.hpp"

namespace media::room {

/// What one receiver said last about its link (REMB).
class ReceiverEstimate {
  public:
    static constexpr auto kFresh = std::chrono::seconds(10);
    /// Left for audio and reports before video is shared out.
    static constexpr std::uint64_t kAudioBps = 60'000;

    void set(std::uint64_t bps, Time now);
    /// Null when it said nothing lately.
    std::optional<std::uint64_t> bps(Time now) const;

  private:
    std::uint64_t bps_ = 0;
    std::optional<Time> at_;
};

class UplinkLimit {
  public:
    static constexpr auto kInterval = std::chrono::seconds(1);
    /// A lower limit is told at once, but not more often than this.
    static constexpr auto kShortest = std::chrono::milliseconds(200);

    /// Whether anything may be told now: spares the sums.
    bool may_tell(Time now) const { return !told_ || now - *told_ >= kShortest; }

    /// A source begins: its receivers' shares follow.
    void begin() { weakest_.reset(); }
    void add(std::optional<std::uint64_t> share);
    /// What the source may use; null = no limit known.
    std::optional<std::uint64_t> allowed(std::uint64_t ceiling_bps, std::uint64_t floor_bps) const;

    /// The limit of the whole peer: returned when it has to be sent now.
    std::optional<std::uint64_t> poll(std::optional<std::uint64_t> limit_bps, Time now);

  private:
    std::optional<std::uint64_t> weakest_;
    std::uint64_t told_bps_ = 0;
    std::optional<Time> told_;
};

}  // namespace media::room
