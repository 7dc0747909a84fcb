// The rate that the delay allows: grows while the queue on the way does not, falls to a share of what arrives when it
// does (draft-ietf-rmcat-gcc-02 section 5.5; MMSys 2016 section 4.4).
//
// Owned by one estimate; the meeting's thread only. Allocates nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "media/congestion/delay_trend.hpp"
#include "media/congestion/send_history.hpp"

namespace media::congestion {

/// Between what rates an estimate moves, in bit/s.
struct RateBounds {
    std::uint64_t start = 600'000;
    std::uint64_t floor = 50'000;
    std::uint64_t cap = 30'000'000;
};

class DelayRate {
  public:
    explicit DelayRate(RateBounds bounds) : bounds_(bounds), bps_(bounds.start) {}

    struct Seen {
        LinkUse use = LinkUse::normal;
        std::uint64_t delivered_bps = 0;  ///< 0: not known yet.
        std::uint64_t latest_bps = 0;     ///< The same over a shorter time.
        std::uint64_t sent_bps = 0;       ///< Of the same packets, the lost ones too.
        std::chrono::microseconds round_trip{100'000};
    };
    void update(const Seen& seen, Time now);

    /// Something else knows better: a probe, or that nothing comes back.
    void set(std::uint64_t bps, Time now);

    std::uint64_t bps() const { return bps_; }
    /// The last time the queue was seen to grow.
    std::optional<Time> over_at() const { return over_at_; }

  private:
    /// What arrived when the link was last full: near it the rate grows slowly.
    class Capacity {
      public:
        void take(double bps);
        void reset() { known_ = false; }
        bool known() const { return known_; }
        double above() const;
        double below() const;

      private:
        double spread() const;
        bool known_ = false;
        double kbps_ = 0;
        double deviation_ = kLeastDeviation;
        static constexpr double kLeastDeviation = 0.4;
        static constexpr double kMostDeviation = 2.5;
    };
    void grow(const Seen& seen, double seconds);
    void shrink(const Seen& seen, Time now);
    std::uint64_t bounded(double bps) const;

    RateBounds bounds_;
    std::uint64_t bps_;
    Capacity capacity_;
    bool draining_ = false;  ///< Hold until the queue is as long as before.
    std::optional<Time> updated_;
    std::optional<Time> over_at_;
    std::optional<Time> shrunk_;  ///< Or set from outside.
};

}  // namespace media::congestion
