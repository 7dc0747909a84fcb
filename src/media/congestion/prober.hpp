// Short bursts above the estimate, to find out quickly whether the link carries more: at the start, and again some time
// after a limit was met. What a burst measures is how far the path spreads it.
//
// Bounded: a burst lasts about 35 ms at twice the estimate (or 400 kbit/s), and bursts that find nothing become rare (5
// to 40 s apart). Owned by one estimate; the meeting's thread only. Allocates nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "media/congestion/send_history.hpp"

namespace media::congestion {

class Prober {
  public:
    struct Link {
        std::uint64_t estimate_bps = 0;
        std::uint64_t wanted_bps = 0;   ///< More than this is of no use; 0: nothing to probe with.
        std::optional<Time> over_at{};  ///< When the link was last seen full.
        std::chrono::microseconds round_trip{};
    };
    /// Call with every tick. Bytes to send now, on top of what was sent since the last call.
    std::size_t due(const Link& link, Time now);

    /// Number of the burst that is being sent: belongs to every packet sent now. 0: none.
    std::uint8_t running() const { return bursts_left_ > 0 ? number_ : 0; }
    /// A burst is being sent or answered.
    bool waiting() const { return waiting_; }
    /// A packet of the running burst was sent.
    void on_sent(std::size_t bytes);

    /// Feedback about a packet with a burst's number, in the order of sending.
    void on_answer(const SendHistory::Packet& packet, bool received, std::int64_t arrival_us);
    struct Found {
        std::uint64_t bps = 0;
        bool limited = false;  ///< The path spread the burst: it was more than the link carries.
    };
    /// What the last burst found, once.
    std::optional<Found> result(Time now);

  private:
    bool may_begin(const Link& link, Time now) const;
    void begin(const Link& link, Time now);
    std::optional<Found> measured() const;

    // Of the burst that is being sent or waited for.
    std::uint8_t number_ = 0;
    int bursts_left_ = 0;
    bool waiting_ = false;  ///< For answers.
    std::uint64_t target_bps_ = 0;
    std::int64_t owed_ = 0;  ///< Bytes still to send for the time that has passed.
    std::uint32_t packets_sent_ = 0;
    Time last_{};
    Time give_up_at_{};

    /// Packets sent within a moment are one group; the path cannot spread those that left together.
    struct Answers {
        std::uint32_t packets = 0;
        std::uint32_t received = 0;
        std::int64_t first_sent = 0;
        std::int64_t group_sent = 0;     ///< When the newest group began.
        std::int64_t first_arrival = 0;  ///< The last one of the first group.
        std::int64_t last_arrival = 0;
        std::uint64_t bytes = 0;  ///< Received, without the first group.
    };
    Answers answers_;

    std::optional<Time> next_at_;
    std::chrono::seconds pause_{5};
};

}  // namespace media::congestion
