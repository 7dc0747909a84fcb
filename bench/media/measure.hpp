// What is counted while media flows, and the one clock of the tool.
//
// Plain values; each belongs to one worker's thread and is copied when a window ends.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>

namespace bench {

/// Nanoseconds since 1970: the clock of the kernel's receive time stamps, so both can be compared.
using Nanos = std::int64_t;
inline constexpr Nanos kMicrosecond = 1'000;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;

inline Nanos now() {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * kSecond + t.tv_nsec;
}

/// Durations in microseconds with 1/16 of precision, up to 16 s.
class Histogram {
  public:
    void add(Nanos duration);
    void merge(const Histogram& other);
    /// In milliseconds; 0 when empty. `part` between 0 and 1.
    double quantile_ms(double part) const;
    std::uint64_t count() const { return count_; }

  private:
    static constexpr unsigned kFine = 16;
    static constexpr unsigned kOctaves = 21;
    std::array<std::uint64_t, kFine * kOctaves> buckets_{};
    std::uint64_t count_ = 0;
};

/// Of one window, over all live participants.
struct Window {
    std::uint64_t sent = 0;  ///< Datagrams to the server, of every kind.
    std::uint64_t received = 0;
    std::uint64_t sent_bytes = 0;  ///< UDP payload.
    std::uint64_t received_bytes = 0;
    std::uint64_t control_sent = 0;  ///< RTCP, part of `sent`.
    std::uint64_t control_received = 0;
    std::uint64_t video_expected = 0;  ///< By the counters that the senders write into the payloads.
    std::uint64_t video_lost = 0;
    std::uint64_t video_repaired = 0;  ///< Came as RTX, so they are not lost.
    std::uint64_t audio_expected = 0;  ///< By sequence numbers.
    std::uint64_t audio_lost = 0;
    double audio_least = 1e9;  ///< Audio packets a second of the receiver that got fewest.
    double audio_most = 0;
    std::uint64_t nacks_sent = 0;      ///< Packets asked for again.
    std::uint64_t nacks_received = 0;  ///< Packets the server asked for: lost on the way to it.
    std::uint64_t key_frames_asked = 0;
    std::uint64_t refused = 0;         ///< Packets that SRTP did not accept.
    std::uint64_t silent_streams = 0;  ///< Subscribed streams without a packet.
    std::uint64_t streams = 0;
    std::uint64_t socket_drops = 0;  ///< This tool was too slow to read: the figures are worth nothing.
    std::uint64_t send_failures = 0;
    std::uint64_t lost_connections = 0;
    Histogram latency;  ///< From a sender's write to the kernel's receipt for the receiver; video.
    Histogram lag;      ///< How late this tool's own beats came.

    void merge(const Window& other);
};

}  // namespace bench
