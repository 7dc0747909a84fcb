// What the way to one receiver carries, estimated by the sender: from the receiver's transport-wide feedback come a
// rate that the delay allows and one that the losses allow; the lower one holds (draft-ietf-rmcat-gcc-02, and the parts
// as their headers say).
//
// Bytes are those on the wire, IP and UDP headers included, so that many small packets weigh what they weigh. Owned by
// one receiver's link; the meeting's thread only. Allocates nothing after its making.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "media/congestion/delay_rate.hpp"
#include "media/congestion/delay_trend.hpp"
#include "media/congestion/delivery_rate.hpp"
#include "media/congestion/loss_limit.hpp"
#include "media/congestion/prober.hpp"
#include "media/congestion/queue_delay.hpp"
#include "media/congestion/send_history.hpp"
#include "media/wire/transport_feedback.hpp"

namespace media::congestion {

class SendSideEstimate {
  public:
    explicit SendSideEstimate(RateBounds bounds = {});

    /// A packet that is about to be sent; the transport-wide number it has to carry.
    std::uint16_t on_sent(std::size_t bytes, Time now);
    /// A packet goes out again, bit by bit the same, its number included.
    void on_repeated(std::uint16_t number) { history_.repeated(number); }

    void on_feedback(const wire::TransportFeedback& feedback, std::chrono::microseconds round_trip, Time now);

    /// With every tick: bytes of a probe to send now. `wanted_bps`: more is of no use; 0 = there is nothing to probe
    /// with.
    std::size_t tick(std::uint64_t wanted_bps, Time now);

    /// Never below the floor. The start value until feedback has come for a while.
    std::uint64_t bps() const;
    /// The value means something.
    bool measured(Time now) const { return first_feedback_ && now - *first_feedback_ >= kSettling; }
    bool fresh(Time now) const { return last_feedback_ && now - *last_feedback_ < kFresh; }
    /// Share of packets lost lately, 0 to 1.
    double loss() const { return loss_.loss(); }
    /// What arrived there lately, bit/s; 0 = not known.
    std::uint64_t delivered_bps() const { return delivered_.bps(); }

    static constexpr auto kSettling = std::chrono::milliseconds(800);
    static constexpr auto kFresh = std::chrono::seconds(10);
    /// Without a word for so long, although there was something to say, the rate falls by a fifth each second.
    static constexpr auto kSilence = std::chrono::milliseconds(1500);

  private:
    std::int64_t unwrap_arrival(std::int64_t arrival_us);
    void on_silence(Time now);
    void take_probe(Time now);

    RateBounds bounds_;
    SendHistory history_;
    DelayTrend trend_;
    QueueDelay queue_;
    DelayRate delay_;
    LossLimit loss_;
    DeliveryRate delivered_;
    DeliveryRate sent_;
    Prober prober_;
    std::chrono::microseconds round_trip_{100'000};
    std::optional<std::int64_t> last_arrival_us_;
    std::optional<Time> first_feedback_;
    std::optional<Time> last_feedback_;
    std::optional<Time> waiting_since_;  ///< The first packet after the last feedback.
};

}  // namespace media::congestion
