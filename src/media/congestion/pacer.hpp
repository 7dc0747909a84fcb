// Spreads what is sent to one receiver: repairs first, then video, at some multiple of the rate that the link has for
// them; what comes too fast waits (draft-ietf-rmcat-gcc-02 section 4). Audio never passes here: it is sent at once.
//
// Two token buckets: the peak rate bounds each tick's burst, the average rate bounds a second or two. As long as there
// are tokens and nothing waits, a packet needs no copy and no queue. Owned by one receiver's link; the meeting's thread
// only. Allocates nothing; waiting packets lie in the meeting's PacketPool.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "media/congestion/packet_pool.hpp"
#include "media/congestion/send_history.hpp"

namespace media::congestion {

class Pacer {
  public:
    enum class Lane : std::uint8_t { repair, video };

    /// How long a packet waits before nothing more is put behind it, and before it is thrown away itself. A key frame
    /// is half a second of its stream: whoever cuts that off gets another key frame. In bytes the queue is what the
    /// peak rate sends in `kQueueTime`.
    static constexpr auto kQueueTime = std::chrono::milliseconds(300);
    static constexpr auto kLongestQueue = std::chrono::milliseconds(800);
    static constexpr auto kLongestWait = std::chrono::milliseconds(2000);
    static constexpr std::size_t kMostRepairs = 64;
    /// What a packet has on the wire beyond what is given here: stamp, tag, UDP and IPv4. The rates are those of the
    /// wire.
    static constexpr std::size_t kOverhead = 8 + 16 + 8 + 20;
    static constexpr std::int64_t kLeastQueueBytes = 24'000;

    /// Bits per second; 0: no bound.
    void set_rates(std::uint64_t peak_bps, std::uint64_t average_bps);

    /// Whether a packet of this lane may go now, before all that waits. If it goes, `spend` it.
    bool may_send(Lane lane, Time now) {
        if (peak_ == 0) return lanes_[0].empty() && lanes_[1].empty();
        if (!lanes_[0].empty() || (lane == Lane::video && !lanes_[1].empty())) return false;
        refill(now);
        return peak_tokens_ > 0 && (average_ == 0 || average_tokens_ > 0);
    }
    void spend(std::size_t bytes) {
        const auto tokens = static_cast<std::int64_t>(bytes + kOverhead) << kFraction;
        peak_tokens_ -= tokens;
        average_tokens_ -= tokens;
    }

    /// Copies a packet behind those that wait. False: the queue is as long as it may be, or the pool is empty.
    bool queue(PacketPool& pool, Lane lane, std::span<const std::uint8_t> packet, Time now);

    /// Calls `send(WaitingPacket&)` for every packet whose turn it is.
    template <class Send>
    void release(PacketPool& pool, Time now, Send&& send) {
        refill(now);
        for (Queue& lane : lanes_) {
            while (!lane.empty() && (peak_ == 0 || (peak_tokens_ > 0 && (average_ == 0 || average_tokens_ > 0)))) {
                WaitingPacket* packet = lane.pop();
                spend(packet->size);
                send(*packet);
                pool.give_back(packet);
            }
        }
    }
    /// The first waiting video packet when it has waited too long; else null.
    const WaitingPacket* overdue(Time now) const;
    /// The first waiting video packet of one RTP stream; null: none.
    const WaitingPacket* first_of(std::uint32_t ssrc) const;

    /// Throws away the waiting video packets of one RTP stream, `timestamp`'s only or all. Returns how many.
    std::size_t drop_frame(PacketPool& pool, std::uint32_t ssrc, std::uint32_t timestamp);
    std::size_t drop_stream(PacketPool& pool, std::uint32_t ssrc);
    void clear(PacketPool& pool);

    bool idle() const { return lanes_[0].empty() && lanes_[1].empty(); }
    std::size_t waiting_bytes() const { return lanes_[0].bytes + lanes_[1].bytes; }

  private:
    struct Queue {
        WaitingPacket* first = nullptr;
        WaitingPacket* last = nullptr;
        std::size_t bytes = 0;
        std::size_t packets = 0;
        bool empty() const { return first == nullptr; }
        void push(WaitingPacket* packet);
        WaitingPacket* pop();
    };
    /// Tokens are bytes with this many bits behind the point.
    static constexpr int kFraction = 16;

    void refill(Time now);
    template <class Unwanted>
    std::size_t drop_if(PacketPool& pool, Unwanted&& unwanted);

    std::int64_t peak_ = 0;  ///< Tokens per microsecond; 0: no bound.
    std::int64_t average_ = 0;
    std::int64_t peak_depth_ = 0;
    std::int64_t average_depth_ = 0;
    std::int64_t peak_tokens_ = 0;
    std::int64_t average_tokens_ = 0;
    std::int64_t most_bytes_ = kLeastQueueBytes;
    Time filled_{};
    Queue lanes_[2];
};

}  // namespace media::congestion
