// What the media threads have done and what they are at, for /metrics. The packet path counts in plain integers of its
// own; about once a second a media thread copies their sums into a board that any thread may read. No locks, and
// nothing at all for a packet.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "media/room/drop_counters.hpp"
#include "media/server/media_port.hpp"
#include "media/server/stream_port.hpp"
#include "media/server/udp_socket.hpp"

namespace media::server {

/// Links by the strength that their people are shown, and what the server thinks they carry.
struct LinkVitals {
    std::uint64_t dead = 0, poor = 0, good = 0;
    std::uint64_t measured = 0;        ///< Links with an estimate.
    std::uint64_t estimated_kbps = 0;  ///< Of all those together, down.
    std::uint64_t streams = 0;         ///< Published streams that flow.
    std::uint64_t incoming_bps = 0;    ///< Of those together.
};

/// Only std::uint64_t, so that it can be copied and added up word by word. Counts are since the start.
struct MediaVitals {
    // Now:
    std::uint64_t meetings = 0;   ///< With somebody in them.
    std::uint64_t attendees = 0;  ///< Present, content shares left out.
    std::uint64_t peers = 0;      ///< With a way for media, content shares included.
    LinkVitals links;
    std::uint64_t behind_micros = 0;  ///< The longest that a datagram has waited for us lately (a minute, at most).
    // Since the start:
    std::uint64_t hurried = 0;  ///< Looks at a socket that found us behind.
    PortCounters port;
    UdpCounters udp;
    StreamCounters streams;
    room::RouterCounters router;  ///< Of all meetings, those that are over included.
};

namespace detail {
template <class Values>
using Words = std::array<std::uint64_t, sizeof(Values) / sizeof(std::uint64_t)>;
}

/// Adds value by value. `Values` has nothing but std::uint64_t in it.
template <class Values>
void add_up(Values& sum, const Values& more) {
    using Words = detail::Words<Values>;
    auto words = std::bit_cast<Words>(sum);
    const auto others = std::bit_cast<Words>(more);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] += others[i];
    sum = std::bit_cast<Values>(words);
}

/// Written by one thread, read by any. Values of one look may be a copy apart; each is a true one.
class VitalsBoard {
  public:
    void write(const MediaVitals& vitals) {
        const auto words = std::bit_cast<Words>(vitals);
        for (std::size_t i = 0; i < words.size(); ++i) words_[i].store(words[i], std::memory_order_relaxed);
    }
    MediaVitals read() const {
        Words words{};
        for (std::size_t i = 0; i < words.size(); ++i) words[i] = words_[i].load(std::memory_order_relaxed);
        return std::bit_cast<MediaVitals>(words);
    }

  private:
    using Words = detail::Words<MediaVitals>;
    std::array<std::atomic<std::uint64_t>, std::tuple_size_v<Words>> words_{};
};

}  // namespace media::server
