// What was sent to one receiver under which transport-wide number, until its feedback comes
// (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 2).
//
// A ring; older packets are forgotten and feedback about them is ignored. Owned by one receiver's link; the meeting's
// thread only. Allocates at its making only.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace media::congestion {

/// As everywhere in the packet plane: no clock is read, every call brings the time.
using Time = std::chrono::steady_clock::time_point;

class SendHistory {
  public:
    /// Half a second at 25 Mbit/s; an answer takes a round trip and the receiver's interval of some 70 ms.
    static constexpr std::size_t kPackets = 2048;

    struct Packet {
        std::int64_t sent_us = 0;
        std::uint16_t bytes = 0;
        std::uint8_t probe = 0;  ///< Number of the probe it was sent in; 0: none.
    };
    /// What feedback says that was not known before.
    enum class News : std::uint8_t { none, received, lost, late };
    struct Answer {
        News news = News::none;  ///< late: received after all, although reported lost before.
        Packet packet{};
    };

    /// Remembers a packet that is about to be sent; its transport-wide number.
    std::uint16_t add(Time now, std::size_t bytes, std::uint8_t probe);

    /// The packet goes out a second time under the same number: when it arrives says nothing any more.
    void repeated(std::uint16_t number);

    /// Feedback about one number. Each packet is told once as received, and before that at most once as lost.
    Answer answer(std::uint16_t number, bool received);

    /// Numbers given out so far.
    std::int64_t count() const { return next_; }
    std::int64_t last_sent_us() const { return last_us_; }

  private:
    enum class State : std::uint8_t { empty, in_flight, lost, done };
    /// Eight bytes, so that a link's history fits the first-level cache.
    struct Entry {
        std::uint32_t sent_us = 0;  ///< The lower half: packets in the ring are never an hour old.
        std::uint16_t bytes = 0;
        std::uint8_t probe = 0;
        State state = State::empty;
    };
    Entry* find(std::uint16_t number);

    std::array<Entry, kPackets> entries_{};
    std::int64_t next_ = 0;
    std::int64_t last_us_ = 0;
};

}  // namespace media::congestion
