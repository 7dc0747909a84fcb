// The rate that losses allow, beside the one that the delay allows: for links whose queue is too short to show a delay.
//
// After draft-ietf-rmcat-gcc-02 section 6, whose fixed bounds (2 and 10 %) take a radio link's random losses for
// congestion; so with three differences. The share of losses that is too much depends on the rate: generous when it is
// low, as slowing down further would cure nothing, strict when it is high or when a queue shows that the link is full.
// Losses that were there all the last seconds, whatever the rate, do not keep it from growing. And where nothing at all
// gets through for a while the line was away: no queue loses everything.
//
// Owned by one estimate; the meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "media/congestion/send_history.hpp"

namespace media::congestion {

class LossLimit {
  public:
    static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

    explicit LossLimit(std::uint64_t floor_bps) : floor_bps_(floor_bps) {}

    /// In the order of sending.
    void received(std::int64_t sent_us);
    void lost(std::int64_t sent_us);
    /// It came after all.
    void late();

    struct Rates {
        std::uint64_t allowed_bps = 0;  ///< Now, all in all.
        std::uint64_t delay_bps = 0;    ///< What the delay allows.
        std::uint64_t sent_bps = 0;     ///< At which the packets went that the last feedback was about.
        bool queued = false;            ///< Packets wait on the way: what is lost has no room there.
    };
    /// After each feedback.
    void update(const Rates& rates, std::chrono::microseconds round_trip, Time now);
    /// A probe got through at that rate.
    void lift(std::uint64_t bps) {
        if (limit_bps_ < bps) limit_bps_ = bps;
    }

    /// kNone: losses limit nothing.
    std::uint64_t bps() const { return limit_bps_; }
    /// Share of the packets of the last second or so that was lost, 0 to 1.
    double loss() const { return loss_; }

    /// How much loss is too much at a rate.
    static double bearable(std::uint64_t rate_bps);

  private:
    struct Window {
        std::uint32_t received = 0;
        std::uint32_t lost = 0;
        std::uint32_t packets() const { return received + lost; }
    };
    double usual() const;
    void close_run();

    std::uint64_t floor_bps_;
    std::uint64_t limit_bps_ = kNone;
    Window window_;
    Window before_;
    std::uint32_t run_ = 0;  ///< Packets lost one after the other, not yet in the window …
    std::int64_t run_first_us_ = 0;
    std::int64_t run_last_us_ = 0;  ///< … and when they were sent.
    double loss_ = 0;
    std::optional<Time> since_;
    std::optional<Time> lowered_;
    std::array<double, 12> past_{};  ///< The losses of the last windows.
    std::size_t windows_ = 0;
};

}  // namespace media::congestion
