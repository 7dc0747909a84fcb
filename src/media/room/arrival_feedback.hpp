// Transport-wide congestion feedback of one peer: which of its packets arrived and when, audio and video in one number
// space (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//
// Once the extension is negotiated the feedback must flow: a sender takes silence for a dead path. Owned by one peer;
// the meeting's thread only. Allocates nothing.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "media/room/media_settings.hpp"
#include "media/wire/rtcp_writer.hpp"
#include "media/wire/rtp.hpp"

namespace media::room {

class ArrivalFeedback {
  public:
    static constexpr auto kInterval = std::chrono::milliseconds(80);
    /// What is missing after such a silence was lost with the way itself, and says nothing about what the way carries:
    /// told of it, a sender would start over with next to nothing. It is not reported, as if it had never been sent.
    static constexpr auto kOutage = std::chrono::milliseconds(1000);
    /// Arrivals kept until they are reported; more than a report's worth at any rate a browser sends.
    static constexpr std::size_t kArrivals = 1024;

    ArrivalFeedback();

    void on_packet(std::uint16_t transport_sequence, Time arrival);

    /// There is something to report, and it is time.
    bool due(Time now) const { return pending_ && now >= next_; }

    /// Appends feedback packets until all is reported or the room ends. False: nothing was written.
    bool write(wire::RtcpWriter& out, std::uint32_t sender_ssrc, std::uint32_t media_ssrc, Time now);

  private:
    /// The lower halves of number and time, which say all within one ring and half an hour.
    struct Slot {
        std::uint32_t sequence = 0;
        std::uint32_t arrival_us = 0;
    };
    static std::int64_t microseconds(Time time) {
        return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
    }
    Slot& slot_of(std::int64_t sequence) { return slots_[static_cast<std::size_t>(sequence) % kArrivals]; }

    wire::SequenceUnwrapper unwrapper_;
    std::array<Slot, kArrivals> slots_;
    std::int64_t begin_ = 0;    ///< The first number the next report speaks of.
    std::int64_t highest_ = 0;  ///< The last number that arrived.
    Time heard_{};              ///< The last arrival.
    bool pending_ = false;
    std::uint8_t count_ = 0;
    Time next_{};
};

}  // namespace media::room
